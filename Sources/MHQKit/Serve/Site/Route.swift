/// What a target leads to.
enum Route: Hashable, Sendable {
    /// Answers with what was posted.
    case echo
    /// Answers with so much content as web servers do.
    case distribution
    /// Answers with so many bytes.
    case bytes(Int64)
    /// Asks for a number of bytes that is none.
    case unusableCount
    case file

    /// More than anybody wants to wait for.
    static let largestCount: Int64 = 1_000_000_000_000

    init(target: some StringProtocol) {
        let path = target.prefix { $0 != "?" }
        switch path {
        case "/echo": self = .echo
        case "/distribution": self = .distribution
        default:
            guard path.hasPrefix("/bytes/") else {
                self = .file
                return
            }
            self = Self.count(path.dropFirst("/bytes/".count)).map { .bytes($0) } ?? .unusableCount
        }
    }

    private static func count(_ text: some StringProtocol) -> Int64? {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let count = Int64(text) else { return nil }
        return count <= largestCount ? count : nil
    }
}
