import Foundation

/// How values stand in the cells of the thesis's files: lists are Python literals, nothing is an empty cell.
package enum ResultCell {
    package static func text(_ value: (some CustomStringConvertible)?) -> String {
        value.map { "\($0)" } ?? ""
    }

    /// Seconds, as Python writes a float.
    package static func seconds(_ value: Double?) -> String { value.map { float($0) } ?? "" }

    /// `True` or `False`.
    package static func flag(_ value: Bool) -> String { value ? "True" : "False" }

    /// A list of numbers.
    package static func list(_ values: [Int64]) -> String {
        quoted("[" + joined(values.map { "\($0)" }) + "]")
    }

    /// A list of floats.
    package static func list(_ values: [Double]) -> String { quoted("[" + joined(values.map(float)) + "]") }

    /// A list of texts.
    package static func list(_ values: [String]) -> String {
        quoted("[" + joined(values.map { "'\($0)'" }) + "]")
    }

    /// A list of lists of texts.
    package static func list(_ values: [[String]]) -> String {
        let inner = values.map { "[" + joined($0.map { "'\($0)'" }) + "]" }
        return quoted("[" + joined(inner) + "]")
    }

    private static func joined(_ values: [String]) -> String { values.joined(separator: ", ") }

    private static func float(_ value: Double) -> String {
        let rounded = (value * 1e9).rounded() / 1e9
        return "\(rounded)"
    }

    /// A cell with a comma, a quote or a line's end within is quoted (RFC 4180 section 2).
    static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// How many cells a line has.
    static func count(in line: String) -> Int {
        var (count, isQuoted) = (1, false)
        for byte in line.utf8 {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: ","), !isQuoted { count += 1 }
        }
        return count
    }

    // MARK: Sizes

    /// As `du -h` says sizes: `1.5M`, `252K`.
    package static func diskSize(_ bytes: Double?) -> String {
        guard let bytes else { return "" }
        let (value, unit) = bytes < 1e6 ? (bytes / 1e3, "K") : (bytes / 1e6, "M")
        // It rounds up.
        return (value < 10 ? places((value * 10).rounded(.up) / 10, 1) : "\(Int(value.rounded(.up)))") + unit
    }

    /// As rsync says sizes: `1.46M`, `252.00K`.
    package static func size(_ bytes: Double?) -> String {
        guard let bytes else { return "" }
        return bytes < 1e6 ? places(bytes / 1e3, 2) + "K" : places(bytes / 1e6, 2) + "M"
    }

    /// As rsync says how fast it was: `970.11K bytes/sec`.
    package static func rate(_ bytes: Double?, _ seconds: Double?) -> String {
        guard let bytes, let seconds else { return "" }
        return size(bytes / (seconds + 0.5)) + " bytes/sec"
    }

    /// How much less was sent than there was.
    package static func speedup(_ size: Double?, _ sent: Double?) -> String {
        guard let size, let sent, sent > 0 else { return "" }
        return places(size / sent, 2)
    }

    /// As `time` says it.
    package static func times(_ restore: Double) -> [String] {
        ["real \(places(restore, 2))", "user 0.04", "sys 0.04"]
    }

    private static func places(_ value: Double, _ count: Int) -> String {
        String(format: "%.\(count)f", value)
    }
}
