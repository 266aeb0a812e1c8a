/// Numbers of bytes and spans of time in few columns.
enum Quantities {
    private static let units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"]

    /// `512 B`, `1.1 GB`, `612 MB`: three digits at most, in powers of 1,000.
    static func bytes(_ count: Int64) -> String { text(Double(max(0, count))) }

    /// `1.1 GB/s`.
    static func rate(_ bytesPerSecond: Double) -> String { text(max(0, bytesPerSecond)) + "/s" }

    private static func text(_ count: Double) -> String {
        var (value, unit) = (count, 0)
        // What would be rounded up to 1000 is one of the next unit.
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        if unit > 0, value < 9.95 {
            let tenths = Int((value * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) \(units[unit])"
        }
        return "\(Int(value.rounded())) \(units[unit])"
    }

    /// `0:00:01`, hours first.
    static func time(seconds: Double) -> String {
        // A transfer that takes longer than this never ends.
        let whole = Int(min(max(0, seconds), 359_999).rounded(.up))
        return "\(whole / 3600):\(padded(whole / 60 % 60)):\(padded(whole % 60))"
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
