import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Loss by acknowledgment (RFC 9002 section 6.1)")
struct LossDetectionTests {
    @Test("A packet three below an acknowledged one is lost, one two below is not (RFC 9002 section 6.1.1)")
    func packetThreshold() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...5, at: at(ms: 0), frames: [.handshakeDone])
        try sender.acknowledge(4...4, at: at(ms: 10))
        #expect(sender.lostNumbers == [0, 1])
        #expect(sender.outcome.lostFrames == [.handshakeDone, .handshakeDone])
        #expect(sender.outcome.outcome(of: .first)?.congestionLosses == 2)
        #expect(sender.outcome.outcome(of: .first)?.releasedBytes == 3600)
    }

    @Test("What was not overtaken is never lost (RFC 9002 section 6.1)")
    func notOvertaken() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...5, at: at(ms: 0))
        try sender.acknowledge(0...0, at: at(ms: 5000))
        #expect(sender.outcome.lost.isEmpty)
        #expect(sender.timer == .probe(.application))
    }

    @Test("An overtaken packet is lost 9/8 of a round trip after it was sent (RFC 9002 section 6.1.2)")
    func timeThreshold() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0, at: at(ms: 0))
        sender.send(1, at: at(ms: 1))
        try sender.acknowledge(1...1, at: at(ms: 81))
        #expect(sender.outcome.lost.isEmpty)
        #expect(sender.deadline == at(ms: 90))
        #expect(sender.timer == .loss(.application))
        #expect(sender.timeOut(at: at(ms: 89)) == .none)
        #expect(sender.timeOut(at: at(ms: 90)) == .declareLost)
        #expect(sender.lostNumbers == [0])
        #expect(sender.deadline == nil)
    }

    @Test("The threshold follows a round-trip time that has just risen (RFC 9002 section 6.1.2)")
    func latestSampleCounts() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...1, at: at(ms: 0))
        try sender.acknowledge(1...1, at: at(ms: 160))
        #expect(sender.outcome.lost.isEmpty)
        #expect(sender.deadline == at(ms: 180))
    }

    // Holds: 9002-6.1.2-1
    @Test("It is never shorter than the timer's granularity (RFC 9002 section 6.1.2)")
    func granularity() throws {
        var sender = RecoverySender.withSample(.microseconds(50))
        sender.send(0...1, at: at(ms: 10))
        try sender.acknowledge(1...1, at: at(ms: 10) + .microseconds(50))
        #expect(sender.deadline == at(ms: 11))
    }

    @Test("Reordering within the thresholds loses nothing")
    func reordering() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...5, at: at(ms: 0))
        try sender.acknowledge(2...2, at: at(ms: 80))
        try sender.acknowledge(1...2, at: at(ms: 81))
        try sender.acknowledge(0...2, at: at(ms: 82))
        try sender.acknowledge(0...5, at: at(ms: 83))
        #expect(sender.outcome.lost.isEmpty)
        #expect(sender.loss.statistics.packetsLost == 0)
        #expect(sender.deadline == nil)
    }

    @Test("The earliest loss time of all spaces arms the timer (RFC 9002 appendix A.8)")
    func earliestSpace() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...1, at: at(ms: 5), space: .initial)
        sender.send(0...1, at: at(ms: 3), space: .handshake)
        try sender.acknowledge(1...1, at: at(ms: 85), space: .initial)
        try sender.acknowledge(1...1, at: at(ms: 84), space: .handshake)
        #expect(sender.timer == .loss(.handshake))
        #expect(sender.timeOut(at: at(ms: 95)) == .declareLost)
        #expect(sender.outcome.space == .handshake)
        #expect(sender.timer == .loss(.initial))
    }

    @Test("Packets of ACK frames alone are lost silently and arm no timer (RFC 9002 section 7)")
    func acknowledgmentsOnly() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0, at: at(ms: 0), flags: [], frames: [.ack(largest: 1)])
        sender.send(1, at: at(ms: 1))
        try sender.acknowledge(1...1, at: at(ms: 81))
        #expect(sender.deadline == nil)
        sender.send(2...4, at: at(ms: 82))
        try sender.acknowledge(4...4, at: at(ms: 162))
        #expect(sender.outcome.lost.isEmpty)
        #expect(sender.outcome.lostFrames.isEmpty)
        #expect(sender.timer == .loss(.application))
    }

    @Test("A lost probe of the datagram size is reported and is no congestion (RFC 9000 section 14.4)")
    func mtuProbe() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0, at: at(ms: 0), size: 1452, flags: [.ackEliciting, .inFlight, .mtuProbe])
        sender.send(1...3, at: at(ms: 0))
        try sender.acknowledge(1...3, at: at(ms: 80))
        #expect(sender.lostNumbers == [0])
        #expect(sender.outcome.lost[0].packet.isMTUProbe)
        let report = try #require(sender.outcome.outcome(of: .first))
        #expect(report.congestionLosses == 0)
        #expect(report.releasedBytes == 1452 + 3600)
    }

    // Holds: 9000-9.4-1
    @Test("Losses are charged to the path they were sent on (RFC 9000 section 9.4)")
    func lossesByPath() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...1, at: at(ms: 0), path: .first)
        sender.send(2...5, at: at(ms: 0), path: .second)
        try sender.acknowledge(5...5, at: at(ms: 80))
        #expect(sender.outcome.outcome(of: .first)?.congestionLosses == 2)
        #expect(sender.outcome.outcome(of: .second)?.congestionLosses == 1)
        #expect(sender.outcome.outcome(of: .second)?.releasedBytes == 2400)
        #expect(sender.outcome.outcome(of: .first)?.ackedBytes == 0)
    }
}

