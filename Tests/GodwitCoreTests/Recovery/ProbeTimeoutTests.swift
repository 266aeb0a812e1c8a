import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Probe timeouts (RFC 9002 section 6.2)")
struct ProbeTimeoutTests {
    // Holds: 9002-6.2-1, 9002-6.2.4-1
    @Test(
        "A PTO after the last packet that asks for an answer, with two probes (RFC 9002 section 6.2.1)"
    )
    func timeout() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0, at: at(ms: 0))
        sender.send(1, at: at(ms: 40))
        sender.send(2, at: at(ms: 60), flags: [])
        // 100 + 4 * 50 + 25 after the second.
        #expect(sender.deadline == at(ms: 40 + 325))
        #expect(sender.timeOut(at: at(ms: 364)) == .none)
        #expect(sender.timeOut(at: at(ms: 365)) == .sendProbes(.application, count: 2))
        #expect(sender.outcome.lost.isEmpty)
    }

    @Test("Probes of paths arm none, but where they fill the window (RFC 9002 sections 6.2.1 and 7.5)")
    func probesOfPaths() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...9, at: at(ms: 40), flags: [.data, .aside])
        #expect(sender.deadline == nil)
        // All of them are lost, and data waits for the room that they take.
        sender.context.isWindowUsedUp = true
        #expect(sender.deadline == at(ms: 40 + 325))
        #expect(sender.timeOut(at: at(ms: 365)) == .sendProbes(.application, count: 1))
        sender.send(10, at: at(ms: 365))
        try sender.acknowledge(10...10, at: at(ms: 465))
        #expect(sender.outcome.lost.map(\.number) == Array(0...9))
    }

    // Holds: 9002-6.2.1-4
    @Test("Every timeout doubles the next, up to a limit (RFC 9002 section 6.2.1)")
    func backoff() {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0, at: at(ms: 0))
        for exponent in 0..<14 {
            let factor = Int64(1) << min(exponent, LossDetection.maximumBackoff)
            #expect(sender.deadline == at(ms: 325 * factor))
            #expect(sender.timeOut(at: at(ms: 10_000_000)) == .sendProbes(.application, count: 2))
        }
    }

    @Test("An acknowledgment ends the backoff (RFC 9002 section 6.2.1)")
    func backoffEnds() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...1, at: at(ms: 0))
        _ = sender.timeOut(at: at(ms: 400))
        _ = sender.timeOut(at: at(ms: 2000))
        #expect(sender.loss.ptoCount == 2)
        try sender.acknowledge(0...0, at: at(ms: 2001))
        #expect(sender.loss.ptoCount == 0)
    }

    @Test("A client keeps backing off after an acknowledged Initial packet (RFC 9002 section 6.2.1)")
    func backoffOfClient() throws {
        var sender = RecoverySender()
        sender.context.handshakeConfirmed = false
        sender.context.peerCompletedAddressValidation = false
        sender.send(0...1, at: at(ms: 0), space: .initial)
        _ = sender.timeOut(at: at(ms: 1000))
        try sender.acknowledge(0...0, at: at(ms: 1050), space: .initial)
        #expect(sender.loss.ptoCount == 1)
        sender.send(0, at: at(ms: 1060), space: .handshake)
        try sender.acknowledge(0...0, at: at(ms: 1100), space: .handshake)
        #expect(sender.loss.ptoCount == 0)
    }

    // Holds: 9002-6.2.1-3
    @Test("max_ack_delay counts only for 1-RTT packets, which wait for confirmation (RFC 9002 section 6.2.1)")
    func applicationSpace() {
        var sender = RecoverySender.withSample(ms(100))
        sender.context.handshakeConfirmed = false
        sender.send(0, at: at(ms: 0))
        #expect(sender.deadline == nil)
        sender.send(0, at: at(ms: 7), space: .handshake)
        #expect(sender.deadline == at(ms: 307))
        #expect(sender.timer == .probe(.handshake))
        sender.context.handshakeConfirmed = true
        #expect(sender.timer == .probe(.handshake))
        sender.loss.discard(.handshake, now: at(ms: 20), into: &sender.outcome)
        #expect(sender.deadline == at(ms: 325))
    }

    // Holds: 9002-6.2.1-2
    @Test("Of Initial and Handshake the earlier one (RFC 9002 section 6.2.1)")
    func earlierSpace() {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0, at: at(ms: 10), space: .handshake)
        sender.send(0, at: at(ms: 5), space: .initial)
        #expect(sender.timer == .probe(.initial))
        #expect(sender.deadline == at(ms: 305))
    }

    // Holds: 9002-6.2.2.1-1
    @Test(
        "A server that may not send has no probe timer until it may (RFC 9002 section 6.2.2.1)"
    )
    func amplificationLimit() {
        var sender = RecoverySender()
        sender.send(0, at: at(ms: 0), space: .initial)
        sender.context.canSend = false
        #expect(sender.deadline == nil)
        #expect(sender.timeOut(at: at(ms: 5000)) == .none)
        sender.context.canSend = true
        #expect(sender.timeOut(at: at(ms: 5000)) == .sendProbes(.initial, count: 2))
    }

    // Holds: 9000-8.1-4, 9002-6.2.2.1-2, 9002-6.2.2.1-3
    @Test("A client with nothing in flight probes so that the server may send (RFC 9002 section 6.2.2.1)")
    func antiDeadlock() throws {
        var sender = RecoverySender()
        sender.context.handshakeConfirmed = false
        sender.context.peerCompletedAddressValidation = false
        sender.context.hasHandshakeKeys = false
        sender.send(0, at: at(ms: 0), space: .initial)
        try sender.acknowledge(0...0, at: at(ms: 100), space: .initial)
        // The sample of 100 makes a PTO of 300, from the acknowledgment on.
        #expect(sender.deadline == at(ms: 400))
        #expect(sender.timer == .probe(.initial))
        var early = sender
        #expect(early.timeOut(at: at(ms: 400)) == .sendProbes(.initial, count: 1))
        sender.context.hasHandshakeKeys = true
        #expect(sender.timer == .probe(.handshake))
        #expect(sender.timeOut(at: at(ms: 400)) == .sendProbes(.handshake, count: 1))
        #expect(sender.deadline == at(ms: 1000))
        sender.context.peerCompletedAddressValidation = true
        #expect(sender.deadline == nil)
    }

    @Test("0-RTT packets in flight do not disarm it: they cannot be probed yet")
    func antiDeadlockWithEarlyData() throws {
        var sender = RecoverySender()
        sender.context.handshakeConfirmed = false
        sender.context.peerCompletedAddressValidation = false
        sender.context.hasHandshakeKeys = false
        sender.send(0, at: at(ms: 0), space: .initial)
        sender.send(0, at: at(ms: 0), flags: [.ackEliciting, .inFlight, .earlyData])
        try sender.acknowledge(0...0, at: at(ms: 100), space: .initial)
        #expect(sender.timer == .probe(.initial))
    }

    // Holds: 9002-6.2.2-1
    @Test("Discarded keys start the timers over (RFC 9002 section 6.2.2)")
    func discardedKeys() {
        var sender = RecoverySender()
        sender.context.peerCompletedAddressValidation = false
        sender.send(0, at: at(ms: 0), space: .initial)
        _ = sender.timeOut(at: at(ms: 1000))
        sender.loss.discard(.initial, now: at(ms: 1500), into: &sender.outcome)
        #expect(sender.loss.ptoCount == 0)
        #expect(sender.deadline == at(ms: 1500 + 999))
    }

    // Holds: 9002-6.2.1-5
    @Test("A loss about to be declared by time comes before any probe (RFC 9002 section 6.2.1)")
    func lossComesFirst() throws {
        var sender = RecoverySender.withSample(ms(800))
        sender.send(0...2, at: at(ms: 0))
        try sender.acknowledge(1...1, at: at(ms: 10))
        #expect(sender.timer == .loss(.application))
        #expect(sender.timeOut(at: at(ms: 100_000)) == .declareLost)
        #expect(sender.lostNumbers == [0])
        #expect(sender.timer == .probe(.application))
    }

    @Test("Probes can carry the oldest data again (RFC 9002 section 6.2.4)")
    func framesOfOldest() throws {
        var sender = RecoverySender.withSample(ms(100))
        let stream = StreamID(rawValue: 0)
        for number in UInt64(0)...4 {
            let record = SentFrame.stream(stream, offset: number * 100, length: 100, fin: false)
            sender.send(number, at: at(ms: 0), frames: [record])
        }
        sender.send(5, at: at(ms: 0))
        try sender.acknowledge(1...1, at: at(ms: 50))
        var frames: SentFrameList = []
        sender.loss.oldestUnacknowledgedFrames(.application, limit: 2, into: &frames)
        #expect(
            frames == [
                .stream(stream, offset: 0, length: 100, fin: false),
                .stream(stream, offset: 200, length: 100, fin: false),
            ])
    }
}
