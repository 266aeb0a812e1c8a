import GodwitWire

/// The bytes that go over a stream of a ``MoveRun``: known at every offset, and others at another.
struct MovePattern {
    /// A request says in its first bytes how long the answer is to be.
    static let headerSize = 8
    /// What a request without an end asks for.
    static let endlessSize: UInt64 = 1 << 40
    /// How much bulk is offered at once. Mostly there is room for what a packet or two have made room for.
    static let portion: UInt64 = 2048

    private let pattern: PayloadPattern

    init(_ stream: StreamID, sender: Role) {
        pattern = PayloadPattern(StreamDirection(connection: 0, stream: stream.rawValue, sender: sender))
    }

    func bytes(from offset: UInt64, count: Int) -> [UInt8] { pattern.bytes(offset..<offset + UInt64(count)) }

    static func header(answerSize: UInt64) -> [UInt8] {
        withUnsafeBytes(of: answerSize.bigEndian) { [UInt8]($0) }
    }

    /// Whether the bytes are those of the stream from `offset` on.
    func fits(_ view: UnsafeRawBufferPointer, from offset: UInt64) -> Bool {
        pattern.firstMismatch(in: view, from: offset) == nil
    }
}
