import GodwitWire

/// Random frames of every kind.
///
/// Frames are views; the bytes that these look at live as long as the examples do.
struct FrameExamples {
    var generator: SeededGenerator
    private let bytes = FrameBytes()

    init(generator: SeededGenerator) { self.generator = generator }

    static let kinds = 23

    /// A frame of kind `kind`, 0 to 22.
    mutating func frame(kind: Int) -> Frame {
        switch kind {
        case 0: .padding(count: 1 + generator.below(40))
        case 1: .ping
        case 2: .handshakeDone
        case 3: .crypto(CryptoFrame(offset: offset(), data: view(upTo: 80)))
        case 4: .newToken(view(generator.bytes(1 + generator.below(80))))
        case 5: .stream(StreamFrame(id: streamID(), offset: offset(), data: view(upTo: 80), fin: coin()))
        case 6: .stream(StreamFrame(id: streamID(), offset: 0, data: view(upTo: 2), fin: coin()))
        case 7: .datagram(view(upTo: 80))
        case 8: .resetStream(ResetStreamFrame(id: streamID(), errorCode: varint(), finalSize: varint()))
        case 9: .stopSending(StopSendingFrame(id: streamID(), errorCode: varint()))
        case 10: .pathChallenge(generator.next())
        case 11: .pathResponse(generator.next())
        case 12: .connectionClose(close(isApplication: false))
        case 13: .connectionClose(close(isApplication: true))
        case 14: .newConnectionID(newConnectionID())
        default: integerFrame(kind: kind)
        }
    }

    private mutating func integerFrame(kind: Int) -> Frame {
        switch kind {
        case 15: .maxData(varint())
        case 16: .maxStreamData(streamID(), maximum: varint())
        case 17: .maxStreams(direction(), maximum: min(varint(), StreamID.maxCount))
        case 18: .dataBlocked(limit: varint())
        case 19: .streamDataBlocked(streamID(), limit: varint())
        case 20: .streamsBlocked(direction(), limit: min(varint(), StreamID.maxCount))
        case 21: .retireConnectionID(sequenceNumber: varint())
        default: .maxStreams(direction(), maximum: StreamID.maxCount)
        }
    }

    /// Ranges of packet numbers, newest first, with at least one number between any two.
    mutating func ranges(upTo count: Int) -> [ClosedRange<UInt64>] {
        var ranges: [ClosedRange<UInt64>] = []
        var bound = varint()
        while ranges.count < count {
            let length = min(generator.varint(), bound)
            ranges.append(bound - length...bound)
            let gap = 2 + min(generator.varint(), 1 << 40)
            guard bound - length >= gap else { break }
            bound -= length + gap
        }
        return ranges
    }

    mutating func ecnCounts() -> ECNCounts? {
        coin() ? ECNCounts(ect0: varint(), ect1: varint(), congestionExperienced: varint()) : nil
    }

    private mutating func close(isApplication: Bool) -> ConnectionCloseFrame {
        ConnectionCloseFrame(
            isApplication: isApplication, errorCode: varint(), frameType: isApplication ? 0 : varint(),
            reason: view(upTo: 80))
    }

    private mutating func newConnectionID() -> NewConnectionIDFrame {
        let number = varint()
        return NewConnectionIDFrame(
            sequenceNumber: number, retirePriorTo: min(varint(), number),
            id: generator.connectionID(lengths: 1...20), resetToken: generator.resetToken())
    }

    mutating func varint() -> UInt64 { generator.varint() }
    private mutating func coin() -> Bool { Bool.random(using: &generator) }
    private mutating func streamID() -> StreamID { StreamID(rawValue: varint()) }
    private mutating func direction() -> StreamID.Direction { coin() ? .bidirectional : .unidirectional }
    private mutating func offset() -> UInt64 { min(varint(), VariableLengthInteger.max - 80) }
    private mutating func view(upTo count: Int) -> UnsafeRawBufferPointer {
        view(generator.bytes(upTo: count))
    }

    func view(_ bytes: [UInt8]) -> UnsafeRawBufferPointer { self.bytes.keep(bytes) }
}

/// Keeps bytes in their place.
private final class FrameBytes {
    private var kept: [UnsafeMutableRawBufferPointer] = []

    func keep(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        kept.append(copy)
        return UnsafeRawBufferPointer(copy)
    }

    deinit { for bytes in kept { bytes.deallocate() } }
}
