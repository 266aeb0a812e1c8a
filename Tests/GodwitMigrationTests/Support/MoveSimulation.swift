import GodwitMigration
import GodwitWire

/// A packet between the two ends of a ``MoveSimulation``.
struct ToyPacket {
    var from: NetworkAddress
    var to: NetworkAddress
    var number: UInt64 = 0
    var frames: [OutgoingMigrationFrame] = []
    var challenge: UInt64?
    var response: UInt64?
    var acknowledged: [UInt64] = []
    var requests: [Int] = []
    var replies: [Int] = []
    var isPing = false

    var isProbing: Bool {
        frames.isEmpty && acknowledged.isEmpty && requests.isEmpty && replies.isEmpty && !isPing
    }
    var isEliciting: Bool {
        !frames.isEmpty || !requests.isEmpty || !replies.isEmpty || isPing || challenge != nil
            || response != nil
    }
}

/// A client and a server whose connections are toys, but whose machines are real, and a network that loses
/// packets; in virtual time.
struct MoveSimulation {
    struct Plan {
        var suite = MigrationSuite.all
        var order = MigrationOrder.explicit(destination: .new)
        var serverPolicy = MigrationPolicy.godwit
        var clientPolicy = MigrationPolicy.godwit
        var pool: [NetworkAddress] = []
        var loss = 0.0
        var notice = TimeSpan.seconds(1)
        var freeze = TimeSpan.seconds(1)
        /// The client asks so often; nil for a client that asks nothing after its first request.
        var requestInterval: TimeSpan? = .milliseconds(200)
        /// Whether the server goes on sending on its own, as in a download.
        var isDownload = false
        /// Whether packets from an address reach the client only if it has sent there before.
        var isFiltered = false
        var destination = NetworkAddress.new
        var seed: UInt64 = 1
    }

    private enum Happening {
        case toServer(ToyPacket)
        case toClient(ToyPacket)
        case request
        case push
        case prepare
        case freeze
        case thaw
    }

    private struct Scheduled {
        var time: Instant
        var happening: Happening
    }

    let plan: Plan
    private(set) var now = Instant.zero
    private var random: TestRandom
    private var queue: [Scheduled] = []
    private(set) var client: ToyClient
    private(set) var server: ToyServer
    /// When the server went on.
    private(set) var thawedAt: Instant?
    /// When the client's data went to the new address.
    private(set) var movedAt: Instant?
    /// When the first reply or push came that was sent after the thaw.
    private(set) var resumedAt: Instant?
    private var reached: Set<NetworkAddress> = [.old]

    init(_ plan: Plan) throws {
        self.plan = plan
        random = TestRandom(seed: plan.seed)
        let agreement = try MigrationAgreement.of(plan.suite)
        client = ToyClient(agreement, plan.clientPolicy, seed: plan.seed)
        server = ToyServer(agreement, plan.serverPolicy, AddressPool(plan.pool)!, seed: plan.seed)
        schedule(.request, in: .zero)
        schedule(.prepare, in: .milliseconds(500))
        schedule(.freeze, in: .milliseconds(500) + plan.notice)
        schedule(.thaw, in: .milliseconds(500) + plan.notice + plan.freeze)
        if plan.isDownload { schedule(.push, in: .milliseconds(400)) }
        sendFromServer()
    }

    // MARK: Running

    mutating func run(until end: Instant) throws {
        while let next = nextTime, next <= end { try step() }
        now = end
    }

    private var nextTime: Instant? {
        [queue.first?.time, client.deadline, server.deadline].compactMap { $0 }.min()
    }

    private mutating func step() throws {
        guard let next = nextTime else { return }
        now = max(now, next)
        if let first = queue.first, first.time <= now {
            queue.removeFirst()
            try handle(first.happening)
        } else if let deadline = client.deadline, deadline <= now {
            try client.onDeadline(now)
        } else {
            server.onDeadline(now)
        }
        sendFromClient()
        sendFromServer()
    }

