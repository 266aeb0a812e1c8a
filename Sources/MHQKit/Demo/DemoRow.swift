import Godwit

/// What a demo has found out about one strategy.
struct DemoRow: Hashable, Sendable {
    var strategy: DemoStrategy
    var seed: UInt64
    var clients = 0
    var moves = 0
    /// Clients whose connection ended, or that got no answer after a thaw.
    var connectionsLost = 0
    var requests = 0
    var failed = 0
    var bytesChecked = 0
    /// Medians of small requests, in milliseconds; nil if there were none.
    var serviceTimeBefore: Double?
    var firstServiceTimeAfter: Double?
    var serviceTimeLater: Double?
    /// The longest of all clients and moves, in milliseconds; nil if one never went on.
    var stallBeyondFreeze: Double?
    /// From the hold to SIGCONT, the mean of all moves, in milliseconds.
    var freeze = 0.0
    /// Datagrams that clients got from an address after the server had left it.
    var answeredAtOldAddress = 0
    /// Datagrams that came to such an address and were lost.
    var lostAtOldAddress = 0
    /// How many requests were answered from where.
    var answers: [NetworkAddress: Int] = [:]
    /// What went wrong first.
    var fault: String?

    /// Whether everything was as it has to be.
    var isGood: Bool {
        connectionsLost == 0 && failed == 0 && answeredAtOldAddress == 0 && fault == nil && moves > 0
            && answers.count == moves + 1
    }

    /// One JSON object.
    var json: String {
        var line = JSONLine()
        line.add("strategy", strategy.rawValue)
        line.add("moves", moves)
        line.add("connections_lost", connectionsLost)
        line.add("requests", requests)
        line.add("failed", failed)
        line.add("bytes_checked", bytesChecked)
        line.add("service_time_before_ms", json: Self.number(serviceTimeBefore))
        line.add("first_service_time_after_ms", json: Self.number(firstServiceTimeAfter))
        line.add("service_time_later_ms", json: Self.number(serviceTimeLater))
        line.add("stall_beyond_freeze_ms", json: Self.number(stallBeyondFreeze))
        line.add("freeze_ms", json: Self.number(freeze))
        line.add("answered_at_old_address", answeredAtOldAddress)
        var places = JSONLine()
        for (address, count) in answers.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            places.add(key: "\(address)", json: "\(count)")
        }
        line.add("answers_by_address", json: places.finished())
        line.add("seed", seed)
        return line.finished()
    }

    private static func number(_ value: Double?) -> String {
        value.map { DemoTable.places($0, 3) } ?? "null"
    }
}
