import GodwitCrypto
import GodwitWire

@testable import GodwitCore

/// What a test may choose about a packet that it has an end send.
struct ForgedHeader {
    var version: QUICVersion?
    var source: ConnectionID?
    var destination: ConnectionID?
    var token: [UInt8] = []
    /// The next one of the end if nil.
    var number: UInt64?
    /// A long number lets a packet have no payload and still a sample for header protection.
    var numberLength = 4
    /// RFC 9000 section 17.2, RFC 9287.
    var fixedBit = true
}

extension Connection {
    /// A packet with any payload, protected with the keys of this end; it counts as sent by it.
    func forge(
        _ level: EncryptionLevel, _ payload: [UInt8], paddedTo size: Int = 0, now: Instant,
        header change: (inout ForgedHeader) -> Void = { _ in }
    ) -> [UInt8] {
        var header = ForgedHeader()
        change(&header)
        var bytes = [UInt8](repeating: 0, count: 1500)
        let count = bytes.withUnsafeMutableBytes { buffer in
            var packet = begin(level, header, into: buffer)
            packet.writer.writeBytes(payload)
            packet.pad(to: size)
            packet.isAckEliciting = true
            scratch.records.removeAll()
            guard header.number == nil else { return seal(&packet) }
            return finish(&packet, .notECT, now: now)
        }
        return Array(bytes[..<count])
    }

    private func begin(
        _ level: EncryptionLevel, _ header: ForgedHeader, into buffer: UnsafeMutableRawBufferPointer
    ) -> PacketBuilder {
        let number = header.number ?? packetNumbers[level.space].prepare(&environment.random)
        let destination = header.destination ?? paths.active.remoteID!
        var writer = ByteWriter(buffer)
        let layout: PacketLayout
        if let type = LongPacketType(level) {
            layout = LongHeader.encode(
                type, version: header.version ?? version(at: level), destinationID: destination,
                sourceID: header.source ?? identity.localHandshakeID, token: header.token,
                packetNumber: number,
                packetNumberLength: header.numberLength, fixedBit: header.fixedBit, into: &writer)
        } else {
            layout = ShortHeader.encode(
                destinationID: destination, spinBit: false, keyPhase: protection.oneRTT!.state.phase,
                packetNumber: number, packetNumberLength: header.numberLength, fixedBit: header.fixedBit,
                into: &writer)
        }
        return PacketBuilder(level: level, number: number, layout: layout, writer: writer)
    }

    /// Protects a packet that the end keeps no record of.
    private func seal(_ packet: inout PacketBuilder) -> Int {
        let keys = protection.keys(at: packet.level).write
        let size = packet.seal(keys?.packet ?? protection.oneRTT!.write)
        packet.applyHeaderProtection(keys?.header ?? protection.oneRTT!.writeHeader)
        return size
    }

    /// The transport error that the connection closed with on its own side.
    var ownError: TransportErrorCode? {
        if case .transport(let code, _, _, false) = closed { code } else { nil }
    }

    /// The transport error that the peer closed with.
    var peersError: TransportErrorCode? {
        if case .transport(let code, _, _, true) = closed { code } else { nil }
    }
}

extension Frame {
    /// The frame's bytes.
    var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: encodedSize) { buffer, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(buffer))
            encode(into: &writer)
            count = writer.count
        }
    }

    static func cryptoBytes(_ data: [UInt8], at offset: UInt64) -> [UInt8] {
        data.withUnsafeBytes { Frame.crypto(CryptoFrame(offset: offset, data: $0)).bytes }
    }

    static func streamBytes(_ data: [UInt8], on id: StreamID, at offset: UInt64 = 0) -> [UInt8] {
        data.withUnsafeBytes { Frame.stream(StreamFrame(id: id, offset: offset, data: $0, fin: false)).bytes }
    }

    static func newTokenBytes(_ token: [UInt8]) -> [UInt8] {
        token.withUnsafeBytes { Frame.newToken($0).bytes }
    }

    static func datagramBytes(_ data: [UInt8]) -> [UInt8] {
        data.withUnsafeBytes { Frame.datagram($0).bytes }
    }
}

