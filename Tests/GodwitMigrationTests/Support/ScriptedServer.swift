import GodwitMigration
import GodwitWire

/// A server's machine with a connection around it that does nothing by itself.
struct ScriptedServer {
    var machine: ServerMigrationMachine
    var surroundings = ServerSurroundings(local: .old, remote: .client)
    var now = Instant.zero
    private(set) var actions = ServerMigrationActions()
    private(set) var sent: [OutgoingMigrationFrame] = []
    /// In how many packets they were sent.
    private(set) var packets = 0

    init(
        _ suite: MigrationSuite, policy: MigrationPolicy = .godwit, pool: [NetworkAddress] = [],
        draft: Bool = false, isConfirmed: Bool = true
    ) throws {
        machine = ServerMigrationMachine(
            agreement: try .of(suite, draft: draft), policy: policy, pool: AddressPool(pool)!, seed: 1)
        if isConfirmed { handle(.handshakeConfirmed) }
    }

    /// Reports something and returns what came of it; frames are sent at once.
    @discardableResult
    mutating func handle(_ input: ServerMigrationInput, after delay: TimeSpan = .zero)
        -> ServerMigrationActions
    {
        now += delay
        actions = []
        machine.handle(input, in: surroundings, now: now, actions: &actions)
        (sent, packets) = ([], 0)
        while let first = machine.frameToSend {
            packets += 1
            write(first)
        }
        return actions
    }

    /// Writes a packet. What is said several times is the same in each, so the first is kept.
    private mutating func write(_ first: OutgoingMigrationFrame) {
        var next: OutgoingMigrationFrame? = first
        while let frame = next {
            if packets == 1 { sent.append(frame) }
            machine.onFrameSent(frame.id)
            next = machine.frameToSend(after: frame.id)
        }
    }

    /// The frames that the last input had sent.
    var frames: [MigrationFrame] { sent.map(\.frame) }

    /// Comes back whenever the machine wants to, for so long, and returns when it did and what it asked.
    mutating func run(for span: TimeSpan) -> [(
        time: Instant, actions: ServerMigrationActions, frames: [MigrationFrame]
    )] {
        let end = now + span
        var log: [(time: Instant, actions: ServerMigrationActions, frames: [MigrationFrame])] = []
        while let deadline = machine.deadline, deadline <= end {
            now = max(now, deadline)
            handle(.deadline)
            log.append((now, actions, frames))
        }
        now = end
        return log
    }

    mutating func acknowledgeAll(_ frames: [OutgoingMigrationFrame]) -> ServerMigrationActions {
        var all = ServerMigrationActions()
        for frame in frames { all += handle(.frameAcknowledged(frame.id)) }
        return all
    }

    /// Freezes for so long and goes on at `address`.
    @discardableResult
    mutating func move(
        to address: NetworkAddress, after freeze: TimeSpan = .seconds(1),
        epoch: MigrationEpoch = .first
    ) -> ServerMigrationActions {
        surroundings.local = address
        let thaw = ServerThaw(clientAddresses: [surroundings.remote], seed: 99)
        return handle(.networkSwitched(epoch, thaw), after: freeze)
    }
}

extension ServerMigrationActions {
    /// The outcomes that were reported.
    var outcomes: [MigrationOutcome] {
        compactMap { if case .report(let report) = $0 { report.outcome } else { nil } }
    }

    /// What was told to whoever watches.
    var events: [ServerMigrationEvent] {
        compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    /// The addresses that were challenged.
    var probes: [NetworkAddress] { compactMap { if case .probe(let address) = $0 { address } else { nil } } }
}
