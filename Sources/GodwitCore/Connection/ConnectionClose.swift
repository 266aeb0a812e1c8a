public import GodwitWire

/// Why a connection ended.
public enum ConnectionCloseReason: Sendable, Hashable, Codable {
    /// One side's transport found an error, or closed without one (`noError`).
    case transport(code: TransportErrorCode, frameType: UInt64, reason: String, byPeer: Bool)
    /// One side's application closed with a code of its own.
    case application(code: UInt64, reason: String, byPeer: Bool)
    /// Nothing was heard for the idle timeout (RFC 9000 section 10.1).
    case idleTimeout
    /// The handshake did not end in time.
    case handshakeTimeout
    /// The peer has lost the connection's state and said so (RFC 9000 section 10.3).
    case statelessReset
    /// No version in common; these are the server's (RFC 9000 section 6).
    case versionNegotiationFailed(offered: [UInt32])
    /// Every path failed (RFC 9000 section 9).
    case noViablePath
}

extension ConnectionCloseReason: CustomStringConvertible {
    /// One line that says who ended the connection and why.
    public var description: String {
        switch self {
        case .transport(let code, let frameType, let reason, let byPeer):
            let frame = frameType == 0 ? "" : " in frame 0x\(String(frameType, radix: 16))"
            return
                "\(byPeer ? "the peer closed" : "closed") with \(code)\(frame)\(reason.isEmpty ? "" : ": \(reason)")"
        case .application(let code, let reason, let byPeer):
            let who = byPeer ? "the peer's application closed" : "the application closed"
            return "\(who) with code \(code)\(reason.isEmpty ? "" : ": \(reason)")"
        case .idleTimeout: return "nothing was heard for the idle timeout"
        case .handshakeTimeout: return "the handshake did not end in time"
        case .statelessReset: return "the peer reset the connection: it has lost its state"
        case .versionNegotiationFailed(let offered):
            let versions = offered.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
            return "no QUIC version in common; the server speaks \(versions)"
        case .noViablePath: return "no path to the peer works any more"
        }
    }
}

/// Where a connection stands in its life (RFC 9000 sections 4.1.2 of RFC 9001, and 10).
enum Lifecycle: Codable, Sendable, Equatable {
    case handshaking
    /// The handshake is complete here, the peer's view of it not yet known (RFC 9001 section 4.1.1).
    case established
    /// RFC 9001 section 4.1.2.
    case confirmed
    /// RFC 9000 section 10.2.1.
    case closing(ClosingState)
    /// RFC 9000 section 10.2.2.
    case draining(until: Instant)
    case closed

    var isOpen: Bool {
        switch self {
        case .handshaking, .established, .confirmed: true
        case .closing, .draining, .closed: false
        }
    }

    var isConfirmed: Bool { self == .confirmed }
}

/// What is kept to answer packets that still arrive after a CONNECTION_CLOSE was sent.
struct ClosingState: Codable, Sendable, Equatable {
    var until: Instant
    var received: UInt64 = 0
    /// The next count of received packets that is answered; it doubles, so that two closing endpoints, or a peer
    /// that ignores the close, cause few answers (RFC 9000 section 10.2.1).
    var answerAt: UInt64 = 1
    var mustSend = true
    /// What was received while closing, and what was sent after the first CONNECTION_CLOSE, in bytes.
    var bytesReceived: UInt64 = 0
    var bytesAnswered: UInt64 = 0
    var hasSent = false

    mutating func onDatagramReceived(size: Int) {
        received += 1
        bytesReceived += UInt64(size)
        guard received >= answerAt else { return }
        answerAt *= 2
        mustSend = true
    }

    mutating func onSent(_ size: Int) {
        mustSend = false
        if hasSent { bytesAnswered += UInt64(size) }
        hasSent = true
    }

    /// How many bytes may be sent. Nobody looks any more whether what comes in is genuine, so answers have no more
    /// than thrice its size (RFC 9000 section 10.2.1).
    var sendAllowance: Int { hasSent ? Int(clamping: 3 * bytesReceived - bytesAnswered) : .max }
}