extension EndpointPair {
    /// Has a datagram arrive at once, from where the other end is unless said otherwise.
    func arrive(_ bytes: [UInt8], atServer: Bool, from remote: NetworkAddress? = nil) {
        let (client, server) = (Self.clientAddress, Self.serverAddress)
        inject(
            Flight(
                at: now, bytes: bytes, remote: remote ?? (atServer ? client : server),
                local: atServer ? server : client, ecn: .notECT, toServer: atServer))
    }

    /// Starts to note what both ends open.
    func watch() -> (client: PacketTape, server: PacketTape) {
        let tapes = (client: PacketTape(), server: PacketTape())
        (client.observer, server.observer) = (tapes.client, tapes.server)
        return tapes
    }

    /// The datagrams sent by one end so far.
    func datagrams(toServer: Bool) -> [[UInt8]] { log.filter { $0.toServer == toServer }.map(\.bytes) }
}

/// Notes the packets that an endpoint seals and opens.
final class PacketTape: PacketObserver {
    struct Opened {
        var level: EncryptionLevel
        var number: UInt64
        var payload: [UInt8]

        /// The types of the frames, PADDING left out.
        var frameTypes: [UInt64] {
            payload.withUnsafeBytes { bytes in
                var (reader, types) = (ByteReader(bytes), [UInt64]())
                while !reader.isAtEnd, let type = try? next(&reader) {
                    if type != FrameType.padding { types.append(type) }
                }
                return types
            }
        }

        private func next(_ reader: inout ByteReader) throws -> UInt64 {
            let type = try FrameType.decode(&reader)
            if MigrationFrameType.isKnown(type) {
                _ = try MigrationFrame.decode(type: type, from: &reader)
            } else {
                _ = try Frame.decode(type: type, from: &reader, at: level)
            }
            return type
        }

        func visitFrames(_ body: (Frame) -> Void) {
            payload.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                while !reader.isAtEnd, let frame = try? Frame.decode(&reader, at: level) { body(frame) }
            }
        }
    }

    private(set) var opened: [Opened] = []
    private(set) var sealed: [SealedPacket] = []
    /// Called when a packet was opened and nothing of it processed.
    var onOpening: (OpenedPacket) -> Void = { _ in }

    func onSealed(_ packet: SealedPacket) { sealed.append(packet) }

    func onOpened(_ packet: OpenedPacket) {
        onOpening(packet)
        opened.append(Opened(level: packet.level, number: packet.number, payload: [UInt8](packet.payload)))
    }

    func onAddressValidated(_ remote: NetworkAddress, of connection: ConnectionHandle) {}

    /// The types of all frames that came at a level.
    func frameTypes(at level: EncryptionLevel) -> [UInt64] {
        opened.filter { $0.level == level }.flatMap(\.frameTypes)
    }

    /// The packets that acknowledge, ask for no acknowledgement, and so on.
    func opened(at level: EncryptionLevel, with type: UInt64) -> [Opened] {
        opened.filter { $0.level == level && $0.frameTypes.contains(type) }
    }

    /// The CRYPTO bytes of a level, in the order in which they came.
    func cryptoBytes(at level: EncryptionLevel) -> [UInt8] {
        var bytes: [UInt8] = []
        for packet in opened where packet.level == level {
            packet.visitFrames { if case .crypto(let frame) = $0 { bytes += frame.data } }
        }
        return bytes
    }
}

/// The packets of a datagram, as far as their headers are in the clear.
struct VisiblePacket {
    /// Nil for a short header.
    var type: LongPacketType?
    var destination: ConnectionID
    var source: ConnectionID?
    var token: [UInt8] = []
    var version: QUICVersion?

