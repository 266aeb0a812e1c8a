import GodwitWire

/// The congestion avoidance of CUBIC (RFC 9438), in bytes.
struct Cubic: Codable, Sendable, Equatable {
    /// The multiplicative decrease factor (RFC 9438 section 4.6).
    static let beta = 0.7
    /// The aggressiveness, in datagrams per second cubed (RFC 9438 section 5.1).
    static let c = 0.4
    /// The additive increase that is as fair as Reno's with ``beta`` (RFC 9438 section 4.3).
    static let alpha = 3 * (1 - beta) / (1 + beta)

    var curve = CubicCurve()
    /// The curve before the latest reduction, in case that was for nothing (RFC 9438 section 4.9.2).
    private var previousCurve: CubicCurve?

    mutating func reduce(_ window: UInt64) -> UInt64 {
        previousCurve = curve
        return curve.reduce(window)
    }

    mutating func undoReduction() {
        if let previousCurve { curve = previousCurve }
        previousCurve = nil
    }

    /// RFC 9438 section 4.8: the reduction before has set the threshold; the next curve begins where slow
    /// start ends.
    mutating func startOver() {
        curve.startOver()
        previousCurve = nil
    }

    /// RFC 9438 section 4.10.
    mutating func onSlowStartExit(_ window: UInt64) { curve.startOver(priorWindow: window) }

    mutating func shift(by span: TimeSpan) {
        curve.shift(by: span)
        previousCurve = nil
    }
}
