/// The actions that wait to be taken, in order. Its memory is used again and again.
struct ActionQueue: Sendable, Codable {
    private var waiting: ContiguousArray<HTTP3Action?> = []
    private var first = 0

    /// What a burst may leave reserved.
    private static let keptCapacity = 256

    var count: Int { waiting.count - first }

    mutating func append(_ action: HTTP3Action) { waiting.append(action) }

    mutating func takeFirst() -> HTTP3Action? {
        guard first < waiting.count else { return nil }
        // Out of its place, so that whoever takes it is the only owner of its fields.
        var action: HTTP3Action?
        swap(&action, &waiting[first])
        first += 1
        if first == waiting.count { removeAll() }
        return action
    }

    private mutating func removeAll() {
        waiting.removeAll(keepingCapacity: waiting.capacity <= Self.keptCapacity)
        first = 0
    }

    init() {}

    /// Reads what ``encode(to:)`` wrote.
    init(from decoder: any Decoder) throws {
        waiting = ContiguousArray(try decoder.singleValueContainer().decode([HTTP3Action].self))
    }

    /// Writes what has not been taken.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(waiting[first...].compactMap { $0 })
    }
}
