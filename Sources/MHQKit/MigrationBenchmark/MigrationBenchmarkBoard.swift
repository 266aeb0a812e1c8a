import Foundation

/// One line on a terminal that says how far a benchmark is.
final class MigrationBenchmarkBoard: Sendable {
    private struct State {
        var done = 0
        var drawnAt = ContinuousClock.now
        var isShown = false
    }

    private let runs: Int
    private let isLive = Terminal.isStandardErrorTerminal
    private let state = Guarded(State())
    private static let interval = Duration.milliseconds(200)

    init(runs: Int) { self.runs = runs }

    /// One more run was made.
    func advance(_ row: String, _ series: String) {
        let line = state.withLock { state -> String? in
            state.done += 1
            guard isLive, ContinuousClock.now - state.drawnAt >= Self.interval else { return nil }
            (state.drawnAt, state.isShown) = (.now, true)
            return "\(state.done * 100 / max(1, runs)) %  \(state.done) of \(runs) runs  \(row): \(series)"
        }
        if let line { Terminal.write("\r\u{1b}[K" + String(line.prefix(Terminal.size.width - 1))) }
    }

    /// So many runs need not be made again.
    func skip(_ runs: Int) { state.withLock { $0.done += runs } }

    /// Makes room for what is there to stay.
    func clear() {
        let isShown = state.withLock { state in
            defer { state.isShown = false }
            return state.isShown
        }
        if isShown { Terminal.write("\r\u{1b}[K") }
    }
}

/// A value behind a lock.
private final class Guarded<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result { lock.withLock { body(&value) } }
}
