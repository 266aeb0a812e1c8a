import GodwitWire

/// The frames of a packet, of any level. What is accepted is written back and read again as the same.
enum FrameFuzzing {
    static func run(_ input: UnsafeRawBufferPointer) {
        decodeAll(input)
        for level in EncryptionLevel.allCases { decodeAll(input, at: level) }
    }

    private static func decodeAll(_ input: UnsafeRawBufferPointer) {
        var reader = ByteReader(input)
        while !reader.isAtEnd {
            let before = reader.remaining
            guard let frame = try? Frame.decode(&reader) else { return }
            require(reader.remaining < before, "a frame has a byte or more")
            check(frame)
        }
    }

    private static func decodeAll(_ input: UnsafeRawBufferPointer, at level: EncryptionLevel) {
        var reader = ByteReader(input)
        while !reader.isAtEnd {
            guard let frame = try? Frame.decode(&reader, at: level) else { return }
            require(frame.isAllowed(at: level), "a frame that is accepted has a place in its packet")
        }
    }

    private static func check(_ frame: Frame) {
        if case .ack(let ack) = frame { check(ack) }
        withUnsafeTemporaryAllocation(byteCount: frame.encodedSize, alignment: 1) { buffer in
            var writer = ByteWriter(buffer)
            frame.encode(into: &writer)
            require(writer.remaining == 0, "a frame takes what it says it takes")
            var reader = ByteReader(UnsafeRawBufferPointer(writer.written))
            let again = try? Frame.decode(&reader)
            require(again.map { $0 == frame } ?? false, "a frame is read as it was written")
        }
    }

    private static func check(_ ack: AckFrame) {
        var bound = UInt64.max
        for range in ack.ranges {
            require(
                range.smallest <= range.largest && range.largest < bound, "ranges go down and do not overlap")
            bound = range.smallest
        }
        _ = ack.delay(exponent: 20)
    }

    static var seeds: [[UInt8]] { samples(at: .oneRTT) + samples(at: .initial) }

    /// A packet's worth of frames of every kind that the level allows, and each alone.
    static func samples(at level: EncryptionLevel) -> [[UInt8]] {
        [UInt8](repeating: 0xab, count: 20).withUnsafeBytes { data in
            let frames = frames(data).filter { $0.isAllowed(at: level) }.map(encoded) + acks
            return frames + [Array(frames.joined())]
        }
    }

    private static func encoded(_ frame: Frame) -> [UInt8] { written { frame.encode(into: &$0) } }

    /// ACK frames have no initializer from ranges: they are views of what was received.
    private static let acks: [[UInt8]] = [
        [0x02, 0x00, 0x00, 0x00, 0x00],
        [0x02, 0x05, 0x40, 0x64, 0x01, 0x01, 0x00, 0x00],
        [0x03, 0x03, 0x01, 0x00, 0x03, 0x04, 0x00, 0x00],
    ]

    private static func frames(_ data: UnsafeRawBufferPointer) -> [Frame] {
        let stream = StreamID(rawValue: 0)
        let theirs = StreamID(rawValue: 3)
        let id = ConnectionID([9, 8, 7, 6, 5, 4, 3, 2])!
        return [
            .padding(count: 3), .ping, .handshakeDone, .crypto(CryptoFrame(offset: 0, data: data)),
            .newToken(data), .stream(StreamFrame(id: stream, offset: 0, data: data, fin: false)),
            .stream(StreamFrame(id: StreamID(rawValue: 2), offset: 7, data: data, fin: true)),
            .stream(StreamFrame(id: theirs, offset: 0, data: data, fin: true)), .datagram(data),
            .resetStream(ResetStreamFrame(id: stream, errorCode: 1, finalSize: 20)),
            .stopSending(StopSendingFrame(id: stream, errorCode: 2)),
            .maxData(1 << 20), .maxStreamData(stream, maximum: 1 << 20),
            .maxStreams(.bidirectional, maximum: 200), .maxStreams(.unidirectional, maximum: 200),
            .dataBlocked(limit: 1000), .streamDataBlocked(stream, limit: 1000),
            .streamsBlocked(.bidirectional, limit: 100),
            .newConnectionID(
                NewConnectionIDFrame(
                    sequenceNumber: 2, retirePriorTo: 1, id: id,
                    resetToken: StatelessResetToken(high: 1, low: 2))),
            .retireConnectionID(sequenceNumber: 0), .pathChallenge(77), .pathResponse(77),
            .connectionClose(
                ConnectionCloseFrame(isApplication: false, errorCode: 10, frameType: 8, reason: data)),
            .connectionClose(
                ConnectionCloseFrame(isApplication: true, errorCode: 3, frameType: 0, reason: data)),
        ]
    }
}