@Suite("Losses that were none (RFC 9002 section 6.1)")
struct SpuriousLossTests {
    @Test("A late acknowledgment is recognised once, and widens the packet threshold to what it saw")
    func byNumber() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...9, at: at(ms: 0))
        try sender.acknowledge(5...9, at: at(ms: 80))
        #expect(sender.lostNumbers == [0, 1, 2, 3, 4])
        try sender.acknowledge(2...9, at: at(ms: 85))
        #expect(sender.outcome.acked.isEmpty)
        #expect(sender.outcome.spurious.map(\.number) == [4, 3, 2])
        #expect(sender.outcome.spurious[0].timeSent == at(ms: 0))
        #expect(sender.loss.threshold.packets == 8)
        try sender.acknowledge(2...9, at: at(ms: 86))
        #expect(sender.outcome.spurious.isEmpty)
        #expect(sender.loss.statistics.spuriousLosses == 3)

        sender.send(10...20, at: at(ms: 90))
        try sender.acknowledge(17...17, at: at(ms: 95))
        #expect(sender.outcome.lost.isEmpty)
        try sender.acknowledge(18...18, at: at(ms: 95))
        #expect(sender.lostNumbers == [10])
    }

    @Test("Loss by time that was none widens the time threshold, within bounds")
    func byTime() throws {
        var sender = RecoverySender.withSample(ms(80))
        for round in 0..<10 {
            let start = Int64(round) * 1000
            let number = UInt64(round) * 2
            sender.send(number...(number + 1), at: at(ms: start))
            try sender.acknowledge((number + 1)...(number + 1), at: at(ms: start + 80))
            #expect(sender.timeOut(at: try #require(sender.deadline)) == .declareLost)
            try sender.acknowledge(number...(number + 1), at: at(ms: start + 200))
            #expect(sender.outcome.spurious.count == 1)
        }
        #expect(sender.loss.threshold.eighths == ReorderingThreshold.maximumEighths)
        #expect(sender.loss.threshold.packets == 3)
    }

    @Test("The memory is bounded in number and in time")
    func bounds() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...999, at: at(ms: 0))
        try sender.acknowledge(999...999, at: at(ms: 80))
        #expect(sender.outcome.lost.count == 997)
        try sender.acknowledge(0...999, at: at(ms: 81))
        #expect(sender.outcome.spurious.count == LostPacketMemory.limit)

        sender.send(1000...1010, at: at(ms: 100))
        sender.loss.threshold = ReorderingThreshold()
        try sender.acknowledge(1010...1010, at: at(ms: 180))
        #expect(sender.outcome.lost.count == 8)
        try sender.acknowledge(1000...1010, at: at(ms: 10_000))
        #expect(sender.outcome.spurious.isEmpty)
    }

    @Test("The packet threshold has a limit")
    func limit() {
        var threshold = ReorderingThreshold()
        threshold.onSpuriousLoss(declaredByTime: false, distance: 1 << 61)
        #expect(threshold.packets == ReorderingThreshold.maximumPackets)
    }
}
