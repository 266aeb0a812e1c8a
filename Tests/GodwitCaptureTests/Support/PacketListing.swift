import GodwitWire

/// Packets as the listing has them that came with the captures.
enum PacketListing {
    static func line(_ packet: OpenedPacket) throws -> String {
        var frames: [String] = []
        try packet.forEachFrame { frames.append(text($0)) }
        return header(packet) + " :: " + frames.joined(separator: " | ")
    }

    private static func header(_ packet: OpenedPacket) -> String {
        let name =
            switch packet.level {
            case .initial: "Initial"
            case .earlyData: "0-RTT"
            case .handshake: "Handshake"
            case .oneRTT: "1-RTT"
            }
        var words = "\(name) pn=\(packet.number)"
        if packet.level != .oneRTT { words += " ver=0x" + String(packet.version.rawValue, radix: 16) }
        words += " dcid=\(packet.destinationID)"
        return packet.level == .oneRTT ? words : words + " scid=\(packet.sourceID)"
    }

    static func text(_ frame: CapturedFrame) -> String {
        switch frame.content {
        case .migration(let migration): text(migration)
        case .plain(let plain): text(plain, type: frame.type)
        }
    }

    private static func text(_ frame: Frame, type: UInt64) -> String {
        switch frame {
        case .padding(let count): "PADDING x\(count)"
        case .ping: "PING"
        case .handshakeDone: "HANDSHAKE_DONE"
        case .ack(let ack): "ACK \(ranges(ack)) delay=\(ack.encodedDelay)"
        case .crypto(let crypto): "CRYPTO off=\(crypto.offset) len=\(crypto.data.count)"
        case .stream(let stream): text(stream, hasLength: type & FrameType.streamLengthBit != 0)
        case .newConnectionID(let new):
            "NEW_CONNECTION_ID seq=\(new.sequenceNumber) rpt=\(new.retirePriorTo) cid=\(new.id)"
        case .retireConnectionID(let number): "RETIRE_CONNECTION_ID seq=\(number)"
        case .pathChallenge(let data): "PATH_CHALLENGE " + Hexadecimal.encode(data.bytes)
        case .pathResponse(let data): "PATH_RESPONSE " + Hexadecimal.encode(data.bytes)
        default: "type 0x" + String(type, radix: 16)
        }
    }

    private static func ranges(_ ack: AckFrame) -> String {
        ack.ranges.map { $0.count == 1 ? "\($0.largest)" : "\($0.smallest)-\($0.largest)" }
            .joined(separator: ",")
    }

    private static func text(_ stream: StreamFrame, hasLength: Bool) -> String {
        "STREAM id=\(stream.id) off=\(stream.offset) len=\(stream.data.count)" + (stream.fin ? " FIN" : "")
            + (hasLength ? "" : " (no len)")
    }

    /// With the bytes that we write for it.
    private static func text(_ frame: MigrationFrame) -> String {
        let raw = " raw=" + Hexadecimal.encode(frame.encoded)
        return switch frame {
        case .serverMigration(let address): "SERVER_MIGRATION(0x32) " + text(address) + raw
        case .poolMigrationAddress(let address): "POOL_MIGRATION_ADDRESS(0x34) " + text(address) + raw
        case .serverMigrated: "SERVER_MIGRATED(0x33)" + raw
        case .alternativeAddress(let alternative): text(alternative) + raw
        }
    }

    private static func text(_ frame: AlternativeAddressFrame) -> String {
        "ALTERNATIVE_V\(frame.address.isIPv4 ? 4 : 6)_ADDRESS(0x\(String(frame.type, radix: 16)))"
            + " \(frame.address) seq=\(frame.sequenceNumber)" + (frame.isPreferred ? " preferred" : "")
            + (frame.isRetired ? " retire" : "")
    }

    private static func text(_ address: MigrationAddress) -> String {
        let ipv4 = address.ipv4?.description ?? "0.0.0.0:0"
        return ipv4 + " " + (address.ipv6?.description ?? "[::]:0")
    }
}

extension MigrationFrame {
    var encoded: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: encodedSize) { buffer, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(buffer))
            encode(into: &writer)
            count = writer.count
        }
    }
}

extension UInt64 {
    /// Most significant first.
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
