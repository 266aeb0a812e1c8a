import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("Checkers of datagrams, marks and new beginnings")
struct FurtherCheckerTests {
    private let host = HostID(index: 0)

    private func deliver(_ checker: DatagramChecker, _ bytes: [UInt8], on connection: UInt64 = 1) -> String? {
        bytes.withUnsafeBytes {
            checker.check(
                .datagram(connection: connection, sender: .client, bytes: $0), from: host, at: .zero)
        }
    }

    @Test("A datagram arrives as it was sent, once or never (RFC 9221 section 5)")
    func datagrams() {
        let checker = DatagramChecker()
        for bytes in [[1, 2, 3], [], [], [4]] as [[UInt8]] { checker.send(bytes, on: 1, by: .client) }
        #expect(deliver(checker, []) == nil && deliver(checker, [1, 2, 3]) == nil)
        #expect(deliver(checker, []) == nil)
        #expect(deliver(checker, [])?.contains("came again, or was never sent") == true)
        #expect(deliver(checker, [1, 2, 3])?.contains("3 B from the client of connection 1") == true)
        #expect(deliver(checker, [1, 2]) != nil)
        #expect(deliver(checker, [4], on: 2) != nil)
        #expect(checker.sent == 4 && checker.delivered == 7)
        #expect(!checker.isWaiting(on: 1) && checker.checkEnd(at: .zero).isEmpty)
    }

    @Test("Where nothing gets lost every datagram arrives")
    func allDatagrams() {
        let checker = DatagramChecker()
        checker.send([1], on: 1, by: .client)
        checker.expectAll(on: 1)
        #expect(checker.isWaiting(on: 1))
        #expect(checker.checkEnd(at: .zero).first?.hasPrefix("1 datagrams from the client") == true)
        checker.release(connection: 1)
        #expect(!checker.isWaiting(on: 1) && checker.checkEnd(at: .zero).isEmpty)
        checker.expectAll(on: 1)
        #expect(deliver(checker, [1]) == nil)
        #expect(!checker.isWaiting(on: 1))
    }

    @Test(
        "Marks that no network keeps are given up (RFC 9000 section 13.4.2)",
        arguments: [
            (ECNTreatment.kept, 0), (.alwaysMarked, 0), (.cleared, 1), (.remarked, 1),
        ])
    func marks(treatment: ECNTreatment, violations: Int) {
        let network = SimulatedNetwork(seed: 1)
        let link = network.addLink(LinkParameters(delay: .milliseconds(1), ecn: treatment))
        let checker = ECNChecker(limit: 10)
        network.addChecker(checker)
        network.addHost("receiver", at: address(1), running: Postbox())
        network.addHost(
            "sender", at: address(2), egress: link,
            running: Postbox(20, to: address(1), every: .milliseconds(5), ecn: .ect0))
        network.run(for: .seconds(1))
        #expect(network.violations.count == violations)
        #expect(checker.congestionMarks == (treatment == .alwaysMarked ? 20 : 0))
        guard violations > 0 else { return }
        #expect(network.violations[0].message.hasPrefix("11 datagrams from 192.0.2.2:443 to 192.0.2.1:443"))
    }

    @Test("A flow may lose its marks for a while once some have passed")
    func marksThatPassed() {
        let network = SimulatedNetwork(seed: 1)
        let link = network.addLink(LinkParameters(delay: .milliseconds(1)))
        network.addChecker(ECNChecker(limit: 10))
        network.addHost("receiver", at: address(1), running: Postbox())
        network.addHost(
            "sender", at: address(2), egress: link,
            running: Postbox(40, to: address(1), every: .milliseconds(5), ecn: .ect0))
        network.schedule(at: .zero + .milliseconds(12)) {
            $0.change(link, to: LinkParameters(delay: .milliseconds(1), ecn: .cleared))
        }
        network.run(for: .seconds(1))
        #expect(network.violations.isEmpty)
    }

    @Test("A server that starts anew has validated nobody (RFC 9000 section 8)")
    func amplificationAfterRestart() {
        final class Talker: SimulatedProgram {
            private var isDone = false
            var nextDeadline: Instant? { nil }
            func start(on host: SimulatedHost, now: Instant) {
                if host.startCount == 1 { host.report(.addressValidated(address(2))) }
            }
            func receive(
                _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
                to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
            ) {}
            func transmit(
                into buffer: UnsafeMutableRawBufferPointer, now: Instant
            ) -> SimulatedTransmission? {
                defer { isDone = true }
                return isDone ? nil : SimulatedTransmission(count: 50, remote: address(2), local: address(1))
            }
            func handleDeadline(now: Instant) {}
        }
        let network = SimulatedNetwork(seed: 1)
        let server = network.addHost("server", at: address(1), running: Talker())
        network.addChecker(AmplificationChecker(server: server))
        network.addHost("client", at: address(2), running: Postbox())
        network.run(for: .seconds(1))
        #expect(network.violations.isEmpty)
        network.restart(server, running: Talker())
        #expect(network.violations.map(\.checker) == ["amplification"])
    }
}
