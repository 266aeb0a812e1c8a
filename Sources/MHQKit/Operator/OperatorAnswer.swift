import Godwit
import NIOCore

/// What a server answers to an operator: one JSON object on one line.
struct OperatorAnswer: Sendable {
    private var line = JSONLine()

    /// - Parameter command: nil when it could not be read.
    init(_ command: String?, isDone: Bool = true) {
        line.add("ok", isDone)
        line.add("command", ifPresent: command)
    }

    /// The line without its end.
    var text: String { line.finished() }

    /// A command that was not carried out.
    static func failure(_ command: String?, _ failure: Failure) -> OperatorAnswer {
        var answer = OperatorAnswer(command, isDone: false)
        answer.line.add("error", failure.message)
        answer.line.add("exitCode", failure.exitCode)
        return answer
    }

    mutating func add(_ readiness: MigrationReadiness, showsConnections: Bool) {
        line.add("epoch", readiness.epoch.rawValue)
        line.add("isFinal", readiness.isFinal)
        line.add("ready", readiness.ready)
        line.add("connections", readiness.total)
        line.add("summary", "\(readiness)")
        guard showsConnections else { return }
        var table = JSONLine()
        for (id, outcome) in readiness.outcomes.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            table.add(key: "\(id)", outcome.words)
        }
        line.add("outcomes", json: table.finished())
    }

    mutating func add(epoch: MigrationEpoch) { line.add("epoch", epoch.rawValue) }
    mutating func add(address: NetworkAddress) { line.add("address", "\(address)") }
    mutating func add(took span: Duration) { line.add("seconds", seconds: span) }
    mutating func add(state: String) { line.add("state", state) }
    mutating func add(pool: AddressPool) { line.add("pool", pool.addresses.map { "\($0)" }) }
    mutating func add(openConnections count: Int) { line.add("openConnections", count) }
}

extension MigrationOutcome {
    /// What an operator reads about one connection.
    var words: String {
        switch self {
        case .pending: "not heard of yet"
        case .preparing(let strategy): "preparing (\(strategy))"
        case .ready(let strategy): "ready (\(strategy))"
        case .late(let strategy): "ready after the deadline (\(strategy))"
        case .clientMoving(let strategy): "the client moves itself (\(strategy))"
        case .obstructed(let obstacle): "\(obstacle)"
        case .timedOut: "timed out"
        case .closed: "closed"
        }
    }
}
