import GodwitWire

/// A packet of a captured run without its protection.
struct OpenedPacket {
    /// Of the datagram that it came in.
    var time: Instant
    var source: NetworkAddress
    var destination: NetworkAddress
    var sender: Role

    var level: EncryptionLevel
    var version: QUICVersion
    var number: UInt64
    var destinationID: ConnectionID
    /// Empty for a 1-RTT packet, which doesn't say.
    var sourceID: ConnectionID
    /// Up to and with the packet number.
    var header: [UInt8]
    var payload: [UInt8]
    /// As it was captured.
    var protected: [UInt8]
}

extension OpenedPacket {
    var firstByte: FirstByte { FirstByte(rawValue: header[0]) }

    /// Hands out the frames one after the other. Views into the packet are good until `body` returns.
    func forEachFrame(_ body: (CapturedFrame) throws -> Void) throws {
        try payload.withUnsafeBytes { view in
            var reader = ByteReader(view)
            while !reader.isAtEnd {
                let start = view.count - reader.remaining
                let type = try FrameType.decode(&reader)
                let content = try CapturedFrame.Content.decode(type: type, from: &reader)
                let bytes = Array(view[start..<view.count - reader.remaining])
                try body(CapturedFrame(type: type, content: content, bytes: bytes))
            }
        }
    }

    /// The frames with which a server moves.
    func migrationFrames() throws -> [MigrationFrame] {
        var frames: [MigrationFrame] = []
        try forEachFrame { if case .migration(let frame) = $0.content { frames.append(frame) } }
        return frames
    }

    /// Whether it is no probing packet (RFC 9000 section 9.1).
    func isNonProbing() throws -> Bool {
        var isNonProbing = false
        try forEachFrame { if !FrameType.isProbing($0.type) { isNonProbing = true } }
        return isNonProbing
    }
}

/// A frame, and the bytes that it was decoded from.
struct CapturedFrame {
    enum Content {
        case plain(Frame)
        case migration(MigrationFrame)

        static func decode(type: UInt64, from reader: inout ByteReader) throws -> Content {
            if MigrationFrameType.isKnown(type) {
                return .migration(try MigrationFrame.decode(type: type, from: &reader))
            }
            return .plain(try Frame.decode(type: type, from: &reader))
        }
    }

    var type: UInt64
    var content: Content
    var bytes: [UInt8]
}
