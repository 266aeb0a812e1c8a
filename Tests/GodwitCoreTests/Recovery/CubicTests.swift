import Foundation
import GodwitWire
import Testing

@testable import GodwitCore

/// CUBIC as the RFC writes it: segments, seconds, real numbers.
private struct ReferenceCubic {
    var window: Double
    var maximum: Double
    var prior: Double
    var estimate: Double
    let k: Double

    /// Right after a reduction at `saturation` segments.
    init(saturation: Double) {
        window = saturation * 0.7
        maximum = saturation
        prior = saturation
        estimate = window
        k = cbrt((maximum - window) / 0.4)
    }

    func value(_ time: Double) -> Double { 0.4 * pow(time - k, 3) + maximum }

    mutating func acknowledge(_ segments: Double, time: Double, rtt: Double) {
        let alpha = estimate >= prior ? 1 : 3 * (1 - 0.7) / (1 + 0.7)
        estimate += alpha * segments / window
        if value(time) < estimate {
            window = max(window, estimate)
        } else {
            let target = min(max(value(time + rtt), window), 1.5 * window)
            window += (target - window) / window * segments
        }
    }
}

@Suite("CUBIC (RFC 9438)")
struct CubicTests {
    private let size: UInt64 = 1000

    /// A controller that was reduced at `segments` of 1000 bytes and left recovery.
    private func reduced(at segments: UInt64) -> Cubic {
        var cubic = Cubic(maximumDatagramSize: 1000)
        cubic.state.setWindow(segments * 1000)
        cubic.reduce(now: at(ms: 0), isUndoable: true)
        return cubic
    }

    @Test("K is the time back to the maximum (RFC 9438 section 4.2)", arguments: [10, 100, 1000, 10_000])
    func timeToMaximum(segments: UInt64) {
        var cubic = reduced(at: segments)
        cubic.growInAvoidance(0, now: at(ms: 1), rtt: ms(100))
        let expected = cbrt(Double(segments) * 0.3 / 0.4)
        #expect(abs(cubic.curve.timeToMaximum - expected) < 1e-9)
        let start = cubic.curve.value(at: 0, Double(size))
        #expect(abs(start - Double(segments) * 700) < 1e-3)
        #expect(abs(cubic.curve.value(at: expected, Double(size)) - Double(segments) * 1000) < 1e-3)
    }

    @Test(
        "The window follows the RFC's formulas round trip by round trip (RFC 9438 sections 4.2 to 4.5)",
        arguments: [
            (20, 20), (20, 100), (100, 10), (100, 100), (100, 300), (1000, 20), (1000, 100), (5000, 200),
        ])
    func followsFormulas(segments: UInt64, rttMilliseconds: Int64) {
        var cubic = reduced(at: segments)
        var reference = ReferenceCubic(saturation: Double(segments))
        let rtt = ms(rttMilliseconds)
        for round in Int64(0)..<60 {
            let time = rtt * round
            for _ in 0..<4 {
                let acked = cubic.state.window / 4
                cubic.growInAvoidance(acked, now: at(ms: 1) + time, rtt: rtt)
                reference.acknowledge(Double(acked) / 1000, time: time.inSeconds, rtt: rtt.inSeconds)
            }
            let window = Double(cubic.state.window) / 1000
            #expect(abs(window - reference.window) < 0.001 * reference.window + 0.01, "round \(round)")
        }
    }

    @Test("With a short round trip it is as fast as Reno (RFC 9438 section 4.3)")
    func renoFriendly() {
        var cubic = reduced(at: 20)
        for round in Int64(0)..<12 {
            cubic.growInAvoidance(cubic.state.window, now: at(ms: 1 + 10 * round), rtt: ms(10))
        }
        // 12 round trips at alpha = 9/17 segments; the cubic function would not have moved much yet.
        let growth = Double(cubic.state.window - 14_000)
        #expect(abs(growth - 12 * 9_000 / 17) < 100)
    }

