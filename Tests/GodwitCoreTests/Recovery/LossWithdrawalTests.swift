import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Packets that are given up for other reasons than loss")
struct LossWithdrawalTests {
    // Holds: 9002-6.4-1, 9002-6.4-2
    @Test("Discarded keys take the packets out of flight, by path (RFC 9002 section 6.4)")
    func discard() throws {
        var sender = RecoverySender()
        sender.send(0...1, at: at(ms: 0), space: .initial, frames: [.crypto(offset: 0, length: 9)])
        sender.send(2, at: at(ms: 0), space: .initial, path: .second, size: 500)
        sender.send(3, at: at(ms: 0), space: .initial, flags: [])
        try sender.acknowledge(0...0, at: at(ms: 10), space: .initial)
        sender.loss.discard(.initial, now: at(ms: 20), into: &sender.outcome)
        #expect(sender.outcome.outcome(of: .first)?.releasedBytes == 1200)
        #expect(sender.outcome.outcome(of: .second)?.releasedBytes == 500)
        #expect(sender.outcome.lostFrames.isEmpty)
        #expect(sender.outcome.lost.isEmpty)
        #expect(!sender.loss.hasAckElicitingInFlight(.initial))
        #expect(sender.deadline == nil)
    }

    // Holds: 9002-6.2.2-1, 9002-6.4-1
    @Test("A loss about to be declared goes with the keys of its space (RFC 9002 sections 6.2.2 and 6.4)")
    func discardDuringReordering() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...1, at: at(ms: 0), space: .handshake, frames: [.crypto(offset: 0, length: 9)])
        try sender.acknowledge(1...1, at: at(ms: 50), space: .handshake)
        #expect(sender.timer == .loss(.handshake))
        sender.loss.discard(.handshake, now: at(ms: 60), into: &sender.outcome)
        #expect(sender.deadline == nil)
        #expect(sender.timeOut(at: at(ms: 10_000)) == .none)
        var frames: SentFrameList = []
        sender.loss.oldestUnacknowledgedFrames(.handshake, limit: 2, into: &frames)
        #expect(frames.isEmpty)
    }

    @Test("An abandoned path's data is sent again and no window pays for it (RFC 9000 section 9.4)")
    func abandonedPath() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...3, at: at(ms: 0), path: .first, frames: [.handshakeDone])
        sender.send(4...5, at: at(ms: 1), path: .second)
        sender.loss.declareLost(path: .first, into: &sender.outcome)
        #expect(sender.lostNumbers == [0, 1, 2, 3])
        #expect(sender.outcome.lostFrames.count == 4)
        let report = try #require(sender.outcome.outcome(of: .first))
        #expect(report.releasedBytes == 4800)
        #expect(report.congestionLosses == 0)
        try sender.acknowledge(0...5, at: at(ms: 100))
        #expect(sender.ackedNumbers == [4, 5])
        #expect(sender.loss[.application].entries.isEmpty)
        #expect(sender.outcome.spurious.isEmpty)
    }

    @Test("Rejected 0-RTT packets are sent again under new numbers (RFC 9002 section 6.4)")
    func earlyData() throws {
        var sender = RecoverySender()
        sender.send(
            0...1, at: at(ms: 0), flags: [.ackEliciting, .inFlight, .earlyData], frames: [.maxData(1)])
        sender.send(2, at: at(ms: 5))
        sender.loss.rejectEarlyData(into: &sender.outcome)
        #expect(sender.lostNumbers == [0, 1])
        #expect(sender.outcome.outcome(of: .first)?.congestionLosses == 0)
        #expect(sender.loss.hasAckElicitingInFlight(.application))
        try sender.acknowledge(2...2, at: at(ms: 50))
        #expect(sender.outcome.lost.isEmpty)
    }

    @Test("After a Retry the Initial data goes again and recovery starts over (RFC 9002 section 6.3)")
    func retry() {
        var sender = RecoverySender()
        sender.context.peerCompletedAddressValidation = false
        sender.context.hasHandshakeKeys = false
        sender.send(0, at: at(ms: 0), space: .initial, frames: [.crypto(offset: 0, length: 300)])
        _ = sender.timeOut(at: at(ms: 1000))
        sender.loss.retransmitInitial(now: at(ms: 1100), into: &sender.outcome)
        #expect(sender.outcome.lostFrames == [.crypto(offset: 0, length: 300)])
        #expect(sender.loss.ptoCount == 0)
        #expect(sender.deadline == at(ms: 1100 + 999))
        sender.send(1, at: at(ms: 1110), space: .initial)
        #expect(sender.loss.largestSent(.initial) == 1)
    }

    @Test("What is given up carries nothing for a probe")
    func nothingToProbe() {
        var sender = RecoverySender()
        sender.send(0...2, at: at(ms: 0), frames: [.handshakeDone])
        sender.loss.declareLost(path: .first, into: &sender.outcome)
        var frames: SentFrameList = []
        sender.loss.oldestUnacknowledgedFrames(.application, limit: 2, into: &frames)
        #expect(frames.isEmpty)
        #expect(sender.deadline == nil)
    }
}

