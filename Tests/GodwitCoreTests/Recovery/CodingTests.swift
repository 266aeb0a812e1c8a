import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The state of recovery written and read back")
struct RecoveryCodingTests {
    /// A sender with every kind of state: lost, acknowledged, skipped and open packets in two spaces.
    private func busySender() throws -> RecoverySender {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0, at: at(ms: 0), space: .handshake, frames: [.crypto(offset: 4, length: 5)])
        let stream = StreamID(rawValue: 4)
        sender.send(0...20, at: at(ms: 0), frames: [.stream(stream, offset: 9, length: 3, fin: true)])
        sender.send(23...40, at: at(ms: 5), path: .second, flags: [.ackEliciting, .inFlight, .ecnMarked])
        try sender.acknowledge(30...33, 10...18, at: at(ms: 110), ecn: ECNCounts(ect0: 4))
        _ = sender.timeOut(at: at(ms: 60_000))
        return sender
    }

    @Test("Loss detection goes on as if nothing had happened")
    func lossDetection() throws {
        var original = try busySender()
        var copy = original
        copy.loss = try roundTrip(original.loss)
        #expect(try written(copy.loss) == written(original.loss))
        #expect(copy.deadline == original.deadline)
        for step in 0..<2 {
            let ranges: [ClosedRange<UInt64>] = step == 0 ? [30...40, 0...20] : [29...40, 23...27]
            try original.acknowledge(ranges: ranges, at: at(ms: 60_010), ecn: ECNCounts(ect0: 18))
            try copy.acknowledge(ranges: ranges, at: at(ms: 60_010), ecn: ECNCounts(ect0: 18))
            #expect(copy.outcome.acked == original.outcome.acked)
            #expect(copy.outcome.lost == original.outcome.lost)
            #expect(copy.outcome.ackedFrames == original.outcome.ackedFrames)
            #expect(copy.outcome.spurious == original.outcome.spurious)
            #expect(copy.outcome.paths == original.outcome.paths)
            #expect(copy.outcome.ecn == original.outcome.ecn)
        }
        #expect(try written(copy.loss) == written(original.loss))
        expectTransportError(.protocolViolation) { try copy.acknowledge(21...21, at: at(ms: 60_011)) }
    }

    @Test("Controllers of both kinds, in every phase", arguments: CongestionAlgorithm.allCases)
    func controllers(algorithm: CongestionAlgorithm) throws {
        var controller = CongestionController(algorithm: algorithm, mtu: 1200)
        #expect(try roundTrip(controller) == controller)
        for frame in UInt64(1)...30 {
            controller.onSlowStartSample(largestAcked: frame * 5, largestSent: frame * 5 + 40, rtt: ms(50))
        }
        controller.acknowledge(50_000, sent: 0, now: 9)
        #expect(try roundTrip(controller) == controller)
        controller.onLost(sentTime: at(ms: 1), now: at(ms: 10))
        controller.acknowledge(7_777, sent: 11, now: 60)
        #expect(try roundTrip(controller) == controller)
        var copy = try roundTrip(controller)
        copy.onSpuriousLoss(sentTime: at(ms: 1))
        controller.onSpuriousLoss(sentTime: at(ms: 1))
        #expect(copy == controller)
        #expect(copy.window == 62_000)
    }

    @Test("Estimator, pacer and validator")
    func pathState() throws {
        let estimator = RecoverySender.withSample(ms(70)).rtt
        #expect(try roundTrip(estimator) == estimator)
        var pacer = Pacer()
        _ = pacer.allowance(now: at(ms: 7), window: 12_345, rtt: ms(33), mtu: 1200)
        pacer.onSent(1111)
        #expect(try roundTrip(pacer) == pacer)
        var validator = ECNValidator(isEnabled: true)
        _ = validator.codepoint(now: at(ms: 1), ptoInterval: ms(9))
        validator.onMarkedPacketSent()
        #expect(try roundTrip(validator) == validator)
        var inFlight = BytesInFlight()
        inFlight.add(SentPacket(timeSent: .zero, path: .first, size: 99, flags: .data))
        #expect(try roundTrip(inFlight) == inFlight)
    }

    @Test("Received packets, with what is owed to the peer")
    func receivedPackets() throws {
        var received = ReceivedPackets(space: .application, policy: AckPolicy(packetThreshold: 3))
        for number: UInt64 in [0, 1, 5, 9] { received.receive(number, at: at(ms: 4), ecn: .ect0) }
        received.onAckAcknowledged(1)
        var copy = try roundTrip(received)
        #expect(try written(copy) == written(received))
        #expect(copy.ackDeadline == received.ackDeadline)
        let frames = (try copy.acknowledgment(at: at(ms: 6)), try received.acknowledgment(at: at(ms: 6)))
        #expect(frames.0?.ranges == frames.1?.ranges)
        #expect(frames.0?.ecn == frames.1?.ecn)
    }

    @Test("An index that could overflow is refused")
    func damagedRing() {
        #expect(throws: DecodingError.self) {
            _ = try JSONText("{\"startIndex\":18446744073709551615,\"elements\":[1]}").decode(
                IndexedRing<Int>.self)
        }
    }
}
