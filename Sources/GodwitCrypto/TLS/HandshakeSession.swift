public import GodwitWire

/// The TLS side of one connection, as QUIC sees it (RFC 9001 section 4): CRYPTO bytes go in and come out
/// level by level, secrets come out, nothing is encrypted here.
///
/// After each call, also one that throws, everything that ``nextAction()`` gives is to be carried out in
/// order. A session is used by one thread at a time. Once it has thrown it stays failed.
public protocol HandshakeSession: AnyObject {
    /// Begins: a client makes its ClientHello, a server does nothing.
    func start() throws(HandshakeFailure)

    /// Takes CRYPTO bytes of the peer in the order of their offsets, none of them twice.
    ///
    /// After the handshake a client gets its tickets this way, at ``GodwitWire/EncryptionLevel/oneRTT``.
    func receive(_ bytes: UnsafeRawBufferPointer, at level: EncryptionLevel) throws(HandshakeFailure)

    /// What there is to be done next; nil when nothing is left.
    func nextAction() -> HandshakeAction?

    /// Whether the handshake is complete (RFC 9001 section 4.1.1). The action
    /// ``HandshakeAction/complete(_:)`` says so too.
    var isComplete: Bool { get }

    /// The application protocol, as soon as it is known: for early data that is before the handshake is
    /// complete.
    var applicationProtocol: String? { get }

    /// The host name that the client asked for; nil if it asked for none.
    var serverName: String? { get }
}

/// Makes a server's transport parameters from the client's, which come as the extension held them. What it
/// throws ends the handshake and closes the connection with its code.
public typealias TransportParametersAnswer = (_ clientParameters: [UInt8]) throws(TransportError) -> [UInt8]

/// What a handshake wants done.
public enum HandshakeAction: Hashable, Sendable {
    /// Send these bytes in CRYPTO frames at that level.
    case send([UInt8], EncryptionLevel)
    /// Packets of that level can be opened from here on.
    case installReadSecret(TrafficSecret, EncryptionLevel)
    /// Packets of that level can be sealed from here on.
    case installWriteSecret(TrafficSecret, EncryptionLevel)
    /// What the peer put into its transport parameters extension, unread. Until the handshake is complete it
    /// is not authenticated (RFC 9001 section 8.2).
    case peerTransportParameters([UInt8])
    /// The server takes the early data that the client offered. Both sides get this.
    case earlyDataAccepted
    /// The server doesn't take the early data that the client offered: what was sent in 0-RTT packets has to
    /// be sent again. Both sides get this.
    case earlyDataRejected
    /// What a later handshake with the same server can resume with, as bytes that ``SessionTicket`` reads.
    case sessionTicket([UInt8])
    /// The handshake is complete.
    case complete(HandshakeSummary)
}

/// Why a handshake failed.
public struct HandshakeFailure: Error, Hashable, Sendable {
    /// What the connection is to be closed with.
    public var code: TransportErrorCode
    /// What went wrong, in words.
    public var reason: String

    /// A failure that QUIC has a code for.
    public init(code: TransportErrorCode, reason: String) {
        self.code = code
        self.reason = reason
    }

    /// A failure that TLS has an alert for. Every alert is fatal, whatever level TLS gives it (RFC 9001
    /// section 4.8).
    public init(alert: UInt8, reason: String) {
        self.init(code: .cryptoError(alert: alert), reason: reason)
    }

    /// The alert of TLS; 0 (close_notify, which never is a failure) where QUIC has a code of its own.
    public var alert: UInt8 { code.tlsAlert ?? 0 }
}

extension HandshakeFailure: CustomStringConvertible {
    /// Code and reason.
    public var description: String { "\(code): \(reason)" }
}
