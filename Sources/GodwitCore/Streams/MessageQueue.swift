/// A queue of messages whose bytes lie in one ring, each in one piece: steady traffic allocates nothing.
struct MessageQueue: Sendable {
    private struct Message: Sendable {
        var offset: UInt64
        var count: Int
    }

    private var ring = ByteRing()
    private var messages = IndexedRing<Message>()
    private(set) var byteCount = 0

    var count: Int { messages.count }
    var isEmpty: Bool { messages.isEmpty }
    /// The number of the first message.
    var firstNumber: UInt64 { messages.startIndex }
    var firstCount: Int? { messages.first?.count }

    private var start: UInt64 { messages.first?.offset ?? end }
    private var end: UInt64 = 0

    /// Appends a message and returns its number: 0, 1, 2 … for the life of the queue.
    @discardableResult
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var offset = place(bytes.count)
        while offset + UInt64(bytes.count) - start > UInt64(ring.capacity) {
            ring.reserve(Int(offset - start) + bytes.count, keeping: start..<end, and: OffsetRanges())
            offset = place(bytes.count)
        }
        ring.write(bytes, at: offset)
        end = offset + UInt64(bytes.count)
        byteCount += bytes.count
        return messages.append(Message(offset: offset, count: bytes.count))
    }

    /// Where a message goes: behind the last one, or at the start of the ring if it would wrap. What does not
    /// wrap in a ring does not wrap in a larger one either.
    private func place(_ count: Int) -> UInt64 {
        let capacity = UInt64(max(ring.capacity, 1))
        let rest = capacity - end % capacity
        return UInt64(count) <= rest ? end : end + rest
    }

    /// Shows the first message in one piece.
    func withFirst<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        let message = messages[messages.startIndex]
        return ring.withView(of: message.offset..<message.offset + UInt64(message.count), body)
    }

    mutating func removeFirst() {
        byteCount -= messages.removeFirst().count
        if messages.isEmpty { ring.noteDrained() }
    }

    mutating func releaseSpareMemory() {
        guard isEmpty else { return }
        ring.releaseStorage()
        messages = IndexedRing(startIndex: messages.endIndex)
    }
}

extension MessageQueue: Codable {
    private enum CodingKeys: CodingKey { case firstNumber, messages }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let number = try container.decode(UInt64.self, forKey: .firstNumber)
        guard number <= StreamLimits.largestOffset else {
            throw DecodingError.inconsistent(decoder, "a message number beyond any that is reached")
        }
        messages = IndexedRing(startIndex: number)
        for bytes in try container.decode([[UInt8]].self, forKey: .messages) {
            guard bytes.count <= StreamLimits.largestWindow / 4 - byteCount else {
                throw DecodingError.inconsistent(decoder, "more messages than are ever held")
            }
            _ = bytes.withUnsafeBytes { append($0) }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(firstNumber, forKey: .firstNumber)
        let contents = (messages.startIndex..<messages.endIndex).map { number in
            let message = messages[number]
            return ring.bytes(in: message.offset..<message.offset + UInt64(message.count))
        }
        try container.encode(contents, forKey: .messages)
    }
}