    private mutating func handle(_ happening: Happening) throws {
        switch happening {
        case .toServer(let packet): server.receive(packet, now)
        case .toClient(let packet): try deliver(packet)
        case .request:
            client.ask(now)
            if let interval = plan.requestInterval { schedule(.request, in: interval) }
        case .push:
            server.push()
            schedule(.push, in: .milliseconds(20))
        case .prepare: server.command(.prepare(plan.order, .first), now)
        case .freeze: server.freeze(now)
        case .thaw:
            server.thaw(at: plan.destination, seed: random.next(), now)
            thawedAt = now
        }
    }

    private mutating func deliver(_ packet: ToyPacket) throws {
        if plan.isFiltered, !reached.contains(packet.from) { return }
        try client.receive(packet, now)
        if movedAt == nil, client.active != .old { movedAt = now }
        if resumedAt == nil, thawedAt != nil, packet.from == plan.destination, !packet.replies.isEmpty {
            resumedAt = now
        }
    }

    // MARK: The network

    private mutating func sendFromClient() {
        for packet in client.takeOutgoing() {
            reached.insert(packet.to)
            if movedAt == nil, client.active != .old { movedAt = now }
            transmit(.toServer(packet), delay: delay(of: packet.to))
        }
    }

    private mutating func sendFromServer() {
        for packet in server.takeOutgoing() { transmit(.toClient(packet), delay: delay(of: packet.from)) }
    }

    /// The way to the old address is longer.
    private func delay(of address: NetworkAddress) -> TimeSpan {
        address == .old ? .milliseconds(61) : .milliseconds(9)
    }

    private mutating func transmit(_ happening: Happening, delay: TimeSpan) {
        if !random.chance(plan.loss) { schedule(happening, in: delay) }
    }

    private mutating func schedule(_ happening: Happening, in delay: TimeSpan) {
        let time = now + delay
        let position = queue.firstIndex { $0.time > time } ?? queue.endIndex
        queue.insert(Scheduled(time: time, happening: happening), at: position)
    }
}

/// The client's end: requests, probe timeouts and paths, as simple as they can be.
struct ToyClient {
    private(set) var machine: ClientMigrationMachine
    private(set) var active = NetworkAddress.old
    private(set) var events: [ClientMigrationEvent] = []
    private(set) var error: TransportError?
    private(set) var probes: [NetworkAddress: Int] = [:]
    private var outgoing: [ToyPacket] = []
    private var nextNumber: UInt64 = 0
    private var nextRequest = 0
    private(set) var unanswered: Set<Int> = []
    private var pingsInFlight = false
    private var challenges: [UInt64: NetworkAddress] = [:]
    private var largestNonProbing: UInt64?
    private var lastHeard = Instant.zero
    private var lastElicited = Instant.zero
    private var probeTimeoutAt = Instant.distantFuture
    private var probeTimeouts = 0
    /// Where data went before the thesis's client turned away.
    private var keptRoundTrip = TimeSpan.milliseconds(250)

    init(_ agreement: MigrationAgreement, _ policy: MigrationPolicy, seed: UInt64) {
        var configuration = ClientMigrationConfiguration()
        configuration.policy = policy
        machine = ClientMigrationMachine(agreement: agreement, configuration: configuration, seed: seed)
    }

    private var baseTimeout: TimeSpan { active == .old ? .milliseconds(250) : .milliseconds(60) }

    private var surroundings: ClientSurroundings {
        ClientSurroundings(
            active: active, probeTimeout: baseTimeout, lastHeard: lastHeard, lastElicited: lastElicited,
            awaitsAcknowledgement: !unanswered.isEmpty || pingsInFlight, spareIDs: 29)
    }

    var deadline: Instant? {
        guard error == nil else { return nil }
        return [machine.deadline, probeTimeoutAt == .distantFuture ? nil : probeTimeoutAt].compactMap { $0 }
            .min()
    }

    mutating func takeOutgoing() -> [ToyPacket] {
        defer { outgoing = [] }
        return error == nil ? outgoing : []
    }

    mutating func ask(_ now: Instant) {
        let request = nextRequest
        nextRequest += 1
        unanswered.insert(request)
        send(now) { $0.requests = [request] }
    }

