public import GodwitQPACK
public import GodwitWire

/// An HTTP/3 connection (RFC 9114) without its transport: bytes of streams in, actions out.
///
/// It is a value without references to anything else: a driver gives it what the transport has received and
/// carries out what it wants, and can write it to bytes and read it back at any moment.
///
/// It conducts the machines of the single streams: tells them what has come, and carries their answers on to
/// QPACK and to the caller.
public struct HTTP3Connection: Sendable {
    /// Which side of the connection this is.
    public let role: Role
    /// What it was made with.
    public let configuration: HTTP3Configuration
    /// The peer's settings as far as known: initial values, or what a client remembers, until they come.
    public internal(set) var peerSettings: HTTP3Settings
    /// Whether the peer's SETTINGS have come.
    public internal(set) var hasPeerSettings = false
    /// Whether the connection was closed because of what the peer did.
    public internal(set) var isClosed = false

    /// What early data was sent under, until it is known to be refused.
    var rememberedSettings: HTTP3Settings?
    var requests = RequestStreamTable()
    /// The lowest index that a request stream not yet opened by the peer can have.
    var nextRequestIndex: UInt64 = 0
    var peerStreams = PeerStreams()
    var encoder: QPACKEncoder
    var decoder: QPACKDecoder
    var priorities = PendingPriorities()
    var shutdown = Shutdown()
    /// What the client's last MAX_PUSH_ID said.
    var maximumPushID: UInt64?
    /// How many more elements without meaning are borne.
    var patience: Int
    /// How many bytes of field sections wait to be decoded, over all streams.
    var heldBytes = 0
    var outgoing = OutgoingBytes()
    var actions = ActionQueue()

    // Memory that is used again; it holds nothing between calls.
    var scratch: [UInt8] = []
    var spareSections: [FieldSection] = []

    /// A connection on which nothing has happened.
    ///
    /// - Parameters:
    ///   - role: which side this is.
    ///   - configuration: what we say about ourselves, and what a peer can make us keep.
    ///   - rememberedSettings: for a client with early data, what the server's settings were in the
    ///     connection that the session ticket is from (RFC 9114 section 7.2.4.2). They count until
    ///     ``earlyDataRejected()``.
    public init(
        role: Role, configuration: HTTP3Configuration = HTTP3Configuration(),
        rememberedSettings: HTTP3Settings? = nil
    ) {
        self.role = role
        self.configuration = configuration
        self.rememberedSettings = rememberedSettings
        peerSettings = rememberedSettings ?? HTTP3Settings()
        patience = configuration.limits.meaninglessElements
        encoder = QPACKEncoder(
            tableCapacityLimit: Self.clamp(configuration.qpackEncoderTableCapacity),
            blockedStreamLimit: max(0, configuration.qpackEncoderBlockedStreams))
        decoder = QPACKDecoder(
            maximumTableCapacity: Self.clamp(configuration.qpackMaximumTableCapacity),
            maximumBlockedStreams: max(0, configuration.qpackBlockedStreams),
            maximumFieldSectionSize: Self.clamp(configuration.maximumFieldSectionSize))
    }

    /// QPACK takes sizes of up to 2^30.
    static func clamp(_ size: Int) -> Int { min(max(0, size), 1 << 30) }

    /// How many requests are open.
    public var openRequestCount: Int { requests.count }

    /// Whether a client may still send requests: neither side is shutting down (RFC 9114 section 5.2).
    public var takesNewRequests: Bool {
        role == .client && !isClosed && shutdown.receivedGoaway == nil && shutdown.sentGoaway == nil
    }
}

extension HTTP3Connection: Codable {
    // Everything but the memory that is only there to be used again.
    private enum CodingKeys: String, CodingKey {
        case role
        case configuration
        case peerSettings
        case hasPeerSettings
        case isClosed
        case rememberedSettings
        case requests
        case nextRequestIndex
        case peerStreams
        case encoder
        case decoder
        case priorities
        case shutdown
        case maximumPushID
        case patience
        case heldBytes
        case outgoing
        case actions
    }
}

// MARK: What the driver has to do

extension HTTP3Connection {
    /// Gives the connection its own streams. Do it as soon as the transport can open them: SETTINGS wait for
    /// it.
    public mutating func start(_ streams: OwnStreams) {
        outgoing.start(
            streams, HTTP3Settings(configuration), grease: configuration.greaseSeed.map { Grease(seed: $0) })
    }

    /// The next thing to do, nil when there is nothing more.
    public mutating func nextAction() -> HTTP3Action? { actions.takeFirst() }

    /// Whether bytes wait to be sent on our control and QPACK streams.
    public var hasPendingBytes: Bool {
        outgoing.streams != nil
            && (!outgoing.isEmpty || encoder.hasEncoderStreamBytes || decoder.hasDecoderStreamBytes)
    }

    /// Hands out bytes to be sent on our control and QPACK streams.
    ///
    /// - Parameter write: gets a stream, bytes for it and whether the stream ends behind them, and returns
    ///   how many bytes the transport took.
    public mutating func writePendingBytes(_ write: (StreamID, UnsafeRawBufferPointer, Bool) -> Int) {
        guard hasPendingBytes else { return }
        // What QPACK still holds is bounded there, so nothing more is taken from it until the last has gone.
        if outgoing.encoder.count <= 1 { encoder.takeEncoderStreamBytes(into: &outgoing.encoder) }
        if outgoing.decoder.count <= 1 { decoder.takeDecoderStreamBytes(into: &outgoing.decoder) }
        outgoing.write(write)
    }

    /// Gives back a field section that an action brought, so that its memory serves another.
    public mutating func recycle(_ fields: consuming FieldSection) {
        // Idle connections should not sit on the memory of the largest message that they ever saw.
        if spareSections.count < 4, fields.size <= Self.keptSize { spareSections.append(fields) }
    }

    static let keptSize = 4096
}

// MARK: Errors

extension HTTP3Connection {
    /// The peer broke a rule that ends the connection (RFC 9114 section 8).
    mutating func close(_ error: HTTP3Error) {
        guard !isClosed else { return }
        isClosed = true
        actions.append(.closeConnection(error))
    }

    /// Another request makes up for some elements without meaning.
    mutating func gainPatience() { patience = min(patience + 32, configuration.limits.meaninglessElements) }

    /// An element came that says nothing; an error when there were too many (RFC 9114 section 10.5).
    mutating func bearMeaningless() throws(HTTP3Error) {
        patience -= 1
        if patience < 0 {
            throw HTTP3Error(.excessiveLoad, "too many frames and streams without meaning")
        }
    }
}

extension HTTP3Error {
    init(_ error: QPACKError) { self.init(HTTP3ErrorCode(rawValue: error.code), error.reason) }
}
