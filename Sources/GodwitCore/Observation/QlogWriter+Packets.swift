import GodwitCrypto
import GodwitWire

/// A packet without its protection, on its way out or in.
struct QlogPacket {
    var level: EncryptionLevel
    var number: UInt64
    /// From the first byte to the packet number.
    var header: UnsafeRawBufferPointer
    var payload: UnsafeRawBufferPointer
    var path: PathID
    /// Of the sender.
    var ackDelayExponent: UInt64
    var isMTUProbe = false
}

// Packets as qlog has them.
extension QlogWriter {
    func writeSent(_ packet: QlogPacket) { write(.packetSent, packet) }
    func writeReceived(_ packet: QlogPacket) { write(.packetReceived, packet) }

    private func write(_ event: QlogEventName, _ packet: QlogPacket) {
        let exponent = packet.level.space == .application ? packet.ackDelayExponent : 3
        write(event, tuple: packet.path) { data in
            data.object("header") { Self.write(packet, &$0) }
            data.array("frames") { Self.writeFrames(of: packet.payload, ackDelayExponent: exponent, &$0) }
            data.object("raw") {
                $0.field("length", packet.header.count + packet.payload.count + CipherSuite.tagLength)
                $0.field("payload_length", packet.payload.count)
            }
            if packet.isMTUProbe { data.field("is_mtu_probe_packet", true) }
        }
    }

    private static func write(_ packet: QlogPacket, _ record: inout JSONRecord) {
        guard let first = packet.header.first else { return }
        let firstByte = FirstByte(rawValue: first)
        writeIdentity(packet.level, packet.number, &record)
        record.field("packet_number_length", firstByte.packetNumberLength)
        guard packet.level == .oneRTT else {
            return writeLong(packet, numberLength: firstByte.packetNumberLength, &record)
        }
        record.field("spin_bit", firstByte.spinBit)
        record.field("key_phase_bit", firstByte.keyPhase)
        record.field("dcid", hex: packet.header.dropFirst().dropLast(firstByte.packetNumberLength))
    }

    private static func writeIdentity(_ level: EncryptionLevel, _ number: UInt64, _ record: inout JSONRecord)
    {
        record.field("packet_type", level.qlogPacketType)
        record.field("packet_number", number)
    }

    private static func writeLong(_ packet: QlogPacket, numberLength: Int, _ record: inout JSONRecord) {
        guard let header = InvariantLongHeader.decode(packet.header) else { return }
        record.field("length", numberLength + packet.payload.count + CipherSuite.tagLength)
        write(header, &record)
        guard packet.level == .initial else { return }
        var rest = ByteReader(packet.header)
        _ = rest.skip(7 + header.destinationID.count + header.sourceID.count)
        guard let count = rest.readVarint(), count > 0 else { return }
        record.object("token") { $0.object("raw") { $0.field("length", count) } }
    }

    private static func write(_ header: InvariantLongHeader, _ record: inout JSONRecord) {
        record.field("version", hex: header.version.qlogBytes)
        record.field("scil", header.sourceID.count)
        record.field("dcil", header.destinationID.count)
        record.field("scid", hex: header.sourceID)
        record.field("dcid", hex: header.destinationID)
    }

    // MARK: Packets without a number

    /// At a client: a Retry that it follows.
    func writeRetry(_ packet: RetryPacket, size: Int) {
        write(.packetReceived) { data in
            data.object("header") { header in
                header.field("packet_type", "retry")
                header.field("version", hex: packet.version.qlogBytes)
                header.field("scid", hex: packet.sourceID.bytes)
                header.field("dcid", hex: packet.destinationID.bytes)
                header.object("token") { token in
                    token.field("type", "retry")
                    token.object("raw") { $0.field("length", packet.tokenRange.count) }
                }
            }
            data.object("raw") { $0.field("length", size) }
        }
    }

    /// At a client: a Version Negotiation packet that answers it.
    func writeVersionNegotiation(_ packet: VersionNegotiationPacket) {
        write(.packetReceived) { data in
            data.object("header") {
                $0.field("packet_type", "version_negotiation")
                $0.field("scid", hex: packet.sourceID)
                $0.field("dcid", hex: packet.destinationID)
            }
            data.array("supported_versions") { list in
                for version in packet.versions { list.element(hex: version.qlogBytes) }
            }
        }
    }

    func writeDropped(_ reason: PacketDrop, level: EncryptionLevel?, size: Int?) {
        write(.packetDropped) { data in
            if let level { data.object("header") { $0.field("packet_type", level.qlogPacketType) } }
            if let size { data.object("raw") { $0.field("length", size) } }
            data.field("trigger", reason.text)
        }
    }

    func writeLost(_ packet: SettledPacket, level: EncryptionLevel, trigger: StaticString?) {
        write(.packetLost, tuple: packet.packet.path) { data in
            data.object("header") { Self.writeIdentity(level, packet.number, &$0) }
            if packet.packet.isMTUProbe { data.field("is_mtu_probe_packet", true) }
            if let trigger { data.field("trigger", trigger) }
        }
    }
}

extension EncryptionLevel {
    var qlogPacketType: StaticString {
        switch self {
        case .initial: "initial"
        case .earlyData: "0RTT"
        case .handshake: "handshake"
        case .oneRTT: "1RTT"
        }
    }
}

extension QUICVersion {
    var qlogBytes: [UInt8] { withUnsafeBytes(of: rawValue.bigEndian) { [UInt8]($0) } }
}
