package import MHQKit

/// What came of a run.
package struct RunOutcome: Sendable {
    /// One of the clients that are measured.
    package struct Client: Sendable {
        package var seed: UInt64
        /// What it measured.
        package var log: ServiceTimeLog
        /// Why its connection ended before its time; nil if it did not.
        package var endReason: String?

        package init(seed: UInt64, log: ServiceTimeLog, endReason: String? = nil) {
            (self.seed, self.log, self.endReason) = (seed, log, endReason)
        }
    }

    package var clients: [Client] = []
    /// Each migration of the container.
    package var migrations: [ContainerPhases] = []
    /// From the notice until all connections were ready, µs.
    package var notificationTime: Int64?
    package var readyClients: Int?
    // Unix time, in seconds.
    package var noticeTimes: [Double] = []
    package var triggerTimes: [Double] = []
    /// When the server went on after each of its moves.
    package var thawTimes: [Double] = []
    package var handoverTimes: [Double] = []
    /// Datagrams to an address where the server no longer was, or stood still.
    package var lostAtOldAddress = 0
    /// What must not happen, in words.
    package var flaws: [String] = []

    package init() {}
}
