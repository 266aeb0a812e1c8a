/// What of a file a Range field asks for (RFC 9110 section 14.2).
enum ByteRange: Hashable, Sendable {
    /// All of it: there is no such field, or none that can be followed.
    case whole
    /// These bytes; never none.
    case part(Range<Int64>)
    /// Nothing that there is: the answer is 416.
    case unsatisfiable

    /// What a field asks for of so many bytes.
    ///
    /// Several ranges are answered as one if they touch, and with the whole file if they don't: nobody has to
    /// answer with parts (RFC 9110 section 14.2), and hardly a client can read an answer in several.
    init(_ field: String?, size: Int64) {
        guard let field, let specifications = Specification.list(field) else {
            self = .whole
            return
        }
        var ranges = specifications.compactMap { $0.resolve(size: size) }
        guard !ranges.isEmpty else {
            // Of nothing, the last so many bytes are nothing too, which has no Content-Range (RFC 9110
            // section 14.4).
            let asksForEnd = specifications.contains { if case .last(1...) = $0 { true } else { false } }
            self = size == 0 && asksForEnd ? .whole : .unsatisfiable
            return
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        self = Self.joined(ranges).map { .part($0) } ?? .whole
    }

    /// The one range that ranges in their order make up; nil if there is a gap.
    private static func joined(_ ranges: [Range<Int64>]) -> Range<Int64>? {
        var whole = ranges[0]
        for range in ranges.dropFirst() {
            guard range.lowerBound <= whole.upperBound else { return nil }
            whole = whole.lowerBound..<max(whole.upperBound, range.upperBound)
        }
        return whole
    }
}

/// One of the ranges of a field.
private enum Specification {
    case from(Int64, through: Int64)
    case last(Int64)

    /// More than anybody wants in good faith (RFC 9110 section 14.2).
    private static let longestList = 64

    /// The ranges of a field; nil if it does not follow the syntax or has another unit, so that it is
    /// ignored.
    static func list(_ field: String) -> [Specification]? {
        guard let equals = field.firstIndex(of: "="),
            field[..<equals].trimmed.lowercased() == "bytes"
        else { return nil }
        let items = field[field.index(after: equals)...].split(separator: ",").map(\.trimmed)
        // A list may have empty elements (RFC 9110 section 5.6.1.2).
        let texts = items.filter { !$0.isEmpty }
        let specifications = texts.compactMap { Specification($0) }
        guard 1...longestList ~= texts.count, specifications.count == texts.count else { return nil }
        return specifications
    }

    private init?(_ text: Substring) {
        guard let dash = text.firstIndex(of: "-") else { return nil }
        let (first, last) = (text[..<dash], text[text.index(after: dash)...])
        if first.isEmpty {
            guard let count = Self.number(last) else { return nil }
            self = .last(count)
        } else {
            guard let start = Self.number(first) else { return nil }
            guard let end = last.isEmpty ? Int64.max : Self.number(last), start <= end else { return nil }
            self = .from(start, through: end)
        }
    }

    /// A number of any length; those that are too large for anything count as the largest.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int64(text) ?? Int64.max
    }

    /// The bytes of a file that are meant; nil if there are none.
    func resolve(size: Int64) -> Range<Int64>? {
        switch self {
        case .from(let start, let end): start < size ? start..<min(size, end == .max ? size : end + 1) : nil
        case .last(let count): count > 0 && size > 0 ? max(0, size - count)..<size : nil
        }
    }
}

extension StringProtocol {
    /// Without the spaces and tabs around it, which is what fields may have (RFC 9110 section 5.6.3).
    var trimmed: SubSequence {
        guard let first = firstIndex(where: { $0 != " " && $0 != "\t" }),
            let last = lastIndex(where: { $0 != " " && $0 != "\t" })
        else { return self[endIndex...] }
        return self[first...last]
    }
}
