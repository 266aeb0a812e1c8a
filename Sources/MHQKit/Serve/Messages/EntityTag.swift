/// What tells one content of a file from another (RFC 9110 section 8.8.3).
struct EntityTag: Hashable, Sendable {
    /// Without the quotation marks.
    var opaque: String
    /// Whether contents that mean the same may have the same tag.
    var isWeak = false

    /// As fields have it.
    var text: String { (isWeak ? "W/\"" : "\"") + opaque + "\"" }

    init(opaque: String, isWeak: Bool = false) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// One tag and nothing else; nil if the text is none.
    init?(_ text: some StringProtocol) {
        var rest = Substring(text.trimmed)
        guard let tag = EntityTag(parsing: &rest), rest.isEmpty else { return nil }
        self = tag
    }

    /// Takes a tag off the front of the text.
    fileprivate init?(parsing text: inout Substring) {
        isWeak = text.hasPrefix("W/")
        if isWeak { text = text.dropFirst(2) }
        guard text.first == "\"", let end = text.dropFirst().firstIndex(of: "\"") else { return nil }
        opaque = String(text[text.index(after: text.startIndex)..<end])
        guard opaque.utf8.allSatisfy({ $0 == 0x21 || 0x23...0x7e ~= $0 || $0 >= 0x80 }) else { return nil }
        text = text[text.index(after: end)...]
    }

    /// Whether both stand for the same bytes (RFC 9110 section 8.8.3.2).
    func isStronglyEqual(to other: EntityTag) -> Bool { !isWeak && !other.isWeak && opaque == other.opaque }

    /// Whether both stand for contents that mean the same (RFC 9110 section 8.8.3.2).
    func isWeaklyEqual(to other: EntityTag) -> Bool { opaque == other.opaque }
}

/// The tags that a condition names: `*` for any, or some.
enum EntityTagList: Hashable, Sendable {
    case any
    case tags([EntityTag])

    /// The tags of a field. What can't be read names none.
    init(_ field: String) {
        if field.trimmed == "*" {
            self = .any
            return
        }
        var tags: [EntityTag] = []
        var rest = field.trimmed
        while !rest.isEmpty {
            guard let tag = EntityTag(parsing: &rest) else { break }
            tags.append(tag)
            rest = rest.drop { $0 == "," || $0 == " " || $0 == "\t" }
        }
        self = .tags(tags)
    }

    /// Whether a file with this tag is meant.
    func contains(where matches: (EntityTag) -> Bool) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains(where: matches)
        }
    }
}
