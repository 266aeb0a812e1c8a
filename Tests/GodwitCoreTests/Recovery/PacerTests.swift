import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Pacing (RFC 9002 section 7.7)")
struct PacerTests {
    // Holds: 9002-7.7-1
    @Test("The initial window may leave at once, the next datagram waits")
    func initialBurst() {
        var pacer = Pacer()
        let rtt = RTTEstimator.defaultInitialRTT
        #expect(pacer.allowance(now: at(ms: 0), window: 12_000, rtt: rtt, mtu: 1200) == 12_000)
        pacer.onSent(12_000)
        #expect(pacer.allowance(now: at(ms: 0), window: 12_000, rtt: rtt, mtu: 1200) == 0)
        let next = pacer.nextSendTime(window: 12_000, rtt: rtt, mtu: 1200)
        // 1200 bytes at 1.25 windows of 12,000 a round trip of 333 ms.
        #expect(abs((next - at(ms: 0)).inSeconds - 0.333 / 12.5) < 1e-6)
        #expect(pacer.allowance(now: next, window: 12_000, rtt: rtt, mtu: 1200) == 1200)
    }

    // Holds: 9002-7.7-1
    @Test("Over a round trip 1.25 windows leave")
    func rate() {
        var pacer = Pacer()
        var now = at(ms: 0)
        var sent = -pacer.allowance(now: now, window: 600_000, rtt: ms(100), mtu: 1200)
        while now <= at(ms: 100) {
            let allowance = pacer.allowance(now: now, window: 600_000, rtt: ms(100), mtu: 1200)
            sent += allowance
            pacer.onSent(allowance)
            now = max(pacer.nextSendTime(window: 600_000, rtt: ms(100), mtu: 1200), now + .microseconds(1))
        }
        #expect(abs(sent - 750_000) <= 15_000)
    }

    @Test("Trains leave about once a millisecond, not packet by packet")
    func wakeUps() {
        var pacer = Pacer()
        var now = at(ms: 0)
        var wakeUps = 0
        while now < at(ms: 100) {
            pacer.onSent(pacer.allowance(now: now, window: 1_200_000, rtt: ms(100), mtu: 1200))
            now = pacer.nextSendTime(window: 1_200_000, rtt: ms(100), mtu: 1200)
            wakeUps += 1
        }
        #expect((90...110).contains(wakeUps))
    }

    @Test("On a fast network trains of 44 and more datagrams leave at once")
    func fastNetwork() {
        var pacer = Pacer()
        let allowance = pacer.allowance(now: at(ms: 0), window: 250_000, rtt: .microseconds(300), mtu: 1452)
        #expect(allowance > 44 * 1452)
    }

    @Test("On a long path a burst is no more than one train or an eighth of a round trip's worth")
    func longPath() {
        var pacer = Pacer()
        #expect(pacer.allowance(now: at(ms: 0), window: 2_000_000, rtt: ms(200), mtu: 1200) == 65_536)
        var narrow = Pacer()
        #expect(narrow.allowance(now: at(ms: 0), window: 160_000, rtt: ms(200), mtu: 1200) == 25_000)
    }

    @Test("Credit does not gather while nothing is sent")
    func idle() {
        var pacer = Pacer()
        _ = pacer.allowance(now: at(ms: 0), window: 60_000, rtt: ms(100), mtu: 1200)
        #expect(pacer.allowance(now: at(ms: 1_000_000), window: 60_000, rtt: ms(100), mtu: 1200) == 12_000)
    }

    @Test("Probes may leave beyond it and are paid back")
    func debt() {
        var pacer = Pacer()
        _ = pacer.allowance(now: at(ms: 0), window: 12_000, rtt: ms(100), mtu: 1200)
        pacer.onSent(14_400)
        // A debt of 2400 and the next datagram, at 150 bytes a millisecond.
        let wait = pacer.nextSendTime(window: 12_000, rtt: ms(100), mtu: 1200) - at(ms: 0)
        #expect(abs(wait.inSeconds - 0.024) < 1e-6)
    }

    @Test("Extreme paths and clocks do no harm")
    func extremes() {
        var pacer = Pacer()
        #expect(pacer.allowance(now: at(ms: 0), window: 1 << 40, rtt: .zero, mtu: 65_527) > 0)
        pacer.onSent(Int.max / 4)
        let slow = TimeSpan(nanoseconds: .max)
        #expect(pacer.allowance(now: at(ms: -5), window: 2400, rtt: slow, mtu: 1200) == 0)
        #expect(pacer.nextSendTime(window: 2400, rtt: slow, mtu: 1200) > at(ms: 1000))
    }

    @Test("A freeze gives no credit")
    func freeze() {
        var pacer = Pacer()
        _ = pacer.allowance(now: at(ms: 0), window: 12_000, rtt: ms(100), mtu: 1200)
        pacer.onSent(12_000)
        pacer.shift(by: ms(60_000))
        #expect(pacer.allowance(now: at(ms: 60_000), window: 12_000, rtt: ms(100), mtu: 1200) == 0)
    }
}
