import GodwitWire

/// The window as a cubic function of the time since congestion avoidance began (RFC 9438 section 4.2).
///
/// Windows are bytes and fractions of a byte; times are seconds.
struct CubicCurve: Codable, Sendable, Equatable {
    /// W_max; 0 when there was no reduction that set it.
    private(set) var maximumWindow = 0.0
    /// K, the time at which the curve is at ``maximumWindow`` again.
    private(set) var timeToMaximum = 0.0
    /// W_est, what Reno would have arrived at.
    private(set) var renoWindow = 0.0
    /// cwnd_prior, the window before the latest reduction.
    private var priorWindow = 0.0
    /// t_epoch; nil until the first growth of a stage.
    private var epochStart: Instant?
    private var lastGrowth = Instant.zero
    private var isPaused = false
    private var mayHaveIdled = false
    /// The part of a byte that the window has not grown by yet.
    private var fraction = 0.0

    /// The window after `acked` more bytes were acknowledged.
    mutating func grow(
        _ window: UInt64, acked: UInt64, maximumDatagramSize: UInt64, now: Instant, rtt: TimeSpan
    ) -> UInt64 {
        let size = Double(maximumDatagramSize)
        let elapsed = advance(window, size, now, rtt)
        let current = Double(window)
        growRenoWindow(Double(acked), size, current)
        if value(at: elapsed, size) < renoWindow {
            fraction = 0
            return max(window, UInt64(renoWindow))
        }
        let ahead = value(at: elapsed + rtt.inSeconds, size)
        let target = min(max(ahead, current), 1.5 * current)
        return add((target - current) * Double(acked) / current, to: window)
    }

    /// The time on the curve, which stands still while the application leaves the window unused
    /// (RFC 9438 section 4.2).
    private mutating func advance(
        _ window: UInt64, _ size: Double, _ now: Instant, _ rtt: TimeSpan
    ) -> Double {
        var start = epochStart ?? now
        if epochStart == nil {
            begin(Double(window), size)
        } else if isPaused {
            start += max(now - lastGrowth, .zero)
        } else if mayHaveIdled {
            // Without a pause, growth comes once for a round trip when one ACK frame settles a whole window.
            start += max(now - lastGrowth - rtt, .zero)
        }
        epochStart = start
        lastGrowth = now
        isPaused = false
        mayHaveIdled = false
        return (now - start).inSeconds
    }

    /// RFC 9438 section 4.2, and sections 4.8 and 4.10 for a stage that no reduction came before.
    private mutating func begin(_ window: Double, _ size: Double) {
        if window >= maximumWindow { maximumWindow = window }
        timeToMaximum = ((maximumWindow - window) / (Cubic.c * size)).cubeRoot
        renoWindow = window
        fraction = 0
    }

    /// W_cubic(t).
    func value(at time: Double, _ size: Double) -> Double {
        let distance = time - timeToMaximum
        return Cubic.c * size * distance * distance * distance + maximumWindow
    }

    /// RFC 9438 section 4.3: Reno's own increase once it is back where the last reduction was.
    private mutating func growRenoWindow(_ acked: Double, _ size: Double, _ window: Double) {
        let alpha = renoWindow >= priorWindow ? 1 : Cubic.alpha
        renoWindow += alpha * size * acked / window
    }

    private mutating func add(_ bytes: Double, to window: UInt64) -> UInt64 {
        fraction += bytes
        let whole = UInt64(fraction)
        fraction -= Double(whole)
        return window + whole
    }

    /// The window after a congestion event (RFC 9438 sections 4.6 and 4.7).
    mutating func reduce(_ window: UInt64) -> UInt64 {
        let current = Double(window)
        // Fast convergence: a window that did not get back to its maximum has new neighbours.
        maximumWindow = current < maximumWindow ? current * (1 + Cubic.beta) / 2 : current
        priorWindow = current
        epochStart = nil
        return UInt64(current * Cubic.beta)
    }

    /// Forgets the maximum: the next stage begins at the window it finds.
    mutating func startOver() {
        let prior = priorWindow
        self = CubicCurve()
        priorWindow = prior
    }

    /// Slow start ended without a reduction (RFC 9438 section 4.10).
    mutating func startOver(priorWindow: UInt64) {
        self = CubicCurve()
        self.priorWindow = Double(priorWindow)
    }

    /// The window is not used up, so the time until it grows again does not count.
    mutating func pause() { isPaused = true }
    /// Nothing is in flight, perhaps since long ago.
    mutating func noteIdle() { mayHaveIdled = true }

    mutating func shift(by span: TimeSpan) {
        epochStart = epochStart.map { $0 + span }
        lastGrowth += span
    }
}

extension Double {
    /// The cube root of a number that is not negative, by Newton's method: the standard library has none.
    var cubeRoot: Double {
        guard self > 0, isFinite else { return 0 }
        // A third of the exponent is within a factor of 2.6; six steps bring that to full precision.
        var root = Double(sign: .plus, exponent: exponent / 3, significand: 1)
        for _ in 0..<8 { root = (2 * root + self / (root * root)) / 3 }
        return root
    }
}
