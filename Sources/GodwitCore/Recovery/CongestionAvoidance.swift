import GodwitWire

/// Which congestion controller a connection's paths use.
public enum CongestionAlgorithm: String, Hashable, Sendable, Codable, CaseIterable {
    /// The controller of RFC 9002 section 7.
    case newReno
    /// RFC 9438, the default.
    case cubic
}

/// What tells one congestion controller from another: how the window grows once slow start is over, and by
/// how much it shrinks.
///
/// A closed set of value types instead of a protocol value: a call is a switch, and the state can be written
/// to bytes.
enum CongestionAvoidance: Codable, Sendable, Equatable {
    case newReno(NewReno)
    case cubic(Cubic)

    init(_ algorithm: CongestionAlgorithm) {
        switch algorithm {
        case .newReno: self = .newReno(NewReno())
        case .cubic: self = .cubic(Cubic())
        }
    }

    var algorithm: CongestionAlgorithm {
        switch self {
        case .newReno: .newReno
        case .cubic: .cubic
        }
    }

    /// The window after `bytes` more were acknowledged.
    mutating func grow(
        _ window: UInt64, acked bytes: UInt64, maximumDatagramSize: UInt64, now: Instant, rtt: TimeSpan
    ) -> UInt64 {
        switch self {
        case .newReno(var controller):
            let grown = controller.grow(window, acked: bytes, maximumDatagramSize: maximumDatagramSize)
            self = .newReno(controller)
            return grown
        case .cubic(var controller):
            let grown = controller.curve.grow(
                window, acked: bytes, maximumDatagramSize: maximumDatagramSize, now: now, rtt: rtt)
            self = .cubic(controller)
            return grown
        }
    }

    /// The window after a congestion event.
    mutating func reduce(_ window: UInt64) -> UInt64 {
        switch self {
        case .newReno(var controller):
            let reduced = controller.reduce(window)
            self = .newReno(controller)
            return reduced
        case .cubic(var controller):
            let reduced = controller.reduce(window)
            self = .cubic(controller)
            return reduced
        }
    }

    /// The latest reduction was for nothing.
    mutating func undoReduction() { updateCubic { $0.undoReduction() } }

    /// Persistent congestion: what comes next begins where slow start ends.
    mutating func startOver() {
        switch self {
        case .newReno: self = .newReno(NewReno())
        case .cubic: updateCubic { $0.startOver() }
        }
    }

    /// Slow start ended without loss.
    mutating func onSlowStartExit(_ window: UInt64) { updateCubic { $0.onSlowStartExit(window) } }

    /// The window is not used up.
    mutating func pause() { updateCubic { $0.curve.pause() } }

    /// Nothing is in flight, perhaps since long ago.
    mutating func noteIdle() { updateCubic { $0.curve.noteIdle() } }

    /// Moves all instants by the length of a freeze.
    mutating func shift(by span: TimeSpan) { updateCubic { $0.shift(by: span) } }

    /// NewReno knows no time, so all these concern CUBIC alone.
    private mutating func updateCubic(_ update: (inout Cubic) -> Void) {
        guard case .cubic(var controller) = self else { return }
        update(&controller)
        self = .cubic(controller)
    }
}