    private mutating func send(
        to address: NetworkAddress? = nil, _ now: Instant, _ fill: (inout ToyPacket) -> Void
    ) {
        var packet = ToyPacket(from: .client, to: address ?? active, number: nextNumber)
        nextNumber += 1
        fill(&packet)
        outgoing.append(packet)
        if packet.challenge == nil, packet.response == nil, packet.isEliciting,
            probeTimeoutAt == .distantFuture
        {
            probeTimeoutAt = now + baseTimeout
        }
    }

    mutating func receive(_ packet: ToyPacket, _ now: Instant) throws {
        guard error == nil, packet.from == active || machine.admits(packet.from, active: active) else {
            return
        }
        lastHeard = now
        if packet.isEliciting { lastElicited = now }
        var isHighest = false
        if !packet.isProbing, packet.number > largestNonProbing ?? 0 {
            (largestNonProbing, isHighest) = (packet.number, true)
        }
        for frame in packet.frames {
            report(.frame(frame.frame, packetNumber: packet.number, from: packet.from), now)
        }
        if machine.wantsPacket(from: packet.from, active: active) {
            report(.packet(number: packet.number, from: packet.from, isHighestNonProbing: isHighest), now)
        }
        if machine.wantsElicitation, packet.isEliciting { report(.elicited, now) }
        receiveAnswers(packet, now)
        // Only probes go where data does not (RFC 9000 section 9.1).
        if let challenge = packet.challenge { send(to: packet.from, now) { $0.response = challenge } }
        if packet.isEliciting { send(now) { $0.acknowledged = [packet.number] } }
    }

    private mutating func receiveAnswers(_ packet: ToyPacket, _ now: Instant) {
        if let largest = packet.acknowledged.max() {
            if machine.wantsAcknowledgements {
                report(.acknowledgement(largest: largest, from: packet.from), now)
            }
            (probeTimeouts, pingsInFlight) = (0, false)
        }
        unanswered.subtract(packet.replies)
        probeTimeoutAt = unanswered.isEmpty && !pingsInFlight ? .distantFuture : now + baseTimeout
        if let response = packet.response, let address = challenges[response] {
            report(.pathValidated(address, packetNumber: packet.number), now)
        }
    }

    mutating func onDeadline(_ now: Instant) throws {
        if let deadline = machine.deadline, deadline <= now { report(.deadline, now) }
        guard probeTimeoutAt <= now else { return }
        probeTimeouts = min(probeTimeouts + 1, 8)
        probeTimeoutAt = now + baseTimeout * Int64(1 << probeTimeouts)
        report(.probeTimeout(largestSent: nextNumber == 0 ? 0 : nextNumber - 1), now)
        repeatRequests(now)
    }

    private mutating func repeatRequests(_ now: Instant) {
        let requests = unanswered.sorted()
        send(now) { ($0.requests, $0.isPing) = (requests, true) }
    }

    private mutating func report(_ input: ClientMigrationInput, _ now: Instant) {
        var actions = ClientMigrationActions()
        do {
            try machine.handle(input, in: surroundings, now: now, actions: &actions)
        } catch {
            self.error = error
        }
        for action in actions { apply(action, now) }
    }

    private mutating func apply(_ action: ClientMigrationAction, _ now: Instant) {
        switch action {
        case .probe(let address), .probeSparingly(let address): challenge(address, now)
        case .switchPath(let address):
            active = address
            (probeTimeouts, probeTimeoutAt) = (0, .distantFuture)
            repeatRequests(now)
        case .redirect(let address), .rollBack(let address): active = address
        case .follow(let address):
            active = address
            challenge(address, now)
        case .ping:
            pingsInFlight = true
            send(now) { $0.isPing = true }
        case .close(let error): self.error = error
        case .event(let event): events.append(event)
        case .reserve, .release, .supplyConnectionIDs: break
        }
    }

    private mutating func challenge(_ address: NetworkAddress, _ now: Instant) {
        let data = nextNumber
        challenges[data] = address
        probes[address, default: 0] += 1
        send(to: address, now) { $0.challenge = data }
    }
}

