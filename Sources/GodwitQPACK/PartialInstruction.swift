/// What came on a stream of instructions and ends within one.
struct PartialInstruction: Sendable, Codable {
    private var bytes: [UInt8] = []

    var isEmpty: Bool { bytes.isEmpty }

    /// Hands out what is kept, with `more` behind it, and keeps nothing.
    mutating func take(appending more: UnsafeRawBufferPointer) -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        taken.append(contentsOf: more)
        return taken
    }

    /// Keeps what is behind the `count` bytes that were used of what was taken. Nothing is copied while an
    /// instruction grows byte by byte.
    mutating func keep(_ taken: consuming [UInt8], used count: Int) {
        bytes = taken
        if count > 0 { bytes.removeFirst(count) }
    }

    /// Keeps `rest`, the beginning of an instruction.
    mutating func keep(_ rest: Slice<UnsafeRawBufferPointer>) { bytes.append(contentsOf: rest) }
}
