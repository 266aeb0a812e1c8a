import GodwitWire

/// What there is to compare of a header that holds views.
enum PacketSummary: Equatable {
    case long(LongHeader)
    case short(ShortHeader)
    case retry(RetryPacket)
    case versionNegotiation(destination: [UInt8], source: [UInt8], versions: [QUICVersion])
    case unknownVersion(QUICVersion, destination: [UInt8], source: [UInt8])

    init(_ header: PacketHeader) {
        switch header {
        case .long(let header): self = .long(header)
        case .short(let header): self = .short(header)
        case .retry(let packet): self = .retry(packet)
        case .versionNegotiation(let packet):
            self = .versionNegotiation(
                destination: [UInt8](packet.destinationID), source: [UInt8](packet.sourceID),
                versions: packet.versions)
        case .unknownVersion(let header):
            self = .unknownVersion(
                header.version, destination: [UInt8](header.destinationID), source: [UInt8](header.sourceID))
        }
    }
}

/// All packets of a datagram.
func packets(of datagram: [UInt8], connectionIDLength: Int = 8) -> [PacketSummary] {
    datagram.withUnsafeBytes { view in
        var packets = CoalescedPackets(view, connectionIDLength: connectionIDLength)
        var found: [PacketSummary] = []
        while let header = packets.next() { found.append(PacketSummary(header)) }
        return found
    }
}

/// The header of a datagram's first packet.
func header(of datagram: [UInt8], connectionIDLength: Int = 8) -> PacketSummary? {
    datagram.withUnsafeBytes {
        PacketHeader.decode($0, connectionIDLength: connectionIDLength).map(PacketSummary.init)
    }
}

func longHeader(of datagram: [UInt8]) -> LongHeader? {
    guard case .long(let header) = header(of: datagram) else { return nil }
    return header
}

/// A packet with a long header, `payload` bytes behind its packet number of two bytes.
func longPacket(
    _ type: LongPacketType, version: QUICVersion = .v1,
    to destination: ConnectionID = ConnectionID(hex("aabbccdd"))!,
    from source: ConnectionID = ConnectionID(hex("11"))!, token: [UInt8] = [], payload: Int = 40
) -> [UInt8] {
    written { writer in
        let layout = LongHeader.encode(
            type, version: version, destinationID: destination, sourceID: source, token: token,
            packetNumber: 5,
            packetNumberLength: 2, into: &writer)
        for _ in 0..<payload { writer.writeUInt8(0xee) }
        layout.fillInLength(in: writer, tagLength: 0)
    }
}
