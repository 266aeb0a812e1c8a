import GodwitMigration
import GodwitWire
import Metrics

/// What a listener reports of its moves to swift-metrics. The labels are listed in the documentation.
struct MigrationMetrics: Sendable {
    private let factory: any MetricsFactory
    /// From the command to prepare to when there was nothing more to wait for.
    private let readiness: Timer
    /// From the hold to the thaw, by the wall clock, for on another host there is no other.
    private let freeze: Timer
    /// From the thaw to when a client had followed.
    private let stall: Timer

    init(factory: any MetricsFactory) {
        self.factory = factory
        readiness = Timer(label: "godwit_migration_readiness_duration", factory: factory)
        freeze = Timer(label: "godwit_migration_freeze_duration", factory: factory)
        stall = Timer(label: "godwit_migration_stall_duration", factory: factory)
    }

    func noteReadiness(after span: TimeSpan) { readiness.recordNanoseconds(max(0, span.nanoseconds)) }
    func noteFreeze(_ span: TimeSpan) { freeze.recordNanoseconds(max(0, span.nanoseconds)) }
    func noteStall(_ span: TimeSpan) { stall.recordNanoseconds(max(0, span.nanoseconds)) }

    func note(_ change: ServerMigrationEvent) {
        let strategy = ("strategy", "\(change.strategy.label)")
        switch change {
        case .started: count("godwit_migrations_started", [strategy])
        case .ready: count("godwit_migrations_ready", [strategy])
        case .completed: count("godwit_migrations_completed", [strategy])
        case .cancelled: count("godwit_migrations_cancelled", [strategy])
        case .failed(_, let failure):
            count("godwit_migrations_failed", [strategy, ("reason", failure.metricsName)])
        }
    }

    private func count(_ label: String, _ dimensions: [(String, String)]) {
        Counter(label: label, dimensions: dimensions, factory: factory).increment()
    }
}
