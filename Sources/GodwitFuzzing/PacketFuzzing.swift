import GodwitWire

/// The headers of a datagram's packets: the first byte says how long the receiver's connection ids are.
enum PacketFuzzing {
    static func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        let datagram = UnsafeRawBufferPointer(rebasing: input[1...])
        var packets = CoalescedPackets(datagram, connectionIDLength: Int(first) % 21)
        var end = 0
        while let header = packets.next() {
            let next = header.packetEnd ?? datagram.count
            require(
                next > end && next <= datagram.count, "a packet lies behind the one before, in its datagram")
            end = next
            check(header, datagram)
        }
        _ = InvariantLongHeader.decode(datagram)
        _ = StatelessReset.token(of: datagram)
        checkPacketNumbers(datagram)
    }

    private static func check(_ header: PacketHeader, _ datagram: UnsafeRawBufferPointer) {
        switch header {
        case .long(let header):
            require(
                header.packetNumberOffset <= header.packetEnd,
                "a packet number does not begin behind its packet")
            require(
                !header.hasSample || header.packetNumberOffset + 20 <= datagram.count,
                "a sample is in its packet")
            _ = datagram[header.tokenRange]
        case .short(let header):
            require(
                !header.hasSample || header.packetNumberOffset + 20 <= datagram.count,
                "a sample is in its packet")
        case .retry(let packet): _ = (datagram[packet.tagRange], datagram[packet.rangeWithoutTag])
        case .versionNegotiation(let packet):
            require(packet.versions.allSatisfy(packet.offers), "what is listed is offered")
        case .unknownVersion: break
        }
    }

    /// What is shortened comes back (RFC 9000 appendix A), and what comes back from noise is a packet number.
    private static func checkPacketNumbers(_ bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        guard let largest = reader.readVarint(), let truncated = reader.readInteger(UInt32.self) else {
            return
        }
        for length in 1...4 {
            let bits = truncated & UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(8 * length)) - 1)
            let number = PacketNumber.expand(bits, length: length, largest: largest)
            require(number <= PacketNumber.max, "a packet number is at most 2^62 - 1")
            require(
                UInt32(truncatingIfNeeded: number) & bits == bits, "an expanded number ends in what was sent")
        }
    }

    static var seeds: [[UInt8]] {
        let id = ConnectionID([1, 2, 3, 4, 5, 6, 7, 8])!
        let lone = [initial(id, .v1), initial(id, .v2), initial(id, .v1) + short(id), retry(id), short(id)]
        return (lone + [negotiation(id)]).map { [8] + $0 }
    }

    private static func initial(_ id: ConnectionID, _ version: QUICVersion) -> [UInt8] {
        written { writer in
            let layout = LongHeader.encode(
                .initial, version: version, destinationID: id, sourceID: .empty, token: [7, 7],
                packetNumber: 1,
                packetNumberLength: 2, into: &writer)
            writer.writeZeros(40)
            layout.fillInLength(in: writer, tagLength: 0)
        }
    }

    private static func short(_ id: ConnectionID) -> [UInt8] {
        written { writer in
            _ = ShortHeader.encode(
                destinationID: id, spinBit: true, keyPhase: false, packetNumber: 9, packetNumberLength: 1,
                into: &writer)
            writer.writeZeros(30)
        }
    }

    private static func retry(_ id: ConnectionID) -> [UInt8] {
        written { writer in
            RetryPacket.encode(
                version: .v1, destinationID: id, sourceID: id, token: [1, 2, 3], random: 5, into: &writer)
            writer.writeZeros(RetryPacket.tagLength)
        }
    }

    private static func negotiation(_ id: ConnectionID) -> [UInt8] {
        let first = initial(id, .reserved(random: 3))
        return first.withUnsafeBytes { bytes in
            guard let header = InvariantLongHeader.decode(bytes) else { return [] }
            return written {
                VersionNegotiationPacket.encode(
                    answering: header, versions: [.v1, .v2], random: 1, into: &$0)
            }
        }
    }
}

/// What `body` writes.
func written(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 1) { buffer in
        var writer = ByteWriter(buffer)
        body(&writer)
        return [UInt8](writer.written)
    }
}
