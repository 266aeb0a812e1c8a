import GodwitWire

/// Draws what goes wrong in a ``FaultPlan``, each fault when the one before is over.
struct FaultDrawing {
    private var random: DeterministicRandom
    private let limits: FaultPlanLimits
    private let clients: [ClientPlan]
    private let isIPv4: Bool
    /// How often anyone has moved, which makes every address new.
    private var moves = 0
    private var hasRestarted = false
    /// The clients that left their translators.
    private var untranslated: Set<Int> = []
    private(set) var all: [TimedFault] = []

    init(random: DeterministicRandom, limits: FaultPlanLimits, clients: [ClientPlan], isIPv4: Bool) {
        self.random = random
        self.limits = limits
        self.clients = clients
        self.isIPv4 = isIPv4
        guard !clients.isEmpty else { return }
        var time = TimeSpan.zero
        for _ in 0..<self.random.integer(in: limits.faults) {
            time = time + self.random.plannedSpan(.milliseconds(10), .seconds(3))
            let fault = TimedFault(at: time, draw())
            all.append(fault)
            time = fault.end
        }
    }

    private mutating func draw() -> Fault {
        let client = random.integer(in: 0...(clients.count - 1))
        switch random.integer(in: 0...9) {
        case 0...1 where clients[client].translator != nil && !untranslated.contains(client):
            return rebinding(client)
        case 2...3 where limits.clientsMove: return move(client)
        case 4 where limits.attackers: return attack(client)
        case 5:
            return .outage(client: client, lasting: random.plannedSpan(.milliseconds(50), limits.outage))
        case 6...7: return change(client)
        case 8 where limits.serverRestarts && !hasRestarted && random.chance(0.4): return restart()
        default: return freeze(client)
        }
    }

    private mutating func rebinding(_ client: Int) -> Fault {
        guard random.chance(0.5) else { return .rebinding(client: client, to: nil) }
        moves += 1
        return .rebinding(client: client, to: PlannedAddresses.translator(client, isIPv4, move: moves))
    }

    private mutating func move(_ client: Int) -> Fault {
        moves += 1
        untranslated.insert(client)
        return .move(client: client, to: PlannedAddresses.client(client, isIPv4, move: moves))
    }

    private mutating func freeze(_ client: Int) -> Fault {
        let participant = random.chance(0.7) ? Fault.Participant.server : .client(client)
        let longest = limits.clockJump
        let jump = random.chance(0.5) ? .zero : random.plannedSpan(.zero - longest, longest)
        let moves = participant == .server && limits.serverMoves && random.chance(0.7)
        if moves { self.moves += 1 }
        return .freeze(
            participant, lasting: random.plannedSpan(.milliseconds(10), limits.freeze), clockJump: jump,
            movingTo: moves ? PlannedAddresses.server(isIPv4, move: self.moves) : nil)
    }

    private mutating func restart() -> Fault {
        hasRestarted = true
        return .restart(lasting: random.plannedSpan(.milliseconds(10), limits.freeze))
    }

    /// Another place in the same network: nearer or farther, over lines that carry larger or smaller packets
    /// and treat marks in another way; all else as it was.
    private mutating func change(_ client: Int) -> Fault {
        var (egress, ingress) = (clients[client].egress, clients[client].ingress)
        egress.delay = random.plannedSpan(.microseconds(100), egress.delay)
        ingress.delay = random.plannedSpan(.microseconds(100), ingress.delay)
        if random.chance(0.6) {
            egress.mtu = random.element(of: [1500, 1400, 1350, 1280])
            ingress.mtu = random.element(of: [1500, 1400, 1350, 1280])
        }
        if random.chance(0.3) { egress.ecn = random.element(of: ECNTreatment.allCases) }
        return .change(client: client, egress: egress, ingress: ingress)
    }

    /// Datagrams that come late, or that are forwarded from elsewhere. What the attacker forwards stays
    /// little enough that the connection outlives it.
    private mutating func attack(_ client: Int) -> Fault {
        let isReplay = random.chance(0.5)
        let parameters = AttackerParameters(
            probability: random.number(in: 0...(isReplay ? 0.3 : 0.05)),
            delay: isReplay ? random.plannedSpan(.zero, .seconds(2)) : .zero,
            jitter: .milliseconds(10), disguise: isReplay ? .genuine : .own,
            relaysReplies: random.chance(0.5), limit: 200)
        moves += 1
        return .attack(client: client, parameters, from: PlannedAddresses.attacker(moves, isIPv4))
    }
}

extension TimedFault {
    /// When the network is again as it will stay.
    var end: TimeSpan {
        switch fault {
        case .freeze(_, let lasting, _, _), .outage(_, let lasting), .restart(let lasting): time + lasting
        case .rebinding, .move, .change, .attack: time
        }
    }
}
