/// One JSON object on one line, for logs and for programs that read what a command prints.
struct JSONLine {
    private(set) var text = "{"

    /// Ends the object.
    consuming func finished() -> String { text + "}" }

    mutating func add(_ name: StaticString, _ value: String) {
        begin(name)
        Self.append(value, to: &text)
    }

    mutating func add(_ name: StaticString, _ value: some BinaryInteger) {
        begin(name)
        text += String(value)
    }

    mutating func add(_ name: StaticString, _ value: Bool) {
        begin(name)
        text += value ? "true" : "false"
    }

    /// - Parameter value: is written with six places, as times are: microseconds.
    mutating func add(_ name: StaticString, seconds value: Duration) {
        begin(name)
        let microseconds = max(0, value.components.attoseconds / 1_000_000_000_000)
        let places = String(microseconds)
        text += String(max(0, value.components.seconds)) + "."
        text += String(repeating: "0", count: 6 - places.count) + places
    }

    mutating func add(_ name: StaticString, _ values: [String]) {
        begin(name)
        text += "["
        for (index, value) in values.enumerated() {
            if index > 0 { text += "," }
            Self.append(value, to: &text)
        }
        text += "]"
    }

    /// - Parameter json: a value that is written down already.
    mutating func add(_ name: StaticString, json: String) {
        begin(name)
        text += json
    }

    /// A member whose name is not known beforehand.
    mutating func add(key: String, _ value: String) {
        if text.utf8.count > 1 { text += "," }
        Self.append(key, to: &text)
        text += ":"
        Self.append(value, to: &text)
    }

    /// As ``add(key:_:)``, with a value that is written down already.
    mutating func add(key: String, json: String) {
        if text.utf8.count > 1 { text += "," }
        Self.append(key, to: &text)
        text += ":" + json
    }

    /// Leaves the member out if there is no value.
    mutating func add(_ name: StaticString, ifPresent value: String?) {
        if let value { add(name, value) }
    }

    private mutating func begin(_ name: StaticString) {
        text += text.utf8.count > 1 ? ",\"" : "\""
        text += "\(name)\":"
    }

    /// Escapes what JSON does not take (RFC 8259 section 7), and what ends a line in other eyes.
    private static func append(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}": text += escape(scalar.value)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private static func escape(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
