/// The field sections with references to the dynamic table that the decoder has not acknowledged, in the
/// order in which they were encoded (RFC 9204 section 2.1.1).
///
/// Of the entries that a section refers to only the oldest is kept: entries are evicted from the oldest on,
/// so none of the others can go before it.
struct OutstandingSections: Sendable {
    struct Section: Sendable, Equatable, Codable {
        var stream: UInt64
        var requiredInsertCount: UInt64
        var oldestReference: UInt64
    }

    /// The most that are kept. Beyond it the encoder does without the dynamic table, so that a decoder that
    /// does not acknowledge can't make it grow.
    static let limit = 1024

    // A nil is a section that was removed from the middle.
    private var sections: [Section?] = []
    private var head = 0
    private(set) var count = 0

    var isFull: Bool { count >= Self.limit }

    init() {}

    mutating func append(_ section: Section) {
        sections.append(section)
        count += 1
    }

    /// Removes the earliest section of `stream`, which is what a Section Acknowledgment means.
    mutating func removeFirst(of stream: UInt64) -> Section? {
        guard let index = sections[head...].firstIndex(where: { $0?.stream == stream }) else { return nil }
        let section = sections[index]
        remove(at: index)
        return section
    }

    private mutating func remove(at index: Int) {
        sections[index] = nil
        count -= 1
        while head < sections.count, sections[head] == nil { head += 1 }
        // Closing gaps only when they are most of it keeps the cost of a removal constant on average.
        guard sections.count > 2 * count + 32 else { return }
        sections.removeAll { $0 == nil }
        head = 0
    }
}

extension OutstandingSections: Codable {
    /// Reads what ``encode(to:)`` wrote.
    init(from decoder: any Decoder) throws {
        for section in try decoder.singleValueContainer().decode([Section].self) { append(section) }
    }

    /// Writes the sections that are left, in order.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(all)
    }

    /// All that are left, in order.
    var all: [Section] { sections.compactMap { $0 } }
}
