import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The parts of recovery together, over one bottleneck")
struct TransferTests {
    /// 10 Mbit/s and 40 ms: a window of 50,000 bytes.
    private static let link = LinkSimulation.Link(
        bytesPerMillisecond: 1250, oneWayDelay: ms(20), queue: 50_000)

    @Test("A transfer fills the link and loses little", arguments: CongestionAlgorithm.allCases)
    func fillsLink(algorithm: CongestionAlgorithm) throws {
        var simulation = LinkSimulation(Self.link, algorithm)
        try simulation.run(until: at(ms: 5000))
        let utilisation = Double(simulation.delivered) / (5000 * 1250)
        #expect(utilisation > 0.9)
        #expect(simulation.dropped < Int(simulation.nextNumber) / 20)
        #expect(simulation.sender.loss.statistics.packetsLost == UInt64(simulation.dropped))
        #expect(simulation.sender.loss.statistics.spuriousLosses == 0)
        #expect(simulation.sender.loss.statistics.probeTimeouts == 0)
        #expect(simulation.sender.loss.statistics.persistentCongestions == 0)
        #expect(simulation.sender.rtt.minimum >= ms(40))
    }

    @Test("Ten packets share an ACK frame once the flow has shown to be large (RFC 9000 section 13.2.2)")
    func fewAcknowledgments() throws {
        var simulation = LinkSimulation(Self.link, .cubic)
        try simulation.run(until: at(ms: 4000))
        #expect(simulation.acknowledgments < Int(simulation.nextNumber) / 6)
    }

    @Test("Random loss is repaired without a probe, and every loss is a real one")
    func randomLoss() throws {
        var link = Self.link
        link.dropEvery = 67
        var simulation = LinkSimulation(link, .cubic)
        try simulation.run(until: at(ms: 4000))
        #expect(simulation.delivered > 400_000)
        #expect(simulation.sender.loss.statistics.spuriousLosses == 0)
        #expect(simulation.inFlight.count <= simulation.controller.window + 2400)
        #expect(simulation.sender.loss.statistics.packetsLost + 3 >= UInt64(simulation.dropped))
    }

    @Test("A link without room in its queue is still used")
    func shallowQueue() throws {
        var link = Self.link
        link.queue = 12_000
        var simulation = LinkSimulation(link, .cubic)
        try simulation.run(until: at(ms: 4000))
        #expect(Double(simulation.delivered) / (4000 * 1250) > 0.7)
    }
}
