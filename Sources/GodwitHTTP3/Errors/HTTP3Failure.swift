public import Godwit
public import GodwitHTTP3Core

/// Why a request, or a part of one, came to nothing.
///
/// A task that is cancelled gets a `CancellationError` instead.
public enum HTTP3Failure: Error, Hashable, Sendable {
    // MARK: What the peer did to one request

    /// The peer reset its side of the stream: the message is not whole.
    case reset(stream: StreamID, code: HTTP3ErrorCode)
    /// The peer wants no more of our message.
    case stopped(stream: StreamID, code: HTTP3ErrorCode)
    /// The server has certainly not processed the request (RFC 9114 sections 4.1.1 and 5.2): it may be sent
    /// again.
    case rejected(stream: StreamID)
    /// The peer's message breaks a rule; the stream was reset with the error's code.
    case malformed(stream: StreamID, HTTP3Error)
    /// The peer's field section is above the limit that it was told, in bytes (RFC 9114 section 4.2.2).
    case fieldSectionTooLarge(stream: StreamID, limit: Int)
    /// The content is larger than what was asked for, in bytes.
    case contentTooLarge(limit: Int)
    /// The peer took too long.
    case timedOut(HTTP3Timeout)

    // MARK: What this side did

    /// The request was given up on this side.
    case cancelled(stream: StreamID)
    /// The message, or this part of it, can't be sent.
    case notSent(HTTP3SendError)
    /// A response with this status has no content (RFC 9110 section 6.4.1).
    case contentNotAllowed(status: Int)

    // MARK: What became of the connection

    /// The server takes no more requests on this connection (RFC 9114 section 5.2). The request was not sent.
    case goingAway
    /// The connection is over, and why.
    case connectionClosed(ConnectionCloseReason)
}

/// What a peer took too long for.
public enum HTTP3Timeout: String, Hashable, Sendable, CaseIterable {
    /// To be found: nobody knew the server's addresses. Handshakes that take too long are told by
    /// `QUICError`.
    case connect
    /// To send the whole header section of a request.
    case requestHeaders
    /// To send the header section of the response.
    case responseHeaders
    /// To send more of its content while it was waited for.
    case content
    /// To take more of our content.
    case sending
}

extension HTTP3Failure {
    /// Whether the server has certainly not processed the request, so that it can be sent again whatever its
    /// method (RFC 9114 section 4.1.1).
    public var isSafeToRetry: Bool {
        switch self {
        case .rejected, .goingAway: true
        default: false
        }
    }

    /// The code with which the peer ended the request or the connection; nil if it did not.
    public var peerCode: HTTP3ErrorCode? {
        switch self {
        case .reset(_, let code), .stopped(_, let code): code
        case .rejected: .requestRejected
        case .connectionClosed(.application(let code, _, byPeer: true)): HTTP3ErrorCode(rawValue: code)
        default: nil
        }
    }
}

extension HTTP3Failure: CustomStringConvertible {
    /// What happened, who did it and on which stream, for people.
    public var description: String {
        switch self {
        case .reset(let stream, let code): "the peer reset stream \(stream) with \(code)"
        case .stopped(let stream, let code): "the peer wants no more of stream \(stream), with \(code)"
        case .rejected(let stream): "the server did not process the request on stream \(stream)"
        case .malformed(let stream, let error): "the message on stream \(stream) is malformed: \(error)"
        case .fieldSectionTooLarge(let stream, let limit):
            "the field section on stream \(stream) is larger than \(limit) bytes"
        case .contentTooLarge(let limit): "the content is larger than \(limit) bytes"
        case .timedOut(let timeout): "the peer took too long \(timeout.phrase)"
        case .cancelled(let stream): "the request on stream \(stream) was given up"
        case .notSent(let error): "not sent: \(error)"
        case .contentNotAllowed(let status): "a response with status \(status) has no content"
        case .goingAway: "the server takes no more requests on this connection"
        case .connectionClosed(let reason): "the connection is over: \(reason.http3Description)"
        }
    }
}

extension HTTP3Timeout {
    fileprivate var phrase: String {
        switch self {
        case .connect: "to be found"
        case .requestHeaders: "to send the header section of its request"
        case .responseHeaders: "to answer"
        case .content: "to send more of its content"
        case .sending: "to take more of our content"
        }
    }
}

extension ConnectionCloseReason {
    /// As the description, with HTTP/3's name for an application's code.
    var http3Description: String {
        guard case .application(let code, let reason, let byPeer) = self else { return "\(self)" }
        let who = byPeer ? "closed by the peer with" : "closed with"
        let name = "\(HTTP3ErrorCode(rawValue: code))"
        return reason.isEmpty ? "\(who) \(name)" : "\(who) \(name) (\(reason))"
    }
}
