import GodwitCore
import GodwitWire

/// How long connections of a run live without traffic, and what keeps them alive.
struct ConnectionLife {
    /// The timeout that both ends come to (RFC 9000 section 10.1).
    let idleTimeout: TimeSpan
    /// Which ends have it; the other has twice that, or none.
    let ends: [Role]
    let otherTimeout: TimeSpan?
    let clientKeepAlive: TimeSpan?
    let serverKeepAlive: TimeSpan?

    /// Faults may keep a client and its server apart for the better part of a minute, and whoever waits for
    /// an acknowledgement asks less and less often.
    init(_ random: inout DeterministicRandom, _ plan: FaultPlan) {
        var apart = TimeSpan.zero
        for fault in plan.faults { apart = apart + max(fault.end - fault.time, .seconds(3)) }
        let isLossy = plan.clients.contains { $0.egress.totalLoss > 0.02 || $0.ingress.totalLoss > 0.02 }
        let least = .seconds(isLossy ? 60 : 10) + apart * 3
        // Transport parameters have no finer unit (RFC 9000 section 18.2).
        let milliseconds = random.plannedSpan(least, least * 2).nanoseconds / 1_000_000
        idleTimeout = .milliseconds(milliseconds)
        ends = random.element(of: [[.client], [.server], [.client, .server]])
        otherTimeout = random.chance(0.5) ? idleTimeout * 2 : nil
        clientKeepAlive = random.chance(0.3) ? random.plannedSpan(.seconds(1), .seconds(5)) : nil
        serverKeepAlive = random.chance(0.15) ? random.plannedSpan(.seconds(1), .seconds(5)) : nil
    }

    func idleTimeout(of role: Role) -> TimeSpan? { ends.contains(role) ? idleTimeout : otherTimeout }
    func keepAlive(of role: Role) -> TimeSpan? { role == .client ? clientKeepAlive : serverKeepAlive }
}

extension TransportConfiguration {
    static func drawn(
        _ random: inout DeterministicRandom, _ plan: FaultPlan, _ life: ConnectionLife, _ role: Role
    ) -> TransportConfiguration {
        var configuration = TransportConfiguration()
        configuration.idleTimeout = life.idleTimeout(of: role)?.duration
        configuration.keepAliveInterval = life.keepAlive(of: role)?.duration
        configuration.congestionControl = random.chance(0.5) ? .cubic : .newReno
        configuration.usesECN = random.chance(0.7)
        configuration.drawLimits(&random, plan)
        if random.chance(0.2) { configuration.packetsPerKeyPhase = UInt64(random.integer(in: 20...400)) }
        if random.chance(0.3) { configuration.maxUDPPayloadSize = random.integer(in: 1200...1472) }
        if random.chance(0.3) { configuration.activeConnectionIDLimit = random.integer(in: 2...8) }
        if random.chance(0.5) {
            configuration.maxDatagramFrameSize = random.element(of: [100, 1200, 65_535])
        }
        configuration.greasesQUICBit = random.chance(0.7)
        return configuration
    }

    /// Small windows and buffers, and few streams: tiny ones where there is little to move.
    private mutating func drawLimits(_ random: inout DeterministicRandom, _ plan: FaultPlan) {
        let largest = plan.clients.map { $0.workload.reduce(0) { $0 + $1.byteCount } }.max() ?? 0
        let least = largest < 20_000 ? 100 : 2000
        if random.chance(0.4) {
            initialStreamWindow = random.integer(in: least...50 * least)
            initialConnectionWindow = random.integer(in: least...75 * least)
            streamSendBuffer = random.integer(in: least...100 * least)
            if random.chance(0.3) {
                (maxStreamWindow, maxConnectionWindow) = (initialStreamWindow, initialConnectionWindow)
            }
        }
        if random.chance(0.3) { maxIncomingBidirectionalStreams = random.integer(in: 1...3) }
        if random.chance(0.3) { maxIncomingUnidirectionalStreams = random.integer(in: 1...3) }
    }
}
