import GodwitWire
import Testing

@testable import GodwitCore

@Suite("ECN (RFC 9000 section 13.4)")
struct ECNTests {
    private static let marked: SentPacket.Flags = [.ackEliciting, .inFlight, .ecnMarked]

    /// A sender with `packets` marked packets under way on a path under test.
    private func underTest(packets: UInt64) -> (RecoverySender, ECNValidator) {
        var sender = RecoverySender.withSample(ms(100))
        var validator = ECNValidator(isEnabled: true)
        for number in 0..<packets {
            #expect(validator.codepoint(now: at(ms: 0), ptoInterval: ms(300)) == .ect0)
            sender.send(number, at: at(ms: 0), flags: Self.marked)
            validator.onMarkedPacketSent()
        }
        return (sender, validator)
    }

    private func feed(_ sender: RecoverySender, _ validator: inout ECNValidator) -> Bool {
        guard let report = sender.outcome.outcome(of: .first) else { return false }
        validator.onLost(report)
        return validator.onAcked(report, sender.outcome.ecn)
    }

    @Test("Ten marked packets, then none until the counts come back right (RFC 9000 appendix A.4)")
    func capable() throws {
        var (sender, validator) = underTest(packets: 10)
        #expect(validator.codepoint(now: at(ms: 1), ptoInterval: ms(300)) == .notECT)
        #expect(validator.state == .unknown)
        try sender.acknowledge(0...4, at: at(ms: 100), ecn: ECNCounts(ect0: 5))
        #expect(sender.outcome.ecn == .increase(ECNCounts(ect0: 5)))
        #expect(!feed(sender, &validator))
        #expect(validator.state == .capable)
        #expect(validator.codepoint(now: at(ms: 101), ptoInterval: ms(300)) == .ect0)
    }

    @Test("The test ends after three probe timeouts too (RFC 9000 section 13.4.2)")
    func testEndsByTime() {
        var (_, validator) = underTest(packets: 2)
        #expect(validator.codepoint(now: at(ms: 899), ptoInterval: ms(300)) == .ect0)
        #expect(validator.codepoint(now: at(ms: 900), ptoInterval: ms(300)) == .notECT)
    }

    @Test("A mark of congestion reduces the window, once per increase (RFC 9002 section 7.1)")
    func congestion() throws {
        var (sender, validator) = underTest(packets: 10)
        try sender.acknowledge(0...4, at: at(ms: 100), ecn: ECNCounts(ect0: 4, congestionExperienced: 1))
        #expect(feed(sender, &validator))
        var controller = CongestionController(algorithm: .newReno, mtu: 1200)
        let report = try #require(sender.outcome.outcome(of: .first))
        controller.apply(
            sender.outcome, report, bytesInFlight: 12_000, isCongestionMarked: true, rtt: ms(100),
            now: at(ms: 100))
        #expect(controller.window == 6000)
        try sender.acknowledge(0...6, at: at(ms: 110), ecn: ECNCounts(ect0: 6, congestionExperienced: 1))
        #expect(!feed(sender, &validator))
    }

    // Holds: 9000-13.4.2.2-1
    @Test("Counts that are missing fail (RFC 9000 section 13.4.2.1)")
    func missing() throws {
        var (sender, validator) = underTest(packets: 3)
        try sender.acknowledge(0...2, at: at(ms: 100))
        #expect(sender.outcome.ecn == .invalid)
        _ = feed(sender, &validator)
        #expect(validator.state == .failed)
        #expect(validator.codepoint(now: at(ms: 101), ptoInterval: ms(300)) == .notECT)
    }

    // Holds: 9000-13.4.2.2-1
    @Test(
        "Counts that cannot be true fail (RFC 9000 section 13.4.2.1)",
        arguments: [
            // Too few, more than were sent, a mark that was never set, more marked than sent.
            ECNCounts(ect0: 2), ECNCounts(ect0: 11), ECNCounts(ect0: 3, ect1: 1),
            ECNCounts(ect0: 3, congestionExperienced: 8),
            ECNCounts(ect0: VariableLengthInteger.max, congestionExperienced: VariableLengthInteger.max),
        ])
    func impossible(counts: ECNCounts) throws {
        var (sender, validator) = underTest(packets: 10)
        try sender.acknowledge(0...2, at: at(ms: 100), ecn: counts)
        #expect(sender.outcome.ecn == .invalid)
        #expect(!feed(sender, &validator))
        #expect(validator.state == .failed)
        #expect(validator.codepoint(now: at(ms: 101), ptoInterval: ms(300)) == .notECT)
    }

    // Holds: 9000-13.4.2.2-2
    @Test("Counts that go down fail, also on a path that was capable (RFC 9000 section 13.4.2.2)")
    func decreasing() throws {
        var (sender, validator) = underTest(packets: 10)
        _ = validator.codepoint(now: at(ms: 1), ptoInterval: ms(300))
        try sender.acknowledge(0...4, at: at(ms: 100), ecn: ECNCounts(ect0: 5))
        _ = feed(sender, &validator)
        #expect(validator.codepoint(now: at(ms: 100), ptoInterval: ms(300)) == .ect0)
        try sender.acknowledge(0...6, at: at(ms: 101), ecn: ECNCounts(ect0: 4))
        _ = feed(sender, &validator)
        #expect(validator.state == .failed)
        #expect(validator.codepoint(now: at(ms: 102), ptoInterval: ms(300)) == .notECT)
    }

    // Holds: 9000-13.4.2.1-1
    @Test("A frame that does not raise the largest number decides nothing (RFC 9000 section 13.4.2.1)")
    func reordered() throws {
        var (sender, validator) = underTest(packets: 10)
        try sender.acknowledge(4...4, at: at(ms: 100), ecn: ECNCounts(ect0: 5))
        _ = feed(sender, &validator)
        try sender.acknowledge(2...3, at: at(ms: 101))
        #expect(sender.ackedNumbers == [2, 3])
        #expect(sender.outcome.ecn == .absent)
        _ = feed(sender, &validator)
        #expect(validator.state == .testing)
    }

    @Test("When every marked packet is lost, the marks are to blame (RFC 9000 section 13.4.2)")
    func allLost() throws {
        var (sender, validator) = underTest(packets: 10)
        _ = validator.codepoint(now: at(ms: 1), ptoInterval: ms(300))
        sender.send(10...13, at: at(ms: 50))
        try sender.acknowledge(13...13, at: at(ms: 150))
        #expect(sender.outcome.outcome(of: .first)?.lostMarkedPackets == 10)
        _ = feed(sender, &validator)
        #expect(validator.state == .failed)
    }

    @Test("When every mark comes back as congestion, the path is not to be believed (RFC 9000 appendix A.4)")
    func allCongestion() throws {
        var (sender, validator) = underTest(packets: 10)
        _ = validator.codepoint(now: at(ms: 1), ptoInterval: ms(300))
        try sender.acknowledge(0...8, at: at(ms: 100), ecn: ECNCounts(congestionExperienced: 9))
        #expect(feed(sender, &validator))
        #expect(validator.state == .unknown)
        try sender.acknowledge(0...9, at: at(ms: 101), ecn: ECNCounts(congestionExperienced: 10))
        #expect(!feed(sender, &validator))
        #expect(validator.state == .failed)
    }

    @Test("A socket that cannot mark never tries")
    func disabled() {
        var validator = ECNValidator(isEnabled: false)
        #expect(validator.codepoint(now: .zero, ptoInterval: ms(300)) == .notECT)
    }
}
