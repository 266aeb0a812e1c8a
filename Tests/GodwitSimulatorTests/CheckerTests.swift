import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("Checkers see what must never happen")
struct CheckerTests {
    private let host = HostID(index: 0)

    // MARK: Amplification

    /// A server that answers each datagram with so many times its size.
    private final class Amplifier: SimulatedProgram {
        private let factor: Int
        private let validates: Bool
        private var host: SimulatedHost?
        private var replies: [SimulatedTransmission] = []
        init(factor: Int, validates: Bool = false) {
            self.factor = factor
            self.validates = validates
        }
        var nextDeadline: Instant? { nil }
        func start(on host: SimulatedHost, now: Instant) { self.host = host }
        func receive(
            _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
            to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
        ) {
            if validates { host?.report(.addressValidated(remote)) }
            let reply = SimulatedTransmission(count: train.count, remote: remote, local: local)
            replies += Array(repeating: reply, count: factor)
        }
        func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission? {
            replies.popLast()
        }
        func handleDeadline(now: Instant) {}
    }

    @Test(
        "A server that sends an unvalidated address more than three times what it got (RFC 9000 section 8)",
        arguments: [(3, false, 0), (4, false, 1), (9, true, 0)])
    func amplification(factor: Int, validates: Bool, violations: Int) {
        let network = SimulatedNetwork(seed: 1)
        let server = network.addHost(
            "server", at: address(1), running: Amplifier(factor: factor, validates: validates))
        network.addChecker(AmplificationChecker(server: server))
        network.addHost("client", at: address(2), running: Postbox(3, to: address(1), every: .seconds(1)))
        network.run(for: .seconds(5))
        #expect(network.violations.count == violations)
        if let violation = network.violations.first {
            #expect(violation.message == "sent 400 B to unvalidated 192.0.2.2:443, which sent 100 B")
            #expect(violation.description.hasPrefix("[amplification] at 0.000000 s: sent 400 B"))
        }
    }

    @Test("A host that goes on sending to an address that never answers")
    func silentAddresses() {
        func violations(_ count: Int, every interval: TimeSpan) -> [Violation] {
            let network = SimulatedNetwork(seed: 1)
            let client = Postbox(count, to: address(9), every: interval)
            client.letters += [.init(time: .seconds(500), remote: address(1), bytes: [1])]
            network.addHost("server", at: address(1), running: Echo())
            let host = network.addHost("client", at: address(2), running: client)
            network.addChecker(SilentAddressChecker(host, limitPerAddress: 5, limit: 8, window: .seconds(60)))
            network.run(for: .seconds(600))
            return network.violations
        }
        #expect(violations(5, every: .seconds(1)).isEmpty)
        #expect(violations(6, every: .seconds(1)).count == 1)
        #expect(violations(6, every: .seconds(12)).isEmpty)
    }

    // MARK: Payload

    private func report(
        _ checker: PayloadChecker, _ direction: StreamDirection, _ bytes: [UInt8], at offset: UInt64
    ) -> String? {
        bytes.withUnsafeBytes {
            checker.check(.received(direction, offset: offset, bytes: $0), from: host, at: .zero)
        }
    }

