/// What an endpoint wants of its HTTP/3 connections.
public struct HTTP3Configuration: Hashable, Sendable, Codable {
    /// The largest field section taken, in bytes as RFC 9114 section 4.2.2 counts them. A larger one is a
    /// ``HTTP3Action/fieldSectionTooLarge(_:)`` and costs only its stream.
    public var maximumFieldSectionSize: Int = 64 << 10
    /// The largest dynamic table that the peer may fill, in bytes (RFC 9204 section 3.2.3).
    public var qpackMaximumTableCapacity: Int = 4096
    /// How many streams may wait for the peer's encoder stream (RFC 9204 section 2.1.2).
    public var qpackBlockedStreams: Int = 64
    /// The largest dynamic table that we fill at the peer, in bytes, as far as it allows.
    public var qpackEncoderTableCapacity: Int = 4096
    /// How many streams we let wait at the peer for our encoder stream, as far as it allows. More compress
    /// better, and lose more time where packets are lost (RFC 9204 section 2.1.2).
    public var qpackEncoderBlockedStreams: Int = 16
    /// Whether a server takes extended CONNECT (RFC 9220).
    public var isConnectProtocolEnabled = false
    /// Whether datagrams are taken (RFC 9297). The transport must take them too.
    public var areDatagramsEnabled = false
    /// Settings of extensions, sent as they are.
    public var additionalSettings: [HTTP3Setting] = []
    /// Chooses among the reserved numbers for the settings, frames and streams that only keep peers tolerant
    /// (RFC 9114 section 7.2.8); any random number, nil for none.
    public var greaseSeed: UInt64? = 0
    /// What a peer can make us keep.
    public var limits = HTTP3Limits()

    /// The defaults.
    public init() {}
}

/// Bounds of what a peer can make a connection keep or do.
public struct HTTP3Limits: Hashable, Sendable, Codable {
    /// How many request streams are open at once. The transport's own limit should be lower: a request above
    /// this one is rejected.
    public var requestStreams = 1024
    /// How many unidirectional streams may be open without having said what they are.
    public var undeterminedStreams = 16
    /// How many settings a SETTINGS frame may hold.
    public var settings = 64
    /// How many priorities are kept for requests that have not come yet (RFC 9218 section 7.2).
    public var pendingPriorities = 128
    /// The longest Priority Field Value read from a PRIORITY_UPDATE frame, in bytes.
    public var priorityFieldValue = 1024
    /// How many elements without meaning (unknown frames and streams, empty DATA frames) and frames on the
    /// control stream are borne, besides 32 per request, before the connection closes with H3_EXCESSIVE_LOAD
    /// (RFC 9114 section 10.5).
    public var meaninglessElements = 1024
    /// How many bytes of field sections that are not whole, or wait for QPACK, are kept over all streams. One
    /// that would exceed it is refused like one that is too large.
    public var heldBytes = 4 << 20
    /// How many bytes may wait for credit on our control stream before advice, such as priorities, is
    /// dropped.
    public var pendingBytes = 256 << 10

    /// The defaults.
    public init() {}
}
