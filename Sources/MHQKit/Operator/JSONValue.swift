import Foundation

/// A value of JSON as it was written down by somebody else.
enum JSONValue: Decodable, Hashable, Sendable {
    case null
    case flag(Bool)
    case whole(UInt64)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// Nil when the text is no JSON object.
    static func members(of text: some StringProtocol) -> [String: JSONValue]? {
        try? JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let whole = try? container.decode(UInt64.self) {
            self = .whole(whole)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    var flag: Bool? { if case .flag(let value) = self { value } else { nil } }
    var whole: UInt64? { if case .whole(let value) = self { value } else { nil } }
    var text: String? { if case .text(let value) = self { value } else { nil } }

    /// Any number.
    var number: Double? {
        switch self {
        case .whole(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A list of nothing but texts.
    var texts: [String]? {
        guard case .list(let values) = self else { return nil }
        let texts = values.compactMap(\.text)
        return texts.count == values.count ? texts : nil
    }

    /// An object of nothing but texts.
    var table: [String: String]? {
        guard case .object(let members) = self else { return nil }
        let texts = members.compactMapValues(\.text)
        return texts.count == members.count ? texts : nil
    }
}
