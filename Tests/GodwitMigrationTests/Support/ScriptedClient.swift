import GodwitMigration
import GodwitWire

/// A client's machine with a connection around it that does nothing by itself but go where it is sent.
struct ScriptedClient {
    var machine: ClientMigrationMachine
    var surroundings: ClientSurroundings
    var now = Instant.zero
    private(set) var actions = ClientMigrationActions()
    private var packetNumber: UInt64 = 0

    init(
        _ suite: MigrationSuite, draft: Bool = false, at address: NetworkAddress = .old,
        _ configure: (inout ClientMigrationConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = ClientMigrationConfiguration()
        configure(&configuration)
        machine = ClientMigrationMachine(
            agreement: try .of(suite, draft: draft), configuration: configuration, seed: 2)
        surroundings = ClientSurroundings(
            active: address, probeTimeout: .milliseconds(200), lastHeard: .zero, lastElicited: .zero,
            awaitsAcknowledgement: false, spareIDs: 30)
    }

    /// Reports something and returns what came of it; a new path is taken at once.
    @discardableResult
    mutating func handle(
        _ input: ClientMigrationInput, after delay: TimeSpan = .zero
    ) throws -> ClientMigrationActions {
        now += delay
        actions = []
        try machine.handle(input, in: surroundings, now: now, actions: &actions)
        for action in actions {
            switch action {
            case .switchPath(let address), .redirect(let address), .rollBack(let address),
                .follow(let address):
                surroundings.active = address
            default: break
            }
        }
        return actions
    }

    /// A frame comes in the next packet, or in the one with `number`, from where data goes or elsewhere.
    @discardableResult
    mutating func receive(
        _ frame: MigrationFrame, number: UInt64? = nil, from remote: NetworkAddress? = nil,
        after delay: TimeSpan = .zero
    ) throws -> ClientMigrationActions {
        packetNumber = number ?? packetNumber + 1
        let input = ClientMigrationInput.frame(
            frame, packetNumber: packetNumber, from: remote ?? surroundings.active)
        return try handle(input, after: delay)
    }

    /// A packet comes whose frames are none of the machine's concern.
    @discardableResult
    mutating func hear(
        from remote: NetworkAddress, isHighestNonProbing: Bool = true, after delay: TimeSpan = .zero
    ) throws -> ClientMigrationActions {
        packetNumber += 1
        let input = ClientMigrationInput.packet(
            number: packetNumber, from: remote, isHighestNonProbing: isHighestNonProbing)
        return try handle(input, after: delay)
    }

    @discardableResult
    mutating func validate(
        _ address: NetworkAddress, after delay: TimeSpan = .zero
    ) throws -> ClientMigrationActions {
        packetNumber += 1
        return try handle(.pathValidated(address, packetNumber: packetNumber), after: delay)
    }

    @discardableResult
    mutating func timeOut(after delay: TimeSpan = .zero) throws -> ClientMigrationActions {
        try handle(.probeTimeout(largestSent: 100), after: delay)
    }

    /// Comes back whenever the machine wants to, for so long, and returns when it did and what it asked.
    mutating func run(for span: TimeSpan) throws -> [(time: Instant, actions: ClientMigrationActions)] {
        let end = now + span
        var log: [(time: Instant, actions: ClientMigrationActions)] = []
        while let deadline = machine.deadline, deadline <= end {
            now = max(now, deadline)
            log.append((now, try handle(.deadline)))
        }
        now = end
        return log
    }
}

extension ClientMigrationActions {
    /// What was told to whoever watches.
    var events: [ClientMigrationEvent] {
        compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    /// The addresses that were challenged.
    var probes: [NetworkAddress] { compactMap { if case .probe(let address) = $0 { address } else { nil } } }

    /// Where data was sent.
    var moves: [NetworkAddress] {
        compactMap {
            switch $0 {
            case .switchPath(let address), .redirect(let address), .rollBack(let address),
                .follow(let address):
                address
            default: nil
            }
        }
    }
}
