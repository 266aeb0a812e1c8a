import Logging
import NIOConcurrencyHelpers
import NIOPosix
import Synchronization

/// Records of one connection between its event loop, which adds them, and the thread that writes them.
final class QlogQueue: Sendable {
    private struct State {
        var records: [[UInt8]] = []
        var dropped = 0
        var isScheduled = false
        var isFinished = false
    }

    private let state = NIOLockedValueBox(State())
    private let file: NIOLockedValueBox<QlogFile>
    private let budget: QlogBudget
    private let logger: Logger

    init(_ file: QlogFile, _ budget: QlogBudget, _ logger: Logger) {
        self.file = NIOLockedValueBox(file)
        self.budget = budget
        self.logger = logger
    }

    /// Takes a record, or drops it when the disk does not keep up.
    func add(_ record: [UInt8]) {
        let hasRoom = budget.take(record.count)
        schedule { state in
            if hasRoom { state.records.append(record) } else { state.dropped += 1 }
        }
    }

    /// No more will come.
    func finish() { schedule { $0.isFinished = true } }

    private func schedule(_ change: (inout State) -> Void) {
        let isNeeded = state.withLockedValue { state in
            change(&state)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isNeeded { QlogFolder.thread.submit { _ in self.drain() } }
    }

    private func drain() {
        while let records = nextBatch() {
            let problem = file.withLockedValue { $0.append(records) }
            budget.give(records.reduce(0) { $0 + $1.count })
            if let problem {
                logger.warning("a qlog file cannot be written", metadata: ["error": "\(problem)"])
            }
        }
    }

    /// Nil when there is nothing more to write now.
    private func nextBatch() -> [[UInt8]]? {
        let (batch, dropped) = state.withLockedValue { state -> ([[UInt8]]?, Int) in
            guard state.records.isEmpty else {
                defer { state.records = [] }
                return (state.records, 0)
            }
            state.isScheduled = false
            return (nil, state.isFinished ? state.dropped : 0)
        }
        if dropped > 0 { logger.warning("qlog records were dropped", metadata: ["count": "\(dropped)"]) }
        return batch
    }
}

/// How many bytes may wait to be written.
final class QlogBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    func take(_ count: Int) -> Bool {
        guard used.load(ordering: .relaxed) + count <= limit else { return false }
        used.add(count, ordering: .relaxed)
        return true
    }

    func give(_ count: Int) { used.subtract(count, ordering: .relaxed) }
}
