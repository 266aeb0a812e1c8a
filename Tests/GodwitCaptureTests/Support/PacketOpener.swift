import GodwitCrypto
import GodwitWire

/// Takes the protection off the packets of a captured run, and puts it on again.
struct PacketOpener {
    private struct Direction: Hashable {
        var sender: Role
        var level: EncryptionLevel
    }

    private final class Keys {
        let packet: PacketKey
        let header: HeaderProtectionKey

        init(_ secret: TrafficSecret, _ version: QUICVersion) {
            packet = PacketKey(secret: secret, version: version)
            header = HeaderProtectionKey(secret: secret, version: version)
        }
    }

    /// Why a packet can't be opened.
    enum Failure: Error {
        case noKeys
        case malformed
        case notAuthentic
    }

    private let secrets: [String: [UInt8]]
    private var version: QUICVersion?
    private var keys: [Direction: Keys] = [:]
    private var largest: [Direction: UInt64] = [:]

    init(_ run: CapturedRun) { secrets = run.secrets }

    /// Every packet of a run.
    static func open(_ run: CapturedRun) throws -> [OpenedPacket] {
        var opener = PacketOpener(run)
        return try run.datagrams.filter(\.isQUIC).flatMap { try opener.open($0) }
    }

    /// The packets of a datagram.
    mutating func open(_ datagram: CapturedRun.Datagram) throws -> [OpenedPacket] {
        var (bytes, packets) = (datagram.bytes, [OpenedPacket]())
        try bytes.withUnsafeMutableBytes { view in
            var headers = CoalescedPackets(
                UnsafeRawBufferPointer(view), connectionIDLength: CapturedRun.connectionIDLength)
            while let header = headers.next() { packets.append(try open(header, in: view, of: datagram)) }
        }
        return packets
    }

    private mutating func open(
        _ header: PacketHeader, in datagram: UnsafeMutableRawBufferPointer,
        of captured: CapturedRun.Datagram
    ) throws -> OpenedPacket {
        if case .long(let long) = header, version == nil { learnKeys(from: long) }
        guard let place = PacketPlace(header), place.end - place.numberOffset >= 20, let version else {
            throw Failure.malformed
        }
        let direction = Direction(sender: captured.sender, level: place.level)
        guard let keys = keys[direction] else { throw Failure.noKeys }
        let packet = UnsafeMutableRawBufferPointer(rebasing: datagram[place.offset..<place.end])
        let protected = Array(packet)
        let (number, headerCount) = layOpen(packet, place, keys.header, direction)
        let payload = try decrypt(packet, number, headerCount, keys.packet)
        largest[direction] = max(largest[direction] ?? 0, number)
        return OpenedPacket(
            time: captured.time, source: captured.source, destination: captured.destination,
            sender: captured.sender, level: place.level, version: version, number: number,
            destinationID: place.destinationID, sourceID: place.sourceID,
            header: Array(packet[..<headerCount]), payload: payload, protected: protected)
    }

    private func decrypt(
        _ packet: UnsafeMutableRawBufferPointer, _ number: UInt64, _ headerCount: Int, _ key: PacketKey
    ) throws -> [UInt8] {
        let payload = UnsafeMutableRawBufferPointer(rebasing: packet[headerCount...])
        let count = key.open(
            packetNumber: number, header: UnsafeRawBufferPointer(rebasing: packet[..<headerCount]),
            payload: payload)
        guard let count else { throw Failure.notAuthentic }
        return Array(payload.prefix(count))
    }

    /// Removes header protection (RFC 9001 section 5.4.1).
    private func layOpen(
        _ packet: UnsafeMutableRawBufferPointer, _ place: PacketPlace, _ key: HeaderProtectionKey,
        _ direction: Direction
    ) -> (number: UInt64, headerCount: Int) {
        let offset = place.numberOffset - place.offset
        let mask = key.mask(UnsafeRawBufferPointer(rebasing: packet[offset + 4..<offset + 20]))
        packet[0] ^= mask.firstByte & FirstByte(rawValue: packet[0]).protectedBits
        let length = FirstByte(rawValue: packet[0]).packetNumberLength
        for index in 0..<length { packet[offset + index] ^= mask.packetNumberByte(index) }
        let truncated = packet[offset..<offset + length].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let number = PacketNumber.expand(truncated, length: length, largest: largest[direction])
        return (number, offset + length)
    }

    private mutating func learnKeys(from header: LongHeader) {
        version = header.version
        let initial = InitialSecrets(
            destinationConnectionID: header.destinationID, version: header.version)
        keys[Direction(sender: .client, level: .initial)] = Keys(initial.client, header.version)
        keys[Direction(sender: .server, level: .initial)] = Keys(initial.server, header.version)
        for (label, direction) in Self.labels {
            guard let bytes = secrets[label] else { continue }
            keys[direction] = Keys(TrafficSecret(suite: .aes128GCM, bytes: bytes), header.version)
        }
    }

    private static let labels = [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET": Direction(sender: .client, level: .handshake),
        "SERVER_HANDSHAKE_TRAFFIC_SECRET": Direction(sender: .server, level: .handshake),
        "CLIENT_TRAFFIC_SECRET_0": Direction(sender: .client, level: .oneRTT),
        "SERVER_TRAFFIC_SECRET_0": Direction(sender: .server, level: .oneRTT),
    ]

    // MARK: The way back

    /// Protects a packet, or other frames in its stead under the same header.
    func seal(_ packet: OpenedPacket, payload: [UInt8]? = nil) throws -> [UInt8] {
        guard let keys = keys[Direction(sender: packet.sender, level: packet.level)] else {
            throw Failure.noKeys
        }
        let (header, payload) = (packet.header, payload ?? packet.payload)
        var bytes = header + payload + [UInt8](repeating: 0, count: CipherSuite.tagLength)
        bytes.withUnsafeMutableBytes { view in
            keys.packet.seal(
                packetNumber: packet.number,
                header: UnsafeRawBufferPointer(rebasing: view[..<header.count]),
                payload: UnsafeMutableRawBufferPointer(rebasing: view[header.count...]))
            let length = packet.firstByte.packetNumberLength
            let offset = header.count - length
            let mask = keys.header.mask(UnsafeRawBufferPointer(rebasing: view[offset + 4..<offset + 20]))
            view[0] ^= mask.firstByte & FirstByte(rawValue: view[0]).protectedBits
            for index in 0..<length { view[offset + index] ^= mask.packetNumberByte(index) }
        }
        return bytes
    }
}

/// Where a packet is in its datagram, and what its header says in the open.
private struct PacketPlace {
    var level: EncryptionLevel
    var destinationID: ConnectionID
    var sourceID: ConnectionID
    var offset: Int
    var numberOffset: Int
    var end: Int

    /// Nil for packets that have no packet number.
    init?(_ header: PacketHeader) {
        switch header {
        case .long(let long): self.init(long)
        case .short(let short): self.init(short)
        case .retry, .versionNegotiation, .unknownVersion: return nil
        }
    }

    init(_ header: LongHeader) {
        level = header.type.level ?? .initial
        (destinationID, sourceID) = (header.destinationID, header.sourceID)
        (offset, numberOffset, end) = (header.packetOffset, header.packetNumberOffset, header.packetEnd)
    }

    init(_ header: ShortHeader) {
        level = .oneRTT
        (destinationID, sourceID) = (header.destinationID, .empty)
        (offset, numberOffset, end) = (header.packetOffset, header.packetNumberOffset, header.packetEnd)
    }
}
