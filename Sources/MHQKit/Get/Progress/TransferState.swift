import NIOConcurrencyHelpers

/// How far a transfer has come, told by the one who does it and asked by the one who shows it.
final class TransferState: Sendable {
    struct Figures: Sendable {
        var received: Int64 = 0
        var total: Int64?
        /// While content is being sent.
        var sent: Int64 = 0
        var toSend: Int64?
        /// How long it took, when it is over.
        var duration: Duration?
        var hasFailed = false
    }

    let name: String
    let start: ContinuousClock.Instant
    private let figures = NIOLockedValueBox(Figures())

    init(name: String, start: ContinuousClock.Instant) {
        self.name = name
        self.start = start
    }

    var current: Figures { figures.withLockedValue { $0 } }

    func note(_ change: (inout Figures) -> Void) { figures.withLockedValue { change(&$0) } }
}