    @Test("Every byte once, in order, as it was sent; and then the end (RFC 9000 section 2.2)")
    func payload() {
        let direction = StreamDirection(connection: 1, stream: 4, sender: .client)
        let pattern = PayloadPattern(direction)
        let checker = PayloadChecker()
        checker.expect(direction, size: 100)
        #expect(report(checker, direction, pattern.bytes(0..<37), at: 0) == nil)
        #expect(checker.checkEnd(at: .zero).count == 1)
        #expect(report(checker, direction, pattern.bytes(37..<100), at: 37) == nil)
        #expect(!checker.isComplete)
        #expect(checker.check(.finished(direction, size: 100), from: host, at: .zero) == nil)
        #expect(checker.isComplete && checker.checkEnd(at: .zero).isEmpty)
        #expect(checker.checkedBytes == 100)
        #expect(
            checker.check(.finished(direction, size: 100), from: host, at: .zero)?.contains("twice") == true)
    }

    @Test(
        "Bytes that come again, early, changed, from another stream or after the end are named by place"
    )
    func brokenPayload() {
        let direction = StreamDirection(connection: 1, stream: 4, sender: .server)
        let pattern = PayloadPattern(direction)
        func first(_ prepare: (PayloadChecker) -> String?) -> String { prepare(PayloadChecker()) ?? "" }

        #expect(
            first { report($0, direction, pattern.bytes(8..<16), at: 8) }.contains("bytes at 8 came early"))
        #expect(
            first {
                _ = report($0, direction, pattern.bytes(0..<16), at: 0)
                return report($0, direction, pattern.bytes(8..<24), at: 8)
            }.contains("bytes at 8 came again; those at 16 are next"))
        for place in [0, 7, 8, 18, 19] {
            var changed = pattern.bytes(0..<20)
            changed[place] ^= 0x10
            #expect(first { report($0, direction, changed, at: 0) }.contains("the byte at \(place) is wrong"))
        }
        for other in [
            StreamDirection(connection: 1, stream: 8, sender: .server),
            StreamDirection(connection: 2, stream: 4, sender: .server),
            StreamDirection(connection: 1, stream: 4, sender: .client),
        ] {
            let bytes = PayloadPattern(other).bytes(0..<20)
            #expect(first { report($0, direction, bytes, at: 0) }.contains("is wrong"))
        }
        #expect(
            first {
                _ = $0.check(.finished(direction, size: 0), from: host, at: .zero)
                return report($0, direction, pattern.bytes(0..<1), at: 0)
            }.contains("after its end"))
        #expect(
            first {
                $0.expect(direction, size: 9)
                _ = report($0, direction, pattern.bytes(0..<8), at: 0)
                return $0.check(.finished(direction, size: 8), from: host, at: .zero)
            }.contains("finished at 8, 9 B were sent"))
    }

    @Test("The pattern is the same however it is cut")
    func patternIsSeamless() {
        let pattern = PayloadPattern(StreamDirection(connection: 7, stream: 0, sender: .client))
        let whole = pattern.bytes(0..<200)
        #expect(Set(whole).count > 90)
        for start in stride(from: 0, to: 200, by: 7) {
            for end in stride(from: start, through: 200, by: 13) {
                #expect(pattern.bytes(UInt64(start)..<UInt64(end)) == Array(whole[start..<end]))
                let mismatch = whole[start..<end].withUnsafeBytes {
                    pattern.firstMismatch(in: $0, from: UInt64(start))
                }
                #expect(mismatch == nil)
            }
        }
    }

    // MARK: The others

    @Test("A packet number used twice under a key, by whichever copy (RFC 9001 section 9.5)")
    func packetNumbers() {
        let checker = PacketNumberChecker()
        func seal(_ key: UInt64, _ number: UInt64, by host: UInt32 = 0) -> String? {
            checker.check(.sealed(key: key, packetNumber: number), from: HostID(index: host), at: .zero)
        }
        for number in [0, 1, 2, 5, 4, 3, 9] as [UInt64] { #expect(seal(1, number) == nil) }
        #expect(seal(2, 5) == nil)
        #expect(seal(1, 5, by: 1) == "packet number 5 was used again under key 0x1")
        #expect(seal(1, 9) != nil)
        #expect(seal(1, 7) == nil && seal(1, 8) == nil && seal(1, 6) == nil)
        for number in 0...9 as ClosedRange<UInt64> { #expect(seal(1, number) != nil) }
        #expect(seal(1, (1 << 62) - 1) == nil)
    }

    @Test("A quantity above its bound, and again only when it exceeds it by more")
    func bounds() {
        let checker = BoundsChecker()
        func measure(_ value: UInt64, bound: UInt64) -> String? {
            checker.check(.measured("buffered", value: value, bound: bound), from: host, at: .zero)
        }
        #expect(measure(10, bound: 10) == nil)
        #expect(measure(11, bound: 10) == "buffered is 11, at most 10 is allowed")
        #expect(measure(11, bound: 10) == nil)
        #expect(measure(7, bound: 5) != nil)
        #expect(measure(9, bound: 10) == nil)
        #expect(checker.quantities == [.init(name: "buffered", largest: 11, bound: 10)])
    }

    @Test("Both ends of a connection reach the same end")
    func agreement() {
        let checker = AgreementChecker()
        func end(_ connection: UInt64, _ role: Role, _ outcome: String) -> String? {
            checker.check(
                .ended(connection: connection, role: role, outcome: outcome), from: host, at: .zero)
        }
        checker.expect(connection: 1)
        #expect(end(1, .client, "done") == nil)
        #expect(checker.checkEnd(at: .zero) == ["connection 1 has not ended at its server"])
        #expect(end(1, .server, "done") == nil)
        #expect(checker.isComplete && checker.checkEnd(at: .zero).isEmpty)
        #expect(end(2, .server, "idle") == nil)
        #expect(end(2, .client, "done")?.contains("done at its client, with idle at its server") == true)
        #expect(end(2, .client, "reset")?.contains("ended twice") == true)
    }

    @Test("Violations name checker and time, are bounded in number, and end a run on request")
    func collectsViolations() {
        final class Grumbler: Checker {
            let name = "grumbler"
            func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? { "no \(event.kind)" }
            func checkEnd(at time: Instant) -> [String] { ["it was bad"] }
        }
        func network(stops: Bool, _ count: Int) -> SimulatedNetwork {
            let network = SimulatedNetwork(seed: 1)
            network.stopsAtViolation = stops
            network.addChecker(Grumbler())
            network.addHost(
                "host", at: address(1), running: Postbox(count, to: address(2), every: .seconds(1)))
            network.run(for: .seconds(1000))
            return network
        }
        let stopped = network(stops: true, 5)
        #expect(stopped.now == .zero)
        #expect(stopped.violations.first == Violation(checker: "grumbler", time: .zero, message: "no sent"))
        let whole = network(stops: false, 5)
        #expect(whole.violations.count == 10)
        #expect(whole.finish().last == Violation(checker: "grumbler", time: whole.now, message: "it was bad"))
        #expect(network(stops: false, 500).violations.count == 100)
    }
}
