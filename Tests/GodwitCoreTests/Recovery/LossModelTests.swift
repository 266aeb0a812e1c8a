import GodwitWire
import Testing

@testable import GodwitCore

/// Loss detection in one space as the pseudocode of RFC 9002 appendix A has it: a dictionary, walked whole.
private struct PseudocodeLossDetection {
    var sent: [UInt64: SentPacket] = [:]
    var largestAcked: UInt64?
    var lossTime: Instant?
    var lastAckEliciting: Instant?
    var ptoCount: Int64 = 0

    /// Appendix A.7, without the estimator. Returns what is newly acknowledged and what is lost of that in
    /// flight.
    mutating func receiveAck(
        _ ranges: [ClosedRange<UInt64>], now: Instant, delay: (Bool) -> TimeSpan
    ) -> (acked: [UInt64], lost: [UInt64]) {
        largestAcked = max(largestAcked ?? 0, ranges[0].upperBound)
        let acked = sent.keys.filter { number in ranges.contains { $0.contains(number) } }.sorted()
        if acked.isEmpty { return ([], []) }
        let hasSample = acked.last == ranges[0].upperBound && acked.contains { sent[$0]!.isAckEliciting }
        for number in acked { sent[number] = nil }
        ptoCount = 0
        return (acked, detectLosses(now, delay(hasSample)))
    }

    /// Appendix A.10. Packets that are not in flight arm no timer.
    mutating func detectLosses(_ now: Instant, _ delay: TimeSpan) -> [UInt64] {
        lossTime = nil
        var lost: [UInt64] = []
        for (number, packet) in sent {
            guard let largestAcked, number <= largestAcked else { continue }
            if packet.timeSent + delay <= now || largestAcked >= number + 3 {
                if packet.isInFlight { lost.append(number) }
                sent[number] = nil
            } else if packet.isInFlight {
                lossTime = min(lossTime ?? .distantFuture, packet.timeSent + delay)
            }
        }
        return lost.sorted()
    }

    func deadline(_ interval: TimeSpan) -> Instant? {
        if let lossTime { return lossTime }
        guard sent.values.contains(where: \.isAckEliciting), let lastAckEliciting else { return nil }
        return lastAckEliciting + interval * (1 << min(ptoCount, 10))
    }
}

@Suite("Loss detection next to the pseudocode (RFC 9002 appendix A)")
struct LossModelTests {
    /// Ranges of numbers up to `largest` that were sent, newest first, as a receiver with losses has them.
    private func ranges(
        upTo largest: UInt64, _ sent: Set<UInt64>, _ random: inout TestRandom
    ) -> [ClosedRange<UInt64>] {
        var ranges: [ClosedRange<UInt64>] = []
        var number = largest - min(largest, random.below(6))
        let lowest = number - min(number, 60)
        while number > lowest {
            let length = min(random.below(8), number - lowest)
            let run = (number - length)...number
            if run.allSatisfy(sent.contains), (ranges.last?.lowerBound ?? .max) > number + 1 {
                ranges.append(run)
            }
            number -= min(number, length + 1 + random.below(4))
        }
        return ranges
    }

    @Test("The same packets acknowledged and lost, the same deadlines", arguments: UInt64(1)...8)
    func sameAsPseudocode(seed: UInt64) throws {
        var random = TestRandom(state: seed &* 0x9e37_79b9_7f4a_7c15)
        var sender = RecoverySender.withSample(ms(50))
        sender.loss.threshold.isAdaptive = false
        var model = PseudocodeLossDetection()
        var everSent: Set<UInt64> = []
        var next: UInt64 = 0
        var now = at(ms: 1)
        for _ in 0..<250 {
            now += .microseconds(Int64(random.below(20_000)))
            switch random.below(3) {
            case 0:
                for _ in 0..<random.below(10) {
                    // One number in twelve is left out, one packet in five carries ACK frames only.
                    next += random.below(12) == 0 ? 2 : 1
                    let flags: SentPacket.Flags = random.below(5) == 0 ? [] : .data
                    sender.send(next, at: now, flags: flags)
                    model.sent[next] = SentPacket(timeSent: now, path: .first, size: 1200, flags: flags)
                    if flags == .data { model.lastAckEliciting = now }
                    everSent.insert(next)
                }
            case 1:
                let ranges = ranges(upTo: next, everSent, &random)
                if ranges.isEmpty { continue }
                try sender.acknowledge(ranges: ranges, at: now)
                let rtt = sender.rtt
                let before = sender.outcome.rttSample != nil
                let expected = model.receiveAck(ranges, now: now) { hasSample in
                    #expect(hasSample == before)
                    return ReorderingThreshold().delay(rtt)
                }
                #expect(sender.ackedNumbers.sorted() == expected.acked)
                #expect(sender.lostNumbers == expected.lost)
            default:
                guard let deadline = sender.deadline, deadline <= now else { continue }
                switch sender.timeOut(at: now) {
                case .none: Issue.record("a deadline that has come")
                case .declareLost:
                    let lost = model.detectLosses(now, ReorderingThreshold().delay(sender.rtt))
                    #expect(sender.lostNumbers == lost)
                case .sendProbes: model.ptoCount += 1
                }
            }
            #expect(sender.deadline == model.deadline(sender.rtt.ptoInterval(maxAckDelay: ms(25))))
        }
        #expect(sender.loss.statistics.packetsLost > 20)
        #expect(sender.loss[.application].entries.count < 64)
    }
}