@Suite("Going on after a freeze")
struct ResumeTests {
    @Test("Timers move by the freeze and the probe count starts over")
    func timersMove() {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0, at: at(ms: 0))
        _ = sender.timeOut(at: at(ms: 325))
        sender.loss.resume(at: at(ms: 60_400), shiftedBy: ms(60_000))
        #expect(sender.loss.ptoCount == 0)
        #expect(sender.deadline == at(ms: 60_325))
    }

    @Test("Packets from before give no sample, packets from after do")
    func noSample() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0, at: at(ms: 0))
        sender.loss.resume(at: at(ms: 60_050), shiftedBy: ms(60_000))
        try sender.acknowledge(0...0, at: at(ms: 60_051))
        #expect(sender.ackedNumbers == [0])
        #expect(sender.outcome.rttSample == nil)
        sender.send(1, at: at(ms: 60_051))
        try sender.acknowledge(1...1, at: at(ms: 60_161))
        #expect(sender.outcome.rttSample?.rtt == ms(110))
    }

    @Test("Loss by time counts from the resumption")
    func lossByTime() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0, at: at(ms: 0))
        sender.loss.resume(at: at(ms: 5000), shiftedBy: ms(100))
        sender.send(1, at: at(ms: 5000))
        try sender.acknowledge(1...1, at: at(ms: 5080))
        #expect(sender.outcome.lost.isEmpty)
        #expect(sender.deadline == at(ms: 5090))
        #expect(sender.timeOut(at: at(ms: 5090)) == .declareLost)
        #expect(sender.lostNumbers == [0])
    }

    @Test("Losses from before are not called spurious later")
    func noSpuriousLoss() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...5, at: at(ms: 0))
        try sender.acknowledge(5...5, at: at(ms: 80))
        #expect(!sender.outcome.lost.isEmpty)
        sender.loss.resume(at: at(ms: 100), shiftedBy: .zero)
        try sender.acknowledge(0...5, at: at(ms: 101))
        #expect(sender.outcome.spurious.isEmpty)
    }

    @Test("An idle connection gives its memory back and goes on")
    func releasedStorage() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...50, at: at(ms: 0), frames: [.handshakeDone])
        try sender.acknowledge(0...50, at: at(ms: 80))
        sender.loss.releaseUnusedStorage()
        sender.send(51...52, at: at(ms: 90), frames: [.maxData(4)])
        try sender.acknowledge(51...52, at: at(ms: 170))
        #expect(sender.outcome.ackedFrames == [.maxData(4), .maxData(4)])
    }

    @Test("An idle connection forgets packets of ACK frames alone; that they are acknowledged is no surprise")
    func releasedPacketsNotInFlight() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0...2, at: at(ms: 0), flags: [], frames: [.ack(largest: 1)])
        sender.loss.releaseUnusedStorage()
        #expect(sender.loss[.application].entries.isEmpty)
        #expect(sender.loss[.application].records.isEmpty)
        try sender.acknowledge(0...2, at: at(ms: 80))
        #expect(sender.outcome.acked.isEmpty)
    }

    @Test("As long as something is in flight nothing is forgotten")
    func keptPackets() throws {
        var sender = RecoverySender.withSample(ms(80))
        sender.send(0, at: at(ms: 0), flags: [], frames: [.ack(largest: 1)])
        sender.send(1, at: at(ms: 0), frames: [.handshakeDone])
        sender.send(2, at: at(ms: 0), flags: [], frames: [.ack(largest: 2)])
        sender.loss.releaseUnusedStorage()
        try sender.acknowledge(0...2, at: at(ms: 80))
        #expect(sender.ackedNumbers == [0, 1, 2])
    }
}
