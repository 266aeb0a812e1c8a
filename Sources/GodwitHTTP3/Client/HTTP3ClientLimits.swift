/// How long a client waits and how much it takes.
public struct HTTP3ClientLimits: Sendable, Hashable {
    /// How long a handshake may take with each of the server's addresses, and the search for these before.
    public var connectTime: Duration = .seconds(10)
    /// How long a server may take from the request to the header section of its answer; nil for any time.
    /// Interim responses don't count.
    public var responseHeaderTime: Duration? = .seconds(60)
    /// How long to wait for more content of an answer; nil for any time.
    public var contentIdleTime: Duration? = .seconds(60)
    /// How long to wait until the server takes more of a request's content; nil for any time.
    public var sendingIdleTime: Duration? = .seconds(60)
    /// How long a connection may be silent before it is dropped (RFC 9000 section 10.1).
    public var connectionIdleTime: Duration = .seconds(30)
    /// How large a header or trailer section of an answer may be, in bytes as RFC 9114 section 4.2.2 counts
    /// them.
    public var fieldSectionSize = 64 << 10
    /// How many datagrams may wait to be taken from a request. The oldest are dropped.
    public var waitingDatagrams = 64
    /// The largest dynamic table that a server may fill, in bytes (RFC 9204 section 3.2.3).
    public var qpackTableCapacity = 4096
    /// How many header sections of one connection may wait for entries of the table (RFC 9204 section 2.1.2).
    public var qpackBlockedStreams = 64

    /// The defaults.
    public init() {}
}
