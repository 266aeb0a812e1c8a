import GodwitWire

/// Whether one path carries ECN marks (RFC 9000 section 13.4.2 and appendix A.4).
struct ECNValidator: Codable, Sendable, Equatable {
    /// How many packets the test marks at most; it also ends after three probe timeouts.
    static let testPackets: UInt64 = 10

    enum State: UInt8, Codable, Sendable {
        /// Packets are marked to see what becomes of them.
        case testing
        /// Enough were marked; the answer is awaited.
        case unknown
        case capable
        case failed
    }

    private(set) var state: State
    private var markedSent: UInt64 = 0
    private var markedAcked: UInt64 = 0
    private var markedLost: UInt64 = 0
    private var congestionMarks: UInt64 = 0
    private var testEnd: Instant?

    /// - Parameter isEnabled: whether the socket can set and read marks at all.
    init(isEnabled: Bool) { state = isEnabled ? .testing : .failed }

    /// The mark for the next datagrams. `ptoInterval` bounds how long the test goes on.
    mutating func codepoint(now: Instant, ptoInterval: TimeSpan) -> ECNCodepoint {
        if state == .testing {
            let end = testEnd ?? now + ptoInterval * 3
            testEnd = end
            if now >= end || markedSent >= Self.testPackets { state = .unknown }
        }
        return state == .testing || state == .capable ? .ect0 : .notECT
    }

    /// A packet left in a marked datagram.
    mutating func onMarkedPacketSent() { markedSent += 1 }

    /// Takes in what an ACK frame says. True when it reports congestion on the path.
    mutating func onAcked(_ report: PathOutcome, _ feedback: ECNFeedback) -> Bool {
        guard state != .failed else { return false }
        markedAcked += report.ackedMarkedPackets
        switch feedback {
        case .absent:
            return false
        case .invalid:
            // RFC 9000 section 13.4.2.2: also later in the life of a path.
            if report.ackedMarkedPackets > 0 { state = .failed }
            return false
        case .increase(let counts):
            congestionMarks += counts.congestionExperienced
            conclude()
            return state != .failed && counts.congestionExperienced > 0
        }
    }

    /// RFC 9000 appendix A.4: the test may fail when every mark comes back as congestion.
    private mutating func conclude() {
        guard state == .unknown, markedAcked > 0 else { return }
        if congestionMarks < markedAcked {
            state = .capable
        } else if markedAcked + markedLost >= markedSent {
            state = .failed
        }
    }

    /// Marked packets of the path were declared lost (RFC 9000 section 13.4.2).
    mutating func onLost(_ report: PathOutcome) {
        markedLost += report.lostMarkedPackets
        guard state == .unknown, report.lostMarkedPackets > 0 else { return }
        if markedAcked == 0, markedLost >= markedSent { state = .failed }
    }

    mutating func shift(by span: TimeSpan) { testEnd = testEnd.map { $0 + span } }
}
