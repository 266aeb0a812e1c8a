import GodwitWire

extension FaultPlan {
    /// Draws a plan.
    ///
    /// - Parameters:
    ///   - seed: what it follows from; the same seed and limits give the same plan.
    ///   - limits: how far it goes.
    public init(seed: UInt64, limits: FaultPlanLimits = FaultPlanLimits()) {
        precondition(max(limits.clients.upperBound, limits.faults.upperBound) <= PlannedAddresses.capacity)
        let root = DeterministicRandom(seed: seed).forked("fault plan")
        var random = root.forked("everyone")
        let isIPv4 = random.chance(0.7)
        let clients = (0..<random.integer(in: limits.clients)).map { index in
            ClientPlan(
                drawnFrom: root.forked("client \(index)"), index: index, isIPv4: isIPv4, limits: limits)
        }
        let faults = FaultDrawing(
            random: root.forked("faults"), limits: limits, clients: clients, isIPv4: isIPv4)
        let server = ServerPlan(
            address: PlannedAddresses.server(isIPv4), clockOffset: random.clockOffset(limits),
            collecting: random.collecting())
        self.init(
            seed: seed, server: server, clients: clients, faults: faults.all, timeLimit: .zero)
        timeLimit = estimatedTimeLimit
    }

    /// Several times what a protocol needs that backs off exponentially.
    private var estimatedTimeLimit: TimeSpan {
        let lastFault = faults.map(\.end).max() ?? .zero
        let slowest = clients.map { $0.start + $0.estimatedDuration }.max() ?? .zero
        return .seconds(120) + lastFault + lastFault + slowest
    }
}

/// Addresses from the ranges for documentation and benchmarks (RFC 5737, RFC 2544, RFC 3849) and for private
/// use (RFC 1918, RFC 4193). Every move is to an address that nobody had before.
enum PlannedAddresses {
    /// The most clients, and the most moves, that the ranges have room for.
    static let capacity = 250

    static func server(_ isIPv4: Bool, move: Int = 0) -> NetworkAddress {
        NetworkAddress(ip: pick(isIPv4, 0xc000_0201 + move, subnet: 0x1_0000, move), port: 443)
    }

    static func client(_ index: Int, _ isIPv4: Bool, move: Int = 0) -> NetworkAddress {
        let ip = pick(isIPv4, 0xc612_0001 + index << 8 + move, subnet: 0x2_0000 + index, move)
        return NetworkAddress(ip: ip, port: UInt16(40_000 + index))
    }

    static func inside(_ index: Int, _ isIPv4: Bool) -> NetworkAddress {
        let ip = isIPv4 ? IPAddress(v4: 0x0a00_0002) : IPAddress(high: 0xfd00_0000_0000_0000, low: 2)
        return NetworkAddress(ip: ip, port: UInt16(50_000 + index))
    }

    static func translator(_ index: Int, _ isIPv4: Bool, move: Int = 0) -> IPAddress {
        pick(isIPv4, 0xc613_0001 + index << 8 + move, subnet: 0x3_0000 + index, move)
    }

    static func attacker(_ index: Int, _ isIPv4: Bool) -> NetworkAddress {
        NetworkAddress(ip: pick(isIPv4, 0xcb00_7101 + index, subnet: 0x4_0000, index), port: 6666)
    }

    private static func pick(_ isIPv4: Bool, _ v4: Int, subnet: Int, _ host: Int) -> IPAddress {
        isIPv4
            ? IPAddress(v4: UInt32(v4))
            : IPAddress(high: 0x2001_0db8_0000_0000 | UInt64(subnet), low: UInt64(1 + host))
    }
}

extension DeterministicRandom {
    /// A length of time in whole microseconds, which a person can still read; the shorter bound gives way.
    mutating func plannedSpan(_ shortest: TimeSpan, _ longest: TimeSpan) -> TimeSpan {
        let bounds = Int(min(shortest, longest).microseconds)...Int(longest.microseconds)
        return .microseconds(Int64(integer(in: bounds)))
    }

    /// Clocks show a time since some start; one that jumps back must not come to lie before it.
    fileprivate mutating func clockOffset(_ limits: FaultPlanLimits) -> TimeSpan {
        let allJumps = limits.clockJump * Int64(limits.faults.upperBound + 1)
        return allJumps + .seconds(Int64(integer(in: 0...86_400)))
    }

    /// Half of the hosts see every datagram at once.
    fileprivate mutating func collecting() -> TimeSpan {
        chance(0.5) ? .zero : plannedSpan(.microseconds(10), .milliseconds(1))
    }
}

extension ClientPlan {
    fileprivate init(drawnFrom root: DeterministicRandom, index: Int, isIPv4: Bool, limits: FaultPlanLimits) {
        var random = root
        let severity = Severity.draw(&random)
        let isTranslated = random.chance(0.5)
        address =
            isTranslated ? PlannedAddresses.inside(index, isIPv4) : PlannedAddresses.client(index, isIPv4)
        translator = isTranslated ? TranslatorPlan(drawnFrom: &random, index: index, isIPv4: isIPv4) : nil
        egress = LinkParameters(drawnFrom: &random, severity, limits)
        ingress = LinkParameters(drawnFrom: &random, severity, limits)
        start = random.plannedSpan(.zero, .seconds(2))
        clockOffset = random.clockOffset(limits)
        collecting = random.collecting()
        workload = WorkloadStep.draw(&random, bytes: max(1, limits.bytes >> severity.byteShift))
    }

