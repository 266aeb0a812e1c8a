/// What a server lets its clients make it do and keep. The defaults are safe on the Internet.
///
/// When a limit is hit the server says so in its log, at level notice, with the limit's name here as `limit`,
/// and in the metric `godwit_http3_limits_hit`. Of one connection each limit is told once.
public struct HTTP3ServerLimits: Sendable, Hashable {
    // MARK: The server

    /// How many connections there may be at once, divided among the event loops. Further clients are refused
    /// (CONNECTION_REFUSED).
    public var connections = 20_000
    /// How many handshakes may be under way at once, divided among the event loops. First packets beyond are
    /// dropped, and clients try again.
    public var handshakes = 10_000
    /// How many connections may wait until ``HTTP3Server/run(_:)`` takes them.
    public var waitingConnections = 1024

    // MARK: A connection

    /// How long a handshake may take.
    public var handshakeTime: Duration = .seconds(10)
    /// How long a connection may be silent before it is dropped (RFC 9000 section 10.1).
    public var connectionIdleTime: Duration = .seconds(30)
    /// How many requests a client may have open at once: it can't open more streams than that (RFC 9000
    /// section 4.6).
    public var concurrentRequests = 100
    /// How many handlers may run for one connection. More than ``concurrentRequests``, because the handler of
    /// a request that was cancelled may need a moment to end. Requests beyond are rejected
    /// (H3_REQUEST_REJECTED).
    public var runningHandlers = 200
    /// How many requests a client may cancel at once before they are answered. Then it has to go slower, as
    /// by ``cancelledRequestsPerSecond``; a client that does not is flooding the server with requests that
    /// are never to be answered, and its connection is closed (H3_EXCESSIVE_LOAD).
    public var cancelledRequests = 200
    /// How many more requests a client may cancel every second.
    public var cancelledRequestsPerSecond = 20
    /// How many bytes of an answer are taken from a handler ahead of what the client has acknowledged.
    public var sendBuffer = 1 << 20
    /// How many datagrams may wait for the handler of a request. The oldest are dropped.
    public var waitingDatagrams = 64

    // MARK: A request

    /// How large a header or trailer section may be, in bytes as RFC 9114 section 4.2.2 counts them. The
    /// answer to a larger one is 431.
    public var fieldSectionSize = 32 << 10
    /// How large a request's content may be, in bytes; nil for any size. The answer to a Content-Length above
    /// is 413; content that turns out to be larger fails with ``HTTP3Failure/contentTooLarge(limit:)``.
    public var contentSize: Int?
    /// How long a client may take for the header section of a request. Then the request is rejected.
    public var requestHeaderTime: Duration = .seconds(10)
    /// How long a handler waits for more content of a request. Then reading it fails.
    public var contentIdleTime: Duration = .seconds(30)
    /// How long a handler waits until the client takes more of the answer. Then writing it fails.
    public var sendingIdleTime: Duration = .seconds(30)

    // MARK: QPACK

    /// The largest dynamic table that a client may fill, in bytes (RFC 9204 section 3.2.3).
    public var qpackTableCapacity = 4096
    /// How many header sections of one connection may wait for entries of the table (RFC 9204 section 2.1.2).
    public var qpackBlockedStreams = 64

    /// The defaults.
    public init() {}
}
