public import GodwitWire

/// When a server must not send stateless resets (RFC 9000 section 21.11, Specs/server-migration.md 6.7).
///
/// A connection that this process does not know may live in another copy of it: one that is being moved, or
/// that was moved to or from here. A reset would end it there.
public struct StatelessResetHold: Hashable, Sendable, Codable {
    /// How long after the end of a plan there are no resets.
    public static let aftermath = TimeSpan.seconds(30)

    private var isPlanOpen = false
    private var heldUntil = Instant.distantPast

    /// No plan, and nothing before it.
    public init() {}

    /// A plan is open.
    public mutating func onPlanOpened() { isPlanOpen = true }

    /// The plan has come to its end, one way or the other.
    public mutating func onPlanClosed(at now: Instant) {
        isPlanOpen = false
        heldUntil = now + Self.aftermath
    }

    /// Whether a datagram to a connection id that is not known may be answered with a reset.
    ///
    /// - Parameters:
    ///   - isIssuedHere: whether the id was issued since this process started.
    public func permitsReset(at now: Instant, isIssuedHere: Bool) -> Bool {
        isIssuedHere && !isPlanOpen && now >= heldUntil
    }

    /// Moves the time over a freeze.
    public mutating func resume(shiftedBy span: TimeSpan) { heldUntil += span }
}