/// The server's end.
struct ToyServer {
    private(set) var machine: ServerMigrationMachine
    private(set) var events: [ServerMigrationEvent] = []
    private(set) var outcomes: [MigrationOutcome] = []
    private(set) var local = NetworkAddress.old
    private(set) var challengesSent = 0
    private var isFrozen = false
    private var outgoing: [ToyPacket] = []
    private var nextNumber: UInt64 = 1
    private var nextPush = -1
    private var inFlight: [UInt64: (ids: [MigrationFrameID], sentAt: Instant)] = [:]
    private var responses: Set<UInt64> = []
    private var challenges: Set<UInt64> = []
    private var lossDeadline: Instant?

    init(_ agreement: MigrationAgreement, _ policy: MigrationPolicy, _ pool: AddressPool, seed: UInt64) {
        machine = ServerMigrationMachine(agreement: agreement, policy: policy, pool: pool, seed: seed)
        command(.handshakeConfirmed, .zero)
    }

    var deadline: Instant? {
        isFrozen
            ? nil
            : [machine.deadline, inFlight.values.map { $0.sentAt + .milliseconds(300) }.min()].compactMap {
                $0
            }.min()
    }

    mutating func takeOutgoing() -> [ToyPacket] {
        defer { outgoing = [] }
        return outgoing
    }

    mutating func command(_ input: ServerMigrationInput, _ now: Instant) {
        var actions = ServerMigrationActions()
        let surroundings = ServerSurroundings(local: local, remote: .client)
        machine.handle(input, in: surroundings, now: now, actions: &actions)
        for action in actions {
            switch action {
            case .probe:
                challengesSent += 1
                challenges.insert(nextNumber)
                send { $0.challenge = $0.number }
            case .report(let report): outcomes.append(report.outcome)
            case .event(let event): events.append(event)
            case .supplyConnectionIDs, .close: break
            }
        }
        sendFrames(now)
    }

    private mutating func sendFrames(_ now: Instant) {
        while let frame = machine.frameToSend {
            machine.onFrameSent(frame.id)
            inFlight[nextNumber] = ([frame.id], now)
            send { $0.frames = [frame] }
        }
    }

    private mutating func send(_ fill: (inout ToyPacket) -> Void) {
        var packet = ToyPacket(from: local, to: .client, number: nextNumber)
        nextNumber += 1
        fill(&packet)
        outgoing.append(packet)
    }

    mutating func push() {
        guard !isFrozen else { return }
        let push = nextPush
        nextPush -= 1
        send { $0.replies = [push] }
    }

    mutating func freeze(_ now: Instant) {
        command(.hold(.first), now)
        isFrozen = true
    }

    mutating func thaw(at address: NetworkAddress, seed: UInt64, _ now: Instant) {
        (isFrozen, local) = (false, address)
        nextNumber += PacketNumberSkip.draw(seed)
        command(.networkSwitched(.first, ServerThaw(clientAddresses: [.client], seed: seed)), now)
    }

    mutating func receive(_ packet: ToyPacket, _ now: Instant) {
        guard !isFrozen, packet.to == local else { return }
        if machine.awaitsClient { command(.clientPacket(isNonProbing: !packet.isProbing), now) }
        for number in packet.acknowledged {
            for id in inFlight.removeValue(forKey: number)?.ids ?? [] { command(.frameAcknowledged(id), now) }
            if responses.remove(number) != nil { command(.pathResponseAcknowledged, now) }
        }
        if let response = packet.response, challenges.remove(response) != nil {
            command(.pathValidated(.client), now)
        }
        guard packet.isEliciting else { return }
        if packet.challenge != nil { responses.insert(nextNumber) }
        send {
            $0.acknowledged = [packet.number]
            $0.response = packet.challenge
            $0.replies = packet.requests
        }
    }

    mutating func onDeadline(_ now: Instant) {
        if let deadline = machine.deadline, deadline <= now { command(.deadline, now) }
        for (number, sent) in inFlight.sorted(by: { $0.key < $1.key })
        where sent.sentAt + .milliseconds(300) <= now {
            inFlight[number] = nil
            for id in sent.ids { command(.frameLost(id), now) }
        }
    }
}
