import GodwitMigration
import GodwitWire

/// Our server's machine in the place of the captured server: it gets what the client sent and the operator
/// said, and has to send what the captured server sent.
struct ServerReplay {
    /// A packet in which our frames are not the captured ones.
    struct Difference {
        var packetNumber: UInt64
        var captured: [MigrationFrame]
        var ours: [MigrationFrame]
    }

    private(set) var differences: [Difference] = []
    private(set) var events: [ServerMigrationEvent] = []
    /// How many migration frames were sent as captured.
    private(set) var frameCount = 0

    private var machine: ServerMigrationMachine
    private var surroundings: ServerSurroundings
    private var now = Instant.zero
    /// The frames that were not acknowledged, by the last packet that they were in.
    private var inFlight: [UInt64: [OutgoingMigrationFrame]] = [:]
    private var responses: Set<UInt64> = []

    init(_ agreement: MigrationAgreement, _ policy: MigrationPolicy, pool: AddressPool, _ run: CapturedRun) {
        machine = ServerMigrationMachine(agreement: agreement, policy: policy, pool: pool, seed: 1)
        surroundings = ServerSurroundings(
            local: run.datagrams[0].destination, remote: run.datagrams[0].source)
    }

    mutating func play(_ timeline: Timeline) throws {
        for (time, happening) in timeline.happenings {
            while let deadline = machine.deadline, deadline < time { handle(.deadline, at: deadline) }
            now = max(now, time)
            switch happening {
            case .received(let packet): try receive(packet)
            case .sent(let packet, let isProbe): try send(packet, isProbe: isProbe)
            case .prepare(let order): handle(.prepare(order, MigrationEpoch(rawValue: 1)))
            case .switched:
                let thaw = ServerThaw(clientAddresses: [surroundings.remote], seed: 2)
                handle(.networkSwitched(MigrationEpoch(rawValue: 1), thaw))
            }
        }
    }

    private mutating func handle(_ input: ServerMigrationInput, at time: Instant? = nil) {
        now = max(now, time ?? now)
        var actions = ServerMigrationActions()
        machine.handle(input, in: surroundings, now: now, actions: &actions)
        for case .event(let event) in actions { events.append(event) }
    }

    private mutating func receive(_ packet: OpenedPacket) throws {
        // The client's Finished is all that it has to send in Handshake packets.
        guard packet.level == .oneRTT else { return handle(.handshakeConfirmed) }
        let isHere = packet.destination == surroundings.local
        if machine.awaitsClient, isHere {
            handle(.clientPacket(isNonProbing: try packet.isNonProbing()))
        }
        for range in try packet.acknowledged() { acknowledge(range) }
    }

    private mutating func acknowledge(_ range: AckRange) {
        for (number, frames) in inFlight where range.contains(number) {
            inFlight[number] = nil
            for frame in frames { handle(.frameAcknowledged(frame.id)) }
        }
        if responses.contains(where: range.contains) { handle(.pathResponseAcknowledged) }
        responses = responses.filter { !range.contains($0) }
    }

    private mutating func send(_ packet: OpenedPacket, isProbe: Bool) throws {
        surroundings.local = packet.source
        let captured = try packet.migrationFrames()
        // What a probe repeats is up to the connection. Here it is whatever the captured one repeats.
        if isProbe, !captured.isEmpty { loseAll() }
        var ours: [OutgoingMigrationFrame] = []
        while let frame = machine.frameToSend {
            machine.onFrameSent(frame.id)
            ours.append(frame)
        }
        if !ours.isEmpty { inFlight[packet.number] = ours }
        if try !packet.responses().isEmpty { responses.insert(packet.number) }
        frameCount += ours.count
        guard ours.map(\.frame) != captured else { return }
        differences.append(
            Difference(packetNumber: packet.number, captured: captured, ours: ours.map(\.frame)))
    }

    private mutating func loseAll() {
        for frame in inFlight.values.joined() { handle(.frameLost(frame.id)) }
        inFlight = [:]
    }
}
