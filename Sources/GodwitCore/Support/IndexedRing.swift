/// A queue whose elements keep the index they were appended under: 0, 1, 2 … for the life of the queue.
///
/// It grows by doubling and never shrinks while it holds anything, so that steady traffic allocates nothing.
struct IndexedRing<Element> {
    private var storage: ContiguousArray<Element?> = []
    /// The index of the oldest element still held, or of the next one when there is none.
    private(set) var startIndex: UInt64 = 0
    /// The index that the next appended element gets.
    private(set) var endIndex: UInt64 = 0

    init(startIndex: UInt64 = 0) {
        self.startIndex = startIndex
        self.endIndex = startIndex
    }

    var count: Int { Int(endIndex - startIndex) }
    var isEmpty: Bool { startIndex == endIndex }

    private func slot(_ index: UInt64) -> Int { Int(truncatingIfNeeded: index) & (storage.count - 1) }

    func contains(_ index: UInt64) -> Bool { index >= startIndex && index < endIndex }

    /// The element at an index that ``contains(_:)`` says is held.
    subscript(index: UInt64) -> Element {
        get {
            precondition(contains(index))
            return storage[slot(index)]!
        }
        _modify {
            precondition(contains(index))
            yield &storage[slot(index)]!
        }
    }

    var first: Element? { isEmpty ? nil : self[startIndex] }

    @discardableResult
    mutating func append(_ element: Element) -> UInt64 {
        if count == storage.count { grow() }
        let index = endIndex
        storage[slot(index)] = element
        endIndex += 1
        return index
    }

    @discardableResult
    mutating func removeFirst() -> Element {
        precondition(!isEmpty)
        let position = slot(startIndex)
        let element = storage[position]!
        storage[position] = nil
        startIndex += 1
        return element
    }

    /// Drops every element below `index`.
    mutating func removeAll(below index: UInt64) {
        while startIndex < min(index, endIndex) { removeFirst() }
    }

    mutating func removeAll() {
        removeAll(below: endIndex)
        storage = []
    }

    /// Skips indices up to `index`; only for an empty queue.
    mutating func restart(at index: UInt64) {
        precondition(isEmpty && index >= endIndex)
        startIndex = index
        endIndex = index
    }

    private mutating func grow() {
        var larger = ContiguousArray<Element?>(repeating: nil, count: max(8, storage.count * 2))
        for index in startIndex..<endIndex {
            larger[Int(truncatingIfNeeded: index) & (larger.count - 1)] = storage[slot(index)]
        }
        storage = larger
    }
}

extension IndexedRing: Codable where Element: Codable {
    private enum CodingKeys: CodingKey { case startIndex, elements }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let startIndex = try container.decode(UInt64.self, forKey: .startIndex)
        // Far above what a connection reaches; more would make a later append overflow.
        guard startIndex < 1 << 62 else {
            throw DecodingError.dataCorruptedError(
                forKey: .startIndex, in: container, debugDescription: "start index out of range")
        }
        self.init(startIndex: startIndex)
        for element in try container.decode([Element].self, forKey: .elements) { append(element) }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(startIndex, forKey: .startIndex)
        try container.encode((startIndex..<endIndex).map { self[$0] }, forKey: .elements)
    }
}

extension IndexedRing: Sendable where Element: Sendable {}
