/// One transfer as a line on a terminal:
///
///     big            ███████████▌          58 %   612 MB   1.1 GB/s   0:00:01 left
struct ProgressLine: Hashable, Sendable {
    var name: String
    var received: Int64 = 0
    /// How many bytes there are in all, if that is known.
    var total: Int64?
    /// In bytes a second, if anything can be said.
    var rate: Double?
    /// How long it has taken so far, in seconds.
    var elapsed: Double = 0
    var isFinished = false

    private static let nameWidth = 14
    private static let barWidth = 20
    /// Everything but the bar.
    private static let otherWidth = 57
    private static let narrowestBar = 4

    /// - Parameter width: how many columns the terminal has; the line never has more.
    func text(width: Int) -> String {
        let bar = min(Self.barWidth, width - Self.otherWidth)
        var line = Columns.padded(Columns.printable(name), to: Self.nameWidth) + " "
        if bar >= Self.narrowestBar { line += self.bar(bar) + " " }
        line += right(percent, 6) + right(Quantities.bytes(received), 9)
        line += right(rate.map(Quantities.rate) ?? "", 11) + "   " + time
        return Columns.cut(line, to: width)
    }

    private var fraction: Double? {
        guard let total else { return isFinished ? 1 : nil }
        return total > 0 ? min(1, Double(received) / Double(total)) : 1
    }

    private var percent: String {
        guard let fraction else { return "" }
        // 100 % is for what is complete.
        return "\(received == total || isFinished ? 100 : min(99, Int(fraction * 100))) %"
    }

    private var time: String {
        if isFinished { return Quantities.time(seconds: elapsed) }
        guard let total, let rate, rate > 0 else { return "" }
        return Quantities.time(seconds: Double(max(0, total - received)) / rate) + " left"
    }

    private func bar(_ width: Int) -> String {
        guard let fraction else { return String(repeating: " ", count: width) }
        let eighths = Int((fraction * Double(width * 8)).rounded(.down))
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let filled = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
        return filled + String(repeating: " ", count: width - filled.count)
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}

/// Text as a terminal shows it.
enum Columns {
    /// Without what would move the cursor or change colours: names come from others.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: "?"
                    default: scalar
                    }
                }))
    }

    /// The text in exactly so many columns, cut off or filled up.
    static func padded(_ text: String, to width: Int) -> String {
        let cut = cut(text, to: width)
        return cut + String(repeating: " ", count: max(0, width - Columns.width(cut)))
    }

    /// The text in so many columns at most; `…` stands for what does not fit.
    static func cut(_ text: String, to width: Int) -> String {
        guard Columns.width(text) > width else { return text }
        var (kept, left) = ("", width - 1)
        for character in text {
            left -= Columns.width(character)
            if left < 0 { break }
            kept.append(character)
        }
        return width > 0 ? kept + "…" : ""
    }

    static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    /// East Asian characters and pictures take two columns.
    private static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        switch first.value {
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60,
            0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
            return 2
        default: return 1
        }
    }
}