    /// Short headers are taken to carry ids of our own length.
    static func all(in datagram: [UInt8]) -> [VisiblePacket] {
        datagram.withUnsafeBytes { bytes in
            var offset = 0
            var found: [VisiblePacket] = []
            let length = ConnectionIDGenerator.format.length
            while let header = PacketHeader.decode(bytes, at: offset, connectionIDLength: length) {
                offset = header.packetEnd ?? bytes.count
                switch header {
                case .long(let header):
                    found.append(
                        VisiblePacket(
                            type: header.type, destination: header.destinationID, source: header.sourceID,
                            token: Array(bytes[header.tokenRange]), version: header.version))
                case .short(let header):
                    found.append(VisiblePacket(type: nil, destination: header.destinationID))
                case .retry(let packet):
                    found.append(
                        VisiblePacket(
                            type: .retry, destination: packet.destinationID, source: packet.sourceID,
                            token: Array(bytes[packet.tokenRange]), version: packet.version))
                case .versionNegotiation, .unknownVersion: break
                }
            }
            return found
        }
    }
}

/// Packets that anyone can make or read, because their keys follow from what is in the clear.
enum OpenPacket {
    /// The payload of the first packet of a datagram, an Initial packet of a client that made up `destination`.
    static func clientInitial(_ datagram: [UInt8], destination: ConnectionID) -> (
        number: UInt64, payload: [UInt8]
    )? {
        var bytes = datagram
        return bytes.withUnsafeMutableBytes { bytes in
            guard
                case .long(let header)? = PacketHeader.decode(
                    UnsafeRawBufferPointer(bytes), connectionIDLength: 0),
                header.type == .initial
            else { return nil }
            let secrets = InitialSecrets(destinationConnectionID: destination, version: header.version)
            let keys = DirectionKeys(secret: secrets.client, version: header.version)
            let packet = UnsafeMutableRawBufferPointer(rebasing: bytes[..<header.packetEnd])
            let opened = HeaderProtection.remove(
                from: packet, packetNumberOffset: header.packetNumberOffset, largest: nil, using: keys.header)
            let body = UnsafeMutableRawBufferPointer(rebasing: packet[opened.headerCount...])
            let count = keys.packet.open(
                packetNumber: opened.packetNumber,
                header: UnsafeRawBufferPointer(rebasing: packet[..<opened.headerCount]), payload: body)
            return count.map { (opened.packetNumber, Array(body[..<$0])) }
        }
    }

    /// A Retry packet with a good integrity tag.
    static func retry(
        to destination: ConnectionID, from source: ConnectionID, token: [UInt8], original: ConnectionID,
        version: QUICVersion = .v1, fixedBit: Bool = true
    ) -> [UInt8] {
        var packet: [UInt8] = [(fixedBit ? 0xc0 : 0x80) | LongPacketType.retry.bits(in: version) << 4]
        withUnsafeBytes(of: version.rawValue.bigEndian) { packet += $0 }
        packet +=
            [UInt8(destination.length)] + destination.bytes + [UInt8(source.length)] + source.bytes + token
        let tag = packet.withUnsafeBytes {
            RetryIntegrity.tag(packet: $0, originalDestination: original, version: version)
        }
        return packet + tag!
    }

    /// A Version Negotiation packet.
    static func versionNegotiation(
        to destination: ConnectionID, from source: ConnectionID, _ versions: [QUICVersion]
    ) -> [UInt8] {
        var packet: [UInt8] = [0x80, 0, 0, 0, 0]
        packet += [UInt8(destination.length)] + destination.bytes + [UInt8(source.length)] + source.bytes
        for version in versions { withUnsafeBytes(of: version.rawValue.bigEndian) { packet += $0 } }
        return packet
    }
}

extension Endpoint {
    /// Has a datagram arrive and returns what goes out at once.
    func answers(
        to datagram: [UInt8], from remote: NetworkAddress = EndpointPair.clientAddress,
        at local: NetworkAddress = EndpointPair.serverAddress, now: Instant
    ) -> [[UInt8]] {
        var bytes = datagram
        bytes.withUnsafeMutableBytes {
            receive($0, segmentSize: max(1, $0.count), from: remote, to: local, ecn: .notECT, now: now)
        }
        var buffer = [UInt8](repeating: 0, count: 65536)
        var answers: [[UInt8]] = []
        while let sent = buffer.withUnsafeMutableBytes({ transmit(into: $0, now: now) }) {
            answers.append(Array(buffer[..<sent.count]))
        }
        return answers
    }
}
