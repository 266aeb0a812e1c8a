import GodwitMigration
import GodwitWire

/// What a connection keeps for moves of the server: the machine, and what the machine asks to be remembered.
///
/// A class, because few connections have one, and plain data all the same: it goes into snapshots.
final class ConnectionMigration: Codable {
    var machine: MigrationMachine
    /// When the machine wants to be called.
    private(set) var deadline: Instant?
    /// Whether the machine has a frame to send.
    private(set) var hasFrameToSend = false
    /// Whether a server waits for its client to come to where it is now.
    private(set) var awaitsClient = false
    /// Whether a client wants to know when its server is silent.
    private(set) var watchesSilence = false
    /// Since when it does: what was overdue before was known.
    private(set) var watchesSilenceFrom = Instant(nanoseconds: .min)
    /// Until when silence does not end the connection.
    private(set) var suspendsIdleUntil = Instant(nanoseconds: .min)

    // At a client.
    /// The paths that were opened for the machine, by their remote addresses.
    var paths: ContiguousArray<KnownPath> = []
    var lastHeard: Instant
    var lastElicited: Instant
    /// Whether a client doubts that its server is still where it was, and looks for a sign of it.
    private(set) var isInDoubt = false
    /// Whether nothing of the application's waits for an acknowledgement. Who is heard all the while has not gone, even
    /// if it does not acknowledge the rest.
    var onlyListens = false
    /// The size of the datagram that is being processed.
    var lastDatagramSize = 0

    // At both ends: where data went when the machine last looked.
    var local: NetworkAddress
    var remote: NetworkAddress

    // At a server.
    /// Where we were before the latest thaw.
    var movedFrom: NetworkAddress?
    /// Packet numbers that no copy of the connection was to use: who acknowledges one has seen another copy.
    var unusedNumbers: Range<UInt64>?
    /// Whether nothing has come from the client since the latest thaw.
    var awaitsSign = false
    /// Whether nothing but probes has come from the client since the latest thaw.
    var awaitsFirstWord = false
    /// Whether the client has yet to be asked for the connection ids back that it had before the thaw.
    var owesFreshIDs = false

    struct KnownPath: Codable {
        var id: PathID
        var remote: NetworkAddress
    }

    init(_ machine: MigrationMachine, local: NetworkAddress, remote: NetworkAddress, now: Instant) {
        self.machine = machine
        (self.local, self.remote) = (local, remote)
        (lastHeard, lastElicited) = (now, now)
        update(now: now)
    }

    /// Until when the server was certainly there for a client that does nothing but listen.
    var heardUntil: Instant { onlyListens ? lastHeard : Instant(nanoseconds: .min) }

    var client: ClientMigrationMachine? {
        if case .client(let client) = machine { client } else { nil }
    }

    var server: ServerMigrationMachine? {
        if case .server(let server) = machine { server } else { nil }
    }

    // MARK: Inputs

    /// The machine is taken out while it changes, so that it changes in place.
    func handle(
        _ input: ClientMigrationInput, in surroundings: ClientSurroundings, now: Instant
    ) throws(TransportError) -> ClientMigrationActions {
        guard case .client(var client) = machine else { return [] }
        var actions = ClientMigrationActions()
        machine = .off
        defer {
            machine = .client(client)
            update(now: now)
        }
        try client.handle(input, in: surroundings, now: now, actions: &actions)
        return actions
    }

    func handle(
        _ input: ServerMigrationInput, in surroundings: ServerSurroundings, now: Instant
    ) -> ServerMigrationActions {
        guard case .server(var server) = machine else { return [] }
        var actions = ServerMigrationActions()
        machine = .off
        server.handle(input, in: surroundings, now: now, actions: &actions)
        machine = .server(server)
        update(now: now)
        return actions
    }

    func absorbsReset(
        from remote: NetworkAddress, in surroundings: ClientSurroundings, now: Instant,
        actions: inout ClientMigrationActions
    ) -> Bool {
        guard case .client(var client) = machine else { return false }
        machine = .off
        defer {
            machine = .client(client)
            update(now: now)
        }
        return client.absorbsReset(from: remote, in: surroundings, now: now, actions: &actions)
    }

    func onFrameSent(_ id: MigrationFrameID) {
        machine.onFrameSent(id)
        hasFrameToSend = machine.frameToSend != nil
    }

    func resume(shiftedBy span: TimeSpan) {
        machine.resume(shiftedBy: span)
        lastHeard += span
        lastElicited += span
        if watchesSilence { watchesSilenceFrom += span }
        update(now: lastHeard)
    }

    /// What is asked for every packet is kept at hand.
    private func update(now: Instant) {
        deadline = machine.deadline
        hasFrameToSend = machine.frameToSend != nil
        switch machine {
        case .off: break
        case .client(let client):
            if client.watchesSilence, !watchesSilence { watchesSilenceFrom = now }
            watchesSilence = client.watchesSilence
            isInDoubt = client.wantsAcknowledgements
            suspendsIdleUntil = client.idleTimeoutSuspended(at: now) ?? Instant(nanoseconds: .min)
        case .server(let server): awaitsClient = server.awaitsClient
        }
    }

    // MARK: Paths

    func remember(_ id: PathID, to remote: NetworkAddress) {
        if !paths.contains(where: { $0.id == id }) { paths.append(KnownPath(id: id, remote: remote)) }
    }

    /// Forgets a path that is gone; where it led to.
    func forget(_ id: PathID) -> NetworkAddress? {
        guard let index = paths.firstIndex(where: { $0.id == id }) else { return nil }
        return paths.remove(at: index).remote
    }
}

/// Whether a server's process is about to be frozen.
enum Standstill: UInt8, Codable {
    case none
    /// The last word is being said.
    case falling
    /// Nothing is read, no timer runs and nothing is sent.
    case held
}

/// A plan to move that connections join whose handshakes complete.
struct OpenMigrationPlan: Codable {
    var plan: MigrationPlan
    var epoch: MigrationEpoch
}

/// What an endpoint knows of its own moves.
struct EndpointMigration: Codable {
    var ledger: EpochLedger
    var resetHold = StatelessResetHold()

    init(requiresHold: Bool) { ledger = EpochLedger(requiresHold: requiresHold) }

    /// Whether a datagram to an unknown connection id may be answered with a stateless reset.
    func permitsReset(at now: Instant, isIssuedHere: Bool) -> Bool {
        resetHold.permitsReset(at: now, isIssuedHere: isIssuedHere)
    }

    mutating func resume(shiftedBy span: TimeSpan) { resetHold.resume(shiftedBy: span) }
}

extension TransportConfiguration {
    /// What a connection needs on which the server may move: connection ids for a path to each address, at both ends
    /// (Specs/server-migration.md 5.2.1, 5.10).
    mutating func makeRoomForMoves() {
        activeConnectionIDLimit = max(activeConnectionIDLimit, LocalConnectionIDs.mostIssued)
    }
}

extension PathConfiguration {
    /// Room for all candidates, the active path and its predecessor.
    mutating func makeRoomForMoves(_ settings: ClientMigrationSettings) {
        let isThesis = settings.isOn && settings.behaviour.policy == .thesis
        maximumPaths = isThesis ? 40 : 16
        padsChallenges = !isThesis
    }
}
