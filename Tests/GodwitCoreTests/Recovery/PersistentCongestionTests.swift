import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Persistent congestion (RFC 9002 section 7.6)")
struct PersistentCongestionTests {
    /// A path of smoothed_rtt + 4 * rttvar + max_ack_delay = 2 s, as in the example.
    private func sender() -> RecoverySender {
        let sender = RecoverySender.withSample(ms(600), at: at(ms: -1000), maxAckDelay: ms(200))
        #expect(sender.rtt.ptoInterval(maxAckDelay: ms(200)) == ms(2000))
        return sender
    }

    private func persistentCongestion(_ sender: RecoverySender) -> Bool {
        sender.outcome.outcome(of: .first)?.persistentCongestion ?? false
    }

    /// Packets as in the example, up to the acknowledgment of the last.
    private func sendExample(_ sender: inout RecoverySender, flags: SentPacket.Flags = .data) {
        for (number, second) in [1, 2, 3, 4, 5, 6, 8, 12].enumerated() {
            sender.send(UInt64(number) + 2, at: at(ms: Int64(second) * 1000), flags: flags)
        }
    }

    @Test("The example: everything sent over 7 s lost, with a duration of 6 s (RFC 9002 section 7.6.3)")
    func example() throws {
        var sender = sender()
        sender.send(1, at: at(ms: 0))
        sender.send(2, at: at(ms: 1000))
        try sender.acknowledge(1...1, at: at(ms: 1200))
        // The sample on the way must not move the duration away from the example's.
        sender.context.rtt = self.sender().rtt
        for (number, second) in [2, 3, 4, 5, 6, 8].enumerated() {
            sender.send(UInt64(number) + 3, at: at(ms: Int64(second) * 1000))
        }
        sender.send(9, at: at(ms: 12_000))
        try sender.acknowledge(9...9, at: at(ms: 12_200))
        #expect(sender.lostNumbers == Array(2...8))
        #expect(persistentCongestion(sender))
        #expect(sender.loss.statistics.persistentCongestions == 1)
    }

    @Test("One acknowledged packet in between is enough against it (RFC 9002 section 7.6.2)")
    func interrupted() throws {
        var sender = sender()
        sendExample(&sender)
        try sender.acknowledge(9...9, 5...5, at: at(ms: 12_200))
        #expect(sender.lostNumbers == [2, 3, 4, 6, 7, 8])
        #expect(!persistentCongestion(sender))
    }

    @Test("So is one in another space (RFC 9002 section 7.6.2)")
    func interruptedByOtherSpace() throws {
        var sender = sender()
        sender.send(0, at: at(ms: 4500), space: .handshake)
        sendExample(&sender)
        try sender.acknowledge(0...0, at: at(ms: 5100), space: .handshake)
        sender.context.rtt = self.sender().rtt
        try sender.acknowledge(9...9, at: at(ms: 12_200))
        #expect(sender.lostNumbers.count == 7)
        #expect(!persistentCongestion(sender))
    }

    @Test("It needs a sample of the round-trip time before the first loss (RFC 9002 section 7.6.2)")
    func needsSample() throws {
        var sender = RecoverySender(initialRTT: ms(600), maxAckDelay: ms(200))
        sendExample(&sender)
        try sender.acknowledge(9...9, at: at(ms: 12_200))
        #expect(sender.lostNumbers.count == 7)
        #expect(!persistentCongestion(sender))
    }

    // Holds: 9002-7.6.2-1
    @Test("Only packets that ask for an acknowledgment count (RFC 9002 section 7.6.2)")
    func ackElicitingOnly() throws {
        var sender = sender()
        sendExample(&sender, flags: [.inFlight])
        try sender.acknowledge(9...9, at: at(ms: 12_200))
        #expect(!persistentCongestion(sender))
    }

    @Test("Probes of the datagram size do not (RFC 9000 section 14.4)")
    func mtuProbes() throws {
        var sender = sender()
        sendExample(&sender, flags: [.ackEliciting, .inFlight, .mtuProbe])
        try sender.acknowledge(9...9, at: at(ms: 12_200))
        #expect(!persistentCongestion(sender))
    }

    @Test("Exactly the duration is not enough (RFC 9002 section 7.6.2)")
    func exactDuration() throws {
        var sender = sender()
        for (number, second) in [1, 3, 5, 7].enumerated() {
            sender.send(UInt64(number), at: at(ms: Int64(second) * 1000))
        }
        var longer = sender
        // On another path, so that their sample leaves the duration alone.
        sender.send(4...6, at: at(ms: 12_000), path: .second)
        try sender.acknowledge(6...6, at: at(ms: 12_100))
        #expect(sender.lostNumbers == [0, 1, 2, 3])
        #expect(!persistentCongestion(sender))
        longer.send(4, at: at(ms: 7001))
        longer.send(5...7, at: at(ms: 12_000), path: .second)
        try longer.acknowledge(7...7, at: at(ms: 12_100))
        #expect(persistentCongestion(longer))
    }

    @Test("Losses found one after the other add up")
    func inSteps() throws {
        var sender = sender()
        sendExample(&sender)
        sender.send(10...12, at: at(ms: 12_000))
        try sender.acknowledge(9...9, at: at(ms: 12_050))
        #expect(persistentCongestion(sender))
        var slow = self.sender()
        for (number, second) in [1, 4, 8].enumerated() {
            slow.send(UInt64(number), at: at(ms: Int64(second) * 1000))
        }
        slow.send(3...6, at: at(ms: 8_000))
        try slow.acknowledge(3...3, at: at(ms: 8_100))
        #expect(slow.lostNumbers == [0, 1])
        #expect(!persistentCongestion(slow))
        _ = slow.timeOut(at: try #require(slow.deadline))
        #expect(slow.lostNumbers == [2])
        #expect(persistentCongestion(slow))
    }

    @Test("Losses on another path are not this path's (RFC 9000 section 9.4)")
    func otherPath() throws {
        var sender = sender()
        sendExample(&sender)
        sender.context.path = .second
        try sender.acknowledge(9...9, at: at(ms: 12_200))
        #expect(sender.lostNumbers.count == 7)
        #expect(!persistentCongestion(sender))
    }

    @Test("A freeze is no congestion: nothing sent before it counts")
    func acrossResume() throws {
        var sender = sender()
        sender.send(2...3, at: at(ms: 1000))
        sender.loss.resume(at: at(ms: 9000), shiftedBy: ms(1000))
        sender.send(4...9, at: at(ms: 9500))
        try sender.acknowledge(9...9, at: at(ms: 10_100))
        #expect(sender.lostNumbers == [2, 3, 4, 5, 6])
        #expect(!persistentCongestion(sender))
    }
}
