public import GodwitCore
public import GodwitWire

/// What went wrong with a stream, a connection or a socket.
///
/// A task that is cancelled gets a `CancellationError` instead.
public enum QUICError: Error, Hashable, Sendable {
    // MARK: Streams

    /// The peer reset the stream (RESET_STREAM, RFC 9000 section 3.2): what was not read is gone and nothing
    /// more comes. The code is one of the application protocol's.
    case streamResetByPeer(code: UInt64)
    /// The peer wants no more of what is written to the stream (STOP_SENDING, RFC 9000 section 3.5). The code
    /// is one of the application protocol's.
    case streamStoppedByPeer(code: UInt64)
    /// The stream was already finished, reset or given up on this side, or does not flow in the direction
    /// asked for.
    case streamUnusable(StreamError)

    // MARK: Connections

    /// The connection is over, and why.
    case connectionClosed(ConnectionCloseReason)
    /// No connection came about, although each of these addresses was tried; none if the connection was
    /// refused before any could be.
    case connectFailed(host: String, attempts: [FailedAttempt])
    /// A host name has no address.
    case nameNotFound(host: String, reason: String)
    /// A setting cannot be used.
    case configuration(String)
    /// The peer takes no datagrams (RFC 9221 section 3).
    case datagramsNotAccepted
    /// A datagram does not fit a packet; the largest that does has so many bytes.
    case datagramTooLarge(limit: Int)
    /// The connection cannot move now: it is a server's, its handshake is not confirmed, or the server
    /// forbade it (RFC 9000 section 9).
    case migrationRefused

    // MARK: Endpoints

    /// The system refused an operation on a socket.
    case socket(SocketFailure)
    /// The listener was shut down.
    case listenerClosed
}

/// An address that a connection was tried to, and how that ended.
public struct FailedAttempt: Hashable, Sendable {
    /// Where the server was looked for.
    public var address: NetworkAddress
    /// Why there is no connection; nil when the attempt was given up because the caller lost interest.
    public var reason: ConnectionCloseReason?

    /// An attempt that failed.
    public init(address: NetworkAddress, reason: ConnectionCloseReason?) {
        self.address = address
        self.reason = reason
    }
}

/// A system call that failed.
public struct SocketFailure: Hashable, Sendable {
    /// What was tried.
    public enum Operation: String, Hashable, Sendable {
        /// To open a socket and bind it to an address.
        case bind
        /// To set the options without which the protocol cannot work.
        case configure
        /// To hand it over to an event loop.
        case register
        /// To keep it open: it failed while in use, and could not be replaced.
        case keep
    }

    /// What was tried.
    public var operation: Operation
    /// The local address of the socket.
    public var address: NetworkAddress
    /// The system's error number (`errno`).
    public var errorNumber: Int32

    /// A failed call.
    public init(_ operation: Operation, _ address: NetworkAddress, errorNumber: Int32) {
        self.operation = operation
        self.address = address
        self.errorNumber = errorNumber
    }
}

extension SocketFailure: CustomStringConvertible {
    /// What failed, for people.
    public var description: String {
        "cannot \(operation.rawValue) a UDP socket at \(address): \(SystemError.describe(errorNumber))"
    }
}

extension FailedAttempt: CustomStringConvertible {
    /// The address and the reason, for people.
    public var description: String { "\(address): \(reason.map { "\($0)" } ?? "given up")" }
}

extension QUICError: CustomStringConvertible {
    /// What happened and who did it, for people.
    public var description: String {
        switch self {
        case .streamResetByPeer(let code): "the peer reset the stream with code \(code)"
        case .streamStoppedByPeer(let code): "the peer wants no more of the stream, with code \(code)"
        case .streamUnusable(let error): "the stream cannot be used that way: \(error)"
        case .connectionClosed(let reason): "the connection is over: \(reason)"
        case .connectFailed(let host, let attempts):
            "no connection to \(host) (\(attempts.map { "\($0)" }.joined(separator: "; ")))"
        case .nameNotFound(let host, let reason): "'\(host)' was not found: \(reason)"
        case .configuration(let problem): problem
        case .datagramsNotAccepted: "the peer takes no datagrams"
        case .datagramTooLarge(let limit): "the datagram is too large; the limit is \(limit) bytes"
        case .migrationRefused: "the connection cannot move now"
        case .socket(let failure): "\(failure)"
        case .listenerClosed: "the listener was shut down"
        }
    }
}