    /// The time for the work with one datagram of 1,000 bytes in a dozen round trips, which is what is left
    /// of a protocol that loses every fifth datagram each way, besides what the rate itself takes.
    fileprivate var estimatedDuration: TimeSpan {
        let bytes = Int64(workload.reduce(0) { $0 + $1.byteCount })
        let roundTrip = egress.worstDelay + ingress.worstDelay
        let turns = bytes / 1000 + Int64(4 * workload.count)
        let patience: Int64 = egress.totalLoss > 0.02 || ingress.totalLoss > 0.02 ? 12 : 4
        let pauses = workload.reduce(TimeSpan.zero) { $0 + $1.pauses }
        return pauses + roundTrip * (turns * patience)
    }
}

/// How bad a client's access is. With much loss a protocol gets little done, so little is asked for.
private enum Severity: Int, CaseIterable {
    case clean
    case mild
    case rough
    case harsh

    static func draw(_ random: inout DeterministicRandom) -> Severity {
        random.element(of: Severity.allCases)
    }

    /// The share of the limit on loss that is used.
    var lossShare: Double { [0, 0.1, 0.4, 1][rawValue] }
    var byteShift: Int { [0, 1, 3, 5][rawValue] }
}

extension LinkParameters {
    fileprivate init(
        drawnFrom random: inout DeterministicRandom, _ severity: Severity, _ limits: FaultPlanLimits
    ) {
        self.init(delay: random.plannedSpan(.microseconds(100), .milliseconds(150)))
        if random.chance(0.3) { jitter = random.plannedSpan(.microseconds(1), delay / 4) }
        drawRate(&random)
        drawLoss(&random, limit: limits.loss * severity.lossShare)
        if severity != .clean { drawDisorder(&random) }
        mtu = random.element(of: [1500, 1500, 1492, 1400, 1280])
        if random.chance(0.2) { ecn = random.element(of: ECNTreatment.allCases) }
    }

    private mutating func drawRate(_ random: inout DeterministicRandom) {
        guard random.chance(0.7) else { return }
        rate = .kilobitsPerSecond(random.element(of: [1000, 5000, 13_000, 50_000, 100_000]))
        queue = QueueLimit(packets: random.integer(in: 20...500))
        if random.chance(0.3) { queue.markingThreshold = random.integer(in: 3000...60_000) }
    }

    /// Loss and corruption share a limit: to a protocol that authenticates its packets they are the same.
    private mutating func drawLoss(_ random: inout DeterministicRandom, limit: Double) {
        guard limit > 0 else { return }
        if random.chance(0.3) { corruption = random.number(in: 0...(limit / 4)) }
        let share = random.number(in: 0...(limit - corruption))
        guard random.chance(0.4) else {
            loss = share
            return
        }
        let badToGood = random.number(in: 0.1...0.5)
        burstLoss = BurstLoss(goodToBad: badToGood * share / (1 - share), badToGood: badToGood)
    }

    private mutating func drawDisorder(_ random: inout DeterministicRandom) {
        if random.chance(0.4) {
            let held = random.plannedSpan(.microseconds(100), delay + .milliseconds(1))
            reordering = Reordering(probability: random.number(in: 0...0.1), delay: held)
        }
        if random.chance(0.3) { duplication = random.number(in: 0...0.05) }
    }

    var totalLoss: Double { loss + corruption + (burstLoss?.averageLoss ?? 0) }

    /// The longest that a datagram takes that is not lost.
    fileprivate var worstDelay: TimeSpan {
        let held = reordering?.delay ?? .zero
        let drain = rate.map { $0.time(for: (min(queue.packets, 1000) + 1) * mtu) } ?? .zero
        return delay + jitter + held + drain
    }
}

extension TranslatorPlan {
    fileprivate init(drawnFrom random: inout DeterministicRandom, index: Int, isIPv4: Bool) {
        parameters = TranslatorParameters(
            mapping: random.element(of: EndpointDependence.allCases),
            filtering: random.element(of: EndpointDependence.allCases),
            ports: random.element(of: PortAssignment.allCases),
            bindingLifetime: .seconds(Int64(random.integer(in: 5...120))),
            inboundRefreshes: random.chance(0.5))
        outside = PlannedAddresses.translator(index, isIPv4)
    }
}

extension WorkloadStep {
    static func draw(_ random: inout DeterministicRandom, bytes: Int) -> [WorkloadStep] {
        let count = random.integer(in: 1...3)
        return (0..<count).map { _ in drawOne(&random, bytes: max(1, bytes / count)) }
    }

    private static func drawOne(_ random: inout DeterministicRandom, bytes: Int) -> WorkloadStep {
        switch random.integer(in: 0...9) {
        case 0...2: return .upload(bytes: random.integer(in: 1...bytes))
        case 3...5: return .download(bytes: random.integer(in: 1...bytes))
        case 6...8:
            let requests = random.integer(in: 1...10)
            let largest = min(16_384, max(1, bytes / (2 * requests)))
            return .requests(
                count: requests, requestBytes: random.integer(in: 0...min(1024, largest)),
                responseBytes: random.integer(in: 0...largest),
                pause: random.plannedSpan(.zero, .milliseconds(500)))
        default: return .idle(random.plannedSpan(.milliseconds(100), .seconds(10)))
        }
    }
}
