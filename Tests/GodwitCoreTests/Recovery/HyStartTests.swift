import GodwitWire
import Testing

@testable import GodwitCore

@Suite("HyStart++ (RFC 9406)")
struct HyStartTests {
    /// Plays a round of ten ACK frames of ten packets each, with one delay. True when slow start ended.
    private func round(_ hyStart: inout HyStart, _ number: UInt64, rtt: TimeSpan) -> Bool {
        for frame in UInt64(1)...10 {
            let largest = number * 100 + frame * 10
            if hyStart.onAck(largestAcked: largest, largestSent: largest + 99, rtt: rtt) { return true }
        }
        return false
    }

    @Test("The threshold is an eighth of the delay between 4 and 16 ms (RFC 9406 section 4.2)")
    func threshold() {
        #expect(HyStart.threshold(ms(8)) == ms(4))
        #expect(HyStart.threshold(ms(80)) == ms(10))
        #expect(HyStart.threshold(ms(800)) == ms(16))
    }

    @Test("A steady delay keeps slow start going")
    func steady() {
        var hyStart = HyStart()
        for number in UInt64(0)..<20 { #expect(!round(&hyStart, number, rtt: ms(80))) }
        #expect(!hyStart.isConservative)
        #expect(hyStart.growth(4000) == 4000)
    }

    @Test(
        "A rise slows growth to a quarter, and five rounds of that end slow start (RFC 9406 section 4.2)"
    )
    func risingDelay() {
        var hyStart = HyStart()
        #expect(!round(&hyStart, 0, rtt: ms(80)))
        #expect(!round(&hyStart, 1, rtt: ms(80)))
        #expect(!round(&hyStart, 2, rtt: ms(90)))
        #expect(hyStart.isConservative)
        #expect(hyStart.growth(4001) == 1000)
        #expect(hyStart.growth(3) == 1)
        for number in UInt64(3)...6 { #expect(!round(&hyStart, number, rtt: ms(90))) }
        #expect(round(&hyStart, 7, rtt: ms(90)))
    }

    @Test("Just below the threshold nothing happens")
    func belowThreshold() {
        var hyStart = HyStart()
        for number in UInt64(0)..<3 { _ = round(&hyStart, number, rtt: ms(80)) }
        _ = round(&hyStart, 3, rtt: .microseconds(89_999))
        #expect(!hyStart.isConservative)
    }

    @Test("Fewer than eight samples decide nothing (RFC 9406 section 4.2)")
    func fewSamples() {
        var hyStart = HyStart()
        _ = round(&hyStart, 0, rtt: ms(80))
        _ = round(&hyStart, 1, rtt: ms(80))
        for frame in UInt64(1)...7 {
            _ = hyStart.onAck(largestAcked: 210 + frame, largestSent: 400, rtt: ms(200))
        }
        #expect(!hyStart.isConservative)
        _ = hyStart.onAck(largestAcked: 218, largestSent: 400, rtt: ms(200))
        #expect(hyStart.isConservative)
    }

    @Test("When the delay falls again it was jitter, and slow start resumes (RFC 9406 section 4.2)")
    func jitter() {
        var hyStart = HyStart()
        for number in UInt64(0)...1 { _ = round(&hyStart, number, rtt: ms(80)) }
        _ = round(&hyStart, 2, rtt: ms(95))
        #expect(hyStart.isConservative)
        #expect(!round(&hyStart, 3, rtt: ms(85)))
        #expect(!hyStart.isConservative)
    }

    @Test("On a path that takes over, a delay that goes on rising ends it before its five rounds are over")
    func risingOn() {
        var hyStart = HyStart(isCautious: true)
        for number in UInt64(0)...1 { #expect(!round(&hyStart, number, rtt: ms(80))) }
        #expect(!round(&hyStart, 2, rtt: ms(92)))
        #expect(hyStart.isConservative)
        #expect(!round(&hyStart, 3, rtt: ms(102)))
        #expect(round(&hyStart, 4, rtt: ms(104)))
    }

    @Test("On a path that takes over, a queue that grows within a round is noticed before the next one")
    func withinRound() {
        var hyStart = HyStart(isCautious: true)
        for number in UInt64(0)...1 { _ = round(&hyStart, number, rtt: ms(80)) }
        for frame in UInt64(1)...16 {
            #expect(!hyStart.isConservative)
            _ = hyStart.onAck(largestAcked: 210 + frame, largestSent: 400, rtt: frame <= 8 ? ms(80) : ms(95))
        }
        #expect(hyStart.isConservative)
    }

    @Test(
        "Both controllers leave slow start by delay, without a reduction",
        arguments: CongestionAlgorithm.allCases)
    func controllers(algorithm: CongestionAlgorithm) {
        var controller = CongestionController(algorithm: algorithm, mtu: 1200)
        var number: UInt64 = 0
        var rounds = 0
        while controller.isInSlowStart, rounds < 40 {
            let rtt = rounds < 5 ? ms(50) : ms(70)
            for _ in 0..<10 where controller.isInSlowStart {
                number += 10
                controller.acknowledge(controller.window / 10, sent: Int64(number), now: Int64(number) + 50)
                controller.onSlowStartSample(largestAcked: number, largestSent: number + 99, rtt: rtt)
            }
            rounds += 1
            if rounds == 6 { #expect(controller.phase == .conservativeSlowStart) }
        }
        #expect((10...11).contains(rounds))
        #expect(controller.slowStartThreshold == controller.window)
        #expect(controller.phase == .congestionAvoidance)
        #expect(controller.window > 12_000 * 32)
    }

    @Test("It serves the first slow start only (RFC 9406 section 4.2)")
    func firstOnly() {
        var controller = CongestionController(algorithm: .cubic, mtu: 1200)
        controller.acknowledge(200_000, sent: 0, now: 1)
        controller.onLost(sentTime: at(ms: 1), now: at(ms: 2))
        controller.onPersistentCongestion()
        for frame in UInt64(1)...60 {
            let rtt = frame < 30 ? ms(50) : ms(150)
            controller.onSlowStartSample(largestAcked: frame, largestSent: frame + 9, rtt: rtt)
        }
        #expect(controller.phase == .slowStart)
    }
}
