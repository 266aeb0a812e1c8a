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

/// CUBIC's congestion avoidance with its window, at datagrams of 1000 bytes.
private struct CubicWindow {
    var cubic = Cubic()
    var window: UInt64

    var curve: CubicCurve { cubic.curve }

    mutating func grow(_ bytes: UInt64, now: Instant, rtt: TimeSpan) {
        window = cubic.curve.grow(window, acked: bytes, maximumDatagramSize: 1000, now: now, rtt: rtt)
    }

    mutating func reduce() { window = cubic.reduce(window) }
}

@Suite("CUBIC (RFC 9438)")
struct CubicTests {
    private let size: UInt64 = 1000

    /// A window that was reduced at `segments` of 1000 bytes.
    private func reduced(at segments: UInt64) -> CubicWindow {
        var cubic = CubicWindow(window: segments * 1000)
        cubic.reduce()
        return cubic
    }

    @Test("K is the time back to the maximum (RFC 9438 section 4.2)", arguments: [10, 100, 1000, 10_000])
    func timeToMaximum(segments: UInt64) {
        var cubic = reduced(at: segments)
        cubic.grow(0, now: at(ms: 1), rtt: ms(100))
        let expected = cbrt(Double(segments) * 0.3 / 0.4)
        #expect(abs(cubic.curve.timeToMaximum - expected) < 1e-9)
        let start = cubic.curve.value(at: 0, Double(size))
        #expect(abs(start - Double(segments) * 700) < 1e-3)
        #expect(abs(cubic.curve.value(at: expected, Double(size)) - Double(segments) * 1000) < 1e-3)
    }

    // Holds: 9002-7-1
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
                let acked = cubic.window / 4
                cubic.grow(acked, now: at(ms: 1) + time, rtt: rtt)
                reference.acknowledge(Double(acked) / 1000, time: time.inSeconds, rtt: rtt.inSeconds)
            }
            let window = Double(cubic.window) / 1000
            #expect(abs(window - reference.window) < 0.001 * reference.window + 0.01, "round \(round)")
        }
    }

    @Test("With a short round trip it is as fast as Reno (RFC 9438 section 4.3)")
    func renoFriendly() {
        var cubic = reduced(at: 20)
        for round in Int64(0)..<12 {
            cubic.grow(cubic.window, now: at(ms: 1 + 10 * round), rtt: ms(10))
        }
        // 12 round trips at alpha = 9/17 segments; the cubic function would not have moved much yet.
        let growth = Double(cubic.window - 14_000)
        #expect(abs(growth - 12 * 9_000 / 17) < 100)
    }

    @Test("The target is never more than half a window away (RFC 9438 section 4.2)")
    func boundedTarget() {
        var cubic = reduced(at: 100)
        cubic.grow(1000, now: at(ms: 1), rtt: ms(100))
        let window = cubic.window
        cubic.grow(window, now: at(ms: 1_000_000), rtt: ms(100))
        #expect(cubic.window <= window + window / 2)
    }

    @Test("A maximum that was not reached again makes room for others (RFC 9438 section 4.7)")
    func fastConvergence() {
        var cubic = reduced(at: 100)
        cubic.reduce()
        #expect(cubic.window == 49_000)
        #expect(cubic.curve.maximumWindow == 70_000 * 0.85)
        cubic.window = 90_000
        cubic.reduce()
        #expect(cubic.curve.maximumWindow == 90_000)
    }

    @Test("Time without data to send does not count (RFC 9438 section 4.2)")
    func applicationLimited() {
        var steady = reduced(at: 100)
        for round in Int64(0)..<10 {
            steady.grow(50_000, now: at(ms: 1 + 100 * round), rtt: ms(100))
        }
        var paused = steady
        var idle = steady
        paused.cubic.curve.pause()
        idle.cubic.curve.noteIdle()
        steady.grow(1000, now: at(ms: 1001), rtt: ms(100))
        paused.grow(1000, now: at(ms: 60_901), rtt: ms(100))
        idle.grow(1000, now: at(ms: 61_001), rtt: ms(100))
        #expect(idle.window == steady.window)
        #expect(paused.window.distance(to: steady.window).magnitude < 100)
    }

    @Test("Slow start that ended without loss goes on from where it is (RFC 9438 section 4.10)")
    func afterHyStart() {
        var cubic = CubicWindow(window: 50_000)
        cubic.cubic.onSlowStartExit(50_000)
        cubic.grow(50_000, now: at(ms: 100), rtt: ms(100))
        #expect(cubic.curve.maximumWindow == 50_000)
        #expect(cubic.curve.timeToMaximum == 0)
        #expect(cubic.window <= 51_000)
    }

    @Test("So does the stage after persistent congestion (RFC 9438 section 4.8)")
    func afterPersistentCongestion() {
        var cubic = reduced(at: 100)
        cubic.cubic.startOver()
        cubic.window = 70_000
        cubic.grow(1000, now: at(ms: 5000), rtt: ms(100))
        #expect(cubic.curve.maximumWindow == 70_000)
        #expect(cubic.curve.timeToMaximum == 0)
    }

    @Test("A freeze does not move the curve")
    func freeze() {
        var frozen = reduced(at: 100)
        frozen.grow(1000, now: at(ms: 1), rtt: ms(100))
        var steady = frozen
        frozen.cubic.shift(by: ms(3_600_000))
        steady.grow(70_000, now: at(ms: 900), rtt: ms(100))
        frozen.grow(70_000, now: at(ms: 3_600_900), rtt: ms(100))
        #expect(frozen.window == steady.window)
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