    @Test("The target is never more than half a window away (RFC 9438 section 4.2)")
    func boundedTarget() {
        var cubic = reduced(at: 100)
        cubic.growInAvoidance(1000, now: at(ms: 1), rtt: ms(100))
        let window = cubic.state.window
        cubic.growInAvoidance(window, now: at(ms: 1_000_000), rtt: ms(100))
        #expect(cubic.state.window <= window + window / 2)
    }

    @Test("A maximum that was not reached again makes room for others (RFC 9438 section 4.7)")
    func fastConvergence() {
        var cubic = reduced(at: 100)
        cubic.reduce(now: at(ms: 100), isUndoable: true)
        #expect(cubic.state.window == 49_000)
        #expect(cubic.curve.maximumWindow == 70_000 * 0.85)
        cubic.state.setWindow(90_000)
        cubic.reduce(now: at(ms: 200), isUndoable: true)
        #expect(cubic.curve.maximumWindow == 90_000)
    }

    @Test("Time without data to send does not count (RFC 9438 section 4.2)")
    func applicationLimited() {
        var steady = reduced(at: 100)
        for round in Int64(0)..<10 {
            steady.growInAvoidance(50_000, now: at(ms: 1 + 100 * round), rtt: ms(100))
        }
        var paused = steady
        var idle = steady
        paused.onApplicationLimited()
        idle.onIdle()
        steady.growInAvoidance(1000, now: at(ms: 1001), rtt: ms(100))
        paused.growInAvoidance(1000, now: at(ms: 60_901), rtt: ms(100))
        idle.growInAvoidance(1000, now: at(ms: 61_001), rtt: ms(100))
        #expect(idle.state.window == steady.state.window)
        #expect(paused.state.window.distance(to: steady.state.window).magnitude < 100)
    }

    @Test("Slow start that ended without loss goes on from where it is (RFC 9438 section 4.10)")
    func afterHyStart() {
        var cubic = Cubic(maximumDatagramSize: 1000)
        cubic.state.setWindow(50_000)
        cubic.onSlowStartExit()
        cubic.growInAvoidance(50_000, now: at(ms: 100), rtt: ms(100))
        #expect(cubic.curve.maximumWindow == 50_000)
        #expect(cubic.curve.timeToMaximum == 0)
        #expect(cubic.state.window <= 51_000)
    }

    @Test("So does the stage after persistent congestion (RFC 9438 section 4.8)")
    func afterPersistentCongestion() {
        var cubic = reduced(at: 100)
        cubic.onPersistentCongestion()
        #expect(cubic.state.window == 2000)
        #expect(cubic.state.slowStartThreshold == 70_000)
        cubic.state.setWindow(70_000)
        cubic.growInAvoidance(1000, now: at(ms: 5000), rtt: ms(100))
        #expect(cubic.curve.maximumWindow == 70_000)
        #expect(cubic.curve.timeToMaximum == 0)
    }

    @Test("A freeze does not move the curve")
    func freeze() {
        var frozen = reduced(at: 100)
        frozen.growInAvoidance(1000, now: at(ms: 1), rtt: ms(100))
        var steady = frozen
        frozen.shift(by: ms(3_600_000))
        steady.growInAvoidance(70_000, now: at(ms: 900), rtt: ms(100))
        frozen.growInAvoidance(70_000, now: at(ms: 3_600_900), rtt: ms(100))
        #expect(frozen.state.window == steady.state.window)
    }

    @Test("Cube roots are exact to the last digits over all magnitudes")
    func cubeRoots() {
        for exponent in stride(from: -60, through: 200, by: 1) {
            for significand in [1.0, 1.3, 1.99] {
                let value = significand * pow(2, Double(exponent))
                #expect(abs(value.cubeRoot / cbrt(value) - 1) < 1e-14)
            }
        }
        #expect(0.0.cubeRoot == 0)
        #expect((-8.0).cubeRoot == 0)
        #expect(Double.infinity.cubeRoot == 0)
    }
}
