import Foundation

/// How far an experiment is, on standard error: one line that changes on a terminal, else a line now and then.
struct ExperimentProgress {
    private let title: String
    private let count: Int
    private let skipped: Int
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var lastLine: ContinuousClock.Instant?

    init(_ title: String, of count: Int, skipping skipped: Int) {
        (self.title, self.count, self.skipped) = (title, count, skipped)
    }

    /// So many runs have ended.
    mutating func note(_ finished: Int) {
        let now = ContinuousClock.now
        let pause = Duration.seconds(isTerminal ? 0.1 : 10)
        if finished < count, let lastLine, now - lastLine < pause { return }
        lastLine = now
        let percent = count == 0 ? 100 : 100 * finished / count
        var text = "\(title)  \(finished)/\(count) runs  \(percent) %"
        let done = finished - skipped
        if done > 0, finished < count {
            text += "  \(Self.clock((now - start) * (count - finished) / done)) left"
        }
        write(text, isLast: finished == count)
    }

    private func write(_ text: String, isLast: Bool) {
        let line = isTerminal ? "\r\u{1b}[K" + text + (isLast ? "\n" : "") : text + "\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    static func clock(_ span: Duration) -> String {
        let seconds = Int(span.components.seconds)
        let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60]
        return parts.enumerated().map { index, value in
            index == 0 || value > 9 ? "\(value)" : "0\(value)"
        }.joined(separator: ":")
    }
}
