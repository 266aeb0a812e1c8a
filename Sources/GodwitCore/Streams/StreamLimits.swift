import GodwitWire

/// What we let the peer send us, and how much of what the application writes we hold.
///
/// All sizes are in bytes. The windows are clamped to what a ring may hold, so the transport parameters are
/// to be taken from here and not from the configuration.
struct StreamLimits: Codable, Sendable, Equatable {
    /// The largest window: a peer may make us reserve that much address space for one stream.
    static let largestWindow = 1 << 30
    /// RFC 9000 section 4.5: offsets end at 2^62 - 1.
    static let largestOffset = VariableLengthInteger.max

    /// The first windows, as in the transport parameters (RFC 9000 section 18.2).
    let initialMaxData: UInt64
    let initialMaxStreamDataBidirectionalLocal: UInt64
    let initialMaxStreamDataBidirectionalRemote: UInt64
    let initialMaxStreamDataUnidirectional: UInt64
    /// How far auto-tuning may widen the windows. The connection's binds: a stream window may grow beyond two
    /// thirds of it and is then of no use.
    let maximumConnectionWindow: UInt64
    let maximumStreamWindow: UInt64
    /// How many streams the peer may have open at once.
    let maxStreamsBidirectional: UInt64
    let maxStreamsUnidirectional: UInt64
    /// How much of a stream is held, from the first byte not yet acknowledged. A peer that withholds one
    /// acknowledgement makes us hold that much.
    let sendBufferLimit: Int
    /// How much of a stream may wait to be sent for the first time.
    let unsentLimit: Int

    init(
        initialMaxData: Int = 384 << 10,
        initialMaxStreamDataBidirectionalLocal: Int = 256 << 10,
        initialMaxStreamDataBidirectionalRemote: Int = 256 << 10,
        initialMaxStreamDataUnidirectional: Int = 256 << 10,
        maximumConnectionWindow: Int = 15 << 20,
        maximumStreamWindow: Int = 6 << 20,
        maxStreamsBidirectional: Int = 100,
        maxStreamsUnidirectional: Int = 100,
        sendBufferLimit: Int = 4 << 20,
        unsentLimit: Int = 256 << 10
    ) {
        func window(_ size: Int) -> UInt64 { UInt64(min(max(0, size), Self.largestWindow)) }
        func count(_ streams: Int) -> UInt64 { min(UInt64(max(0, streams)), StreamID.maxCount) }
        self.initialMaxData = window(initialMaxData)
        self.initialMaxStreamDataBidirectionalLocal = window(initialMaxStreamDataBidirectionalLocal)
        self.initialMaxStreamDataBidirectionalRemote = window(initialMaxStreamDataBidirectionalRemote)
        self.initialMaxStreamDataUnidirectional = window(initialMaxStreamDataUnidirectional)
        self.maximumConnectionWindow = window(max(initialMaxData, maximumConnectionWindow))
        self.maximumStreamWindow = window(maximumStreamWindow)
        self.maxStreamsBidirectional = count(maxStreamsBidirectional)
        self.maxStreamsUnidirectional = count(maxStreamsUnidirectional)
        self.sendBufferLimit = min(max(1, sendBufferLimit), Self.largestWindow)
        self.unsentLimit = min(max(1, unsentLimit), self.sendBufferLimit)
    }

    func maxStreams(_ direction: StreamID.Direction) -> UInt64 {
        direction == .bidirectional ? maxStreamsBidirectional : maxStreamsUnidirectional
    }

    /// The first receive window of a stream, seen from us as `role`.
    func initialWindow(of id: StreamID, role: Role) -> UInt64 {
        if id.direction == .unidirectional { return initialMaxStreamDataUnidirectional }
        return id.initiator == role
            ? initialMaxStreamDataBidirectionalLocal : initialMaxStreamDataBidirectionalRemote
    }
}

/// What the peer lets us send at first, named as in its transport parameters (RFC 9000 section 18.2): its
/// "local" streams are those that it opens.
struct PeerStreamLimits: Codable, Sendable, Equatable {
    var initialMaxData: UInt64 = 0
    var initialMaxStreamDataBidirectionalLocal: UInt64 = 0
    var initialMaxStreamDataBidirectionalRemote: UInt64 = 0
    var initialMaxStreamDataUnidirectional: UInt64 = 0
    var initialMaxStreamsBidirectional: UInt64 = 0
    var initialMaxStreamsUnidirectional: UInt64 = 0

    /// How much we may send at first on a stream, seen from us as `role`.
    func initialCredit(of id: StreamID, role: Role) -> UInt64 {
        if id.direction == .unidirectional { return initialMaxStreamDataUnidirectional }
        return id.initiator == role
            ? initialMaxStreamDataBidirectionalRemote : initialMaxStreamDataBidirectionalLocal
    }

    func initialMaxStreams(_ direction: StreamID.Direction) -> UInt64 {
        direction == .bidirectional ? initialMaxStreamsBidirectional : initialMaxStreamsUnidirectional
    }

    /// Raises every limit to the other's where that is higher.
    mutating func raise(to other: PeerStreamLimits) {
        initialMaxData = max(initialMaxData, other.initialMaxData)
        initialMaxStreamDataBidirectionalLocal = max(
            initialMaxStreamDataBidirectionalLocal, other.initialMaxStreamDataBidirectionalLocal)
        initialMaxStreamDataBidirectionalRemote = max(
            initialMaxStreamDataBidirectionalRemote, other.initialMaxStreamDataBidirectionalRemote)
        initialMaxStreamDataUnidirectional = max(
            initialMaxStreamDataUnidirectional, other.initialMaxStreamDataUnidirectional)
        initialMaxStreamsBidirectional = max(
            initialMaxStreamsBidirectional, other.initialMaxStreamsBidirectional)
        initialMaxStreamsUnidirectional = max(
            initialMaxStreamsUnidirectional, other.initialMaxStreamsUnidirectional)
    }
}
