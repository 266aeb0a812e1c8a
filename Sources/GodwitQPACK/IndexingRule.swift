/// When a field line may go into the dynamic table.
enum IndexingRule: UInt8, Sendable {
    /// Never, on any hop: it may be a secret that someone could guess at (RFC 9204 section 7.1.3).
    case never
    /// When it has been sent before: its values tend to differ each time, or nothing is known about it.
    case whenRepeated
    /// At once: it tends to stay the same for a connection.
    case atOnce

    /// A cookie shorter than this has too little entropy for an attacker's guesses to be hopeless (RFC 9204
    /// section 7.1.3).
    static let shortCookie = 20

    /// The rule for a line whose name is that of the static table's `staticName`, if of any.
    static func rule(for line: UnsafeFieldLine, staticName: Int?) -> IndexingRule {
        if line.isNeverIndexed { return .never }
        guard let staticName else { return line.nameIs("proxy-authorization") ? .never : .whenRepeated }
        if staticName == cookie, line.value.count < shortCookie { return .never }
        return staticNameRules[staticName]
    }

    private static let cookie = 5

    /// The rules for names by the index of their first line in the static table.
    private static let staticNameRules: [IndexingRule] = StaticTable.entries.map { entry in
        if secrets.contains(where: { entry.name.hasSameBytes(as: $0.rawBytes) }) { return .never }
        return changing.contains { entry.name.hasSameBytes(as: $0.rawBytes) } ? .whenRepeated : .atOnce
    }

    private static let secrets: [StaticString] = ["authorization", "set-cookie"]

    private static let changing: [StaticString] = [
        ":path", "age", "content-disposition", "content-length", "date", "etag", "forwarded",
        "if-modified-since",
        "if-none-match", "if-range", "last-modified", "link", "location", "range", "referer",
        "x-forwarded-for",
    ]
}

/// Remembers roughly which lines were sent before, in a fixed space: a line is forgotten when another falls
/// on its place.
struct LineHistory: Sendable {
    private static let count = 64
    private var tags: [UInt32] = []

    /// Notes a line; true if it is remembered from before.
    mutating func note(_ hash: UInt64) -> Bool {
        if tags.isEmpty { tags = [UInt32](repeating: 0, count: Self.count) }
        let place = Int(truncatingIfNeeded: hash) & (Self.count - 1)
        let tag = UInt32(truncatingIfNeeded: hash >> 32) | 1
        guard tags[place] != tag else { return true }
        tags[place] = tag
        return false
    }
}
