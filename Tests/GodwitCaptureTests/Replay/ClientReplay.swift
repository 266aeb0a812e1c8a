import GodwitMigration
import GodwitWire

/// Our client's machine in the place of the captured client: it gets what the server sent, and when the
/// captured client's timeouts were.
struct ClientReplay {
    /// A packet that we would have sent elsewhere, or with another number of challenges.
    struct Difference {
        var packetNumber: UInt64
        var captured: NetworkAddress
        var ours: NetworkAddress
        var capturedChallenges: Int
        var ourChallenges: Int
    }

    private(set) var differences: [Difference] = []
    private(set) var events: [ClientMigrationEvent] = []
    /// Where data went without that the address had answered.
    private(set) var unvalidated: Set<NetworkAddress> = []
    /// What was challenged on a timer of the machine's own.
    private(set) var probed: Set<NetworkAddress> = []
    /// How many 1-RTT packets were sent as captured.
    private(set) var packetCount = 0
    var active: NetworkAddress { surroundings.active }

    private var machine: ClientMigrationMachine
    private var surroundings: ClientSurroundings
    private var now = Instant.zero
    /// How many challenges the next packet has to have.
    private var owedChallenges = 0
    /// What the captured client has challenged.
    private var challenges: Set<UInt64> = []
    /// What has answered them.
    private var validated: Set<NetworkAddress> = []
    private var largestNonProbing: UInt64?
    private var largestSent: UInt64 = 0
    /// Whether the application has yet to say that the server moves.
    private var announcesMove: Bool
    private var hasServerMoved = false

    init(
        _ agreement: MigrationAgreement, _ configuration: ClientMigrationConfiguration, isProactive: Bool,
        _ run: CapturedRun
    ) {
        machine = ClientMigrationMachine(agreement: agreement, configuration: configuration, seed: 1)
        surroundings = ClientSurroundings(
            active: run.datagrams[0].destination, probeTimeout: .milliseconds(30), lastHeard: .zero,
            lastElicited: .zero, awaitsAcknowledgement: false, spareIDs: 29)
        announcesMove = isProactive
    }

    mutating func play(_ timeline: Timeline) throws {
        for (time, happening) in timeline.happenings {
            while let deadline = machine.deadline, deadline < time { try handle(.deadline, at: deadline) }
            now = max(now, time)
            switch happening {
            case .received(let packet): try receive(packet)
            case .sent(let packet, let isProbe): try send(packet, isProbe: isProbe)
            case .prepare: break
            case .switched: hasServerMoved = true
            }
        }
    }

    private mutating func handle(_ input: ClientMigrationInput, at time: Instant? = nil) throws {
        now = max(now, time ?? now)
        var actions = ClientMigrationActions()
        try machine.handle(input, in: surroundings, now: now, actions: &actions)
        for action in actions { perform(action) }
    }

    private mutating func perform(_ action: ClientMigrationAction) {
        switch action {
        case .probe(let address), .probeSparingly(let address): probed.insert(address)
        case .switchPath(let address):
            surroundings.active = address
            if !validated.contains(address) { unvalidated.insert(address) }
        case .redirect(let address):
            surroundings.active = address
            unvalidated.insert(address)
        case .rollBack(let address): surroundings.active = address
        case .follow(let address):
            surroundings.active = address
            unvalidated.insert(address)
            owedChallenges += 1
        case .event(let event): events.append(event)
        case .reserve, .release, .ping, .supplyConnectionIDs, .close: break
        }
    }

    private mutating func receive(_ packet: OpenedPacket) throws {
        guard packet.level == .oneRTT else { return }
        guard packet.source == active || machine.admits(packet.source, active: active) else { return }
        surroundings.lastHeard = now
        if try packet.isEliciting() { surroundings.lastElicited = now }
        for frame in try packet.migrationFrames() {
            try handle(.frame(frame, packetNumber: packet.number, from: packet.source))
        }
        for range in try packet.acknowledged() where machine.wantsAcknowledgements {
            try handle(.acknowledgement(largest: range.largest, from: packet.source))
        }
        for response in try packet.responses() where challenges.contains(response) {
            validated.insert(packet.source)
            try handle(.pathValidated(packet.source, packetNumber: packet.number))
        }
        let isHighest =
            try packet.isNonProbing() && largestNonProbing.map { packet.number > $0 } ?? true
        if isHighest { largestNonProbing = packet.number }
        guard machine.wantsPacket(from: packet.source, active: active) else { return }
        try handle(.packet(number: packet.number, from: packet.source, isHighestNonProbing: isHighest))
    }

    private mutating func send(_ packet: OpenedPacket, isProbe: Bool) throws {
        if announcesMove, hasServerMoved, try packet.opensRequest() {
            announcesMove = false
            try handle(.moveNow(largestSent: largestSent))
        }
        if isProbe { try handle(.probeTimeout(largestSent: largestSent)) }
        largestSent = packet.number
        let captured = try packet.challenges()
        challenges.formUnion(captured)
        packetCount += 1
        if packet.destination != active || captured.count != owedChallenges {
            differences.append(
                Difference(
                    packetNumber: packet.number, captured: packet.destination, ours: active,
                    capturedChallenges: captured.count, ourChallenges: owedChallenges))
        }
        owedChallenges = 0
    }
}
