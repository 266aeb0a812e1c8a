import GodwitWire

/// How much stream data we may send on the connection (RFC 9000 section 4.1).
struct ConnectionSendCredit: Codable, Sendable {
    /// The peer's limit on the sum of the final sizes of all streams.
    private(set) var limit: UInt64 = 0
    /// The sum of the highest offsets sent.
    private(set) var used: UInt64 = 0
    /// The limit at which the peer was last told that we are blocked.
    private var blockedLimit: UInt64?

    var remaining: UInt64 { limit - used }

    mutating func use(_ count: UInt64) {
        precondition(count <= remaining)
        used += count
    }

    /// RFC 9000 section 4.1: a limit that is no higher than the last is ignored.
    mutating func raise(to newLimit: UInt64) { limit = max(limit, newLimit) }

    /// True once for each limit that turns out too small, so that the peer is told once.
    mutating func takeBlockedNotice() -> Bool {
        guard remaining == 0, blockedLimit != limit else { return false }
        blockedLimit = limit
        return true
    }
}

/// How much stream data the peer may send on the connection (RFC 9000 section 4.1).
struct ConnectionReceiveCredit: Codable, Sendable {
    private(set) var window: ReceiveWindow
    /// The sum of the highest offsets received.
    private(set) var used: UInt64 = 0
    /// How many of them were consumed, or will never be.
    private(set) var consumed: UInt64 = 0
    /// How many ranges of all streams lie behind gaps.
    private(set) var islandCount = 0

    init(window size: UInt64) { window = ReceiveWindow(size: size) }

    /// What is left of the credit.
    var room: UInt64 { window.limit - used }

    /// Half of the window, or an eighth of it when the peer has none left: what it is waited for may be on
    /// another stream than what lies unread.
    var isUpdateDue: Bool {
        window.isUpdateDue(consumed: consumed, share: room == 0 ? 8 : 2)
    }
    var canRaiseLimit: Bool { window.canRaise(consumed: consumed) }

    /// Books what a frame brought.
    ///
    /// - Throws: INTERNAL_ERROR when the peer leaves more gaps than loss can explain.
    mutating func note(_ arrival: ReceivingPart.Arrival) throws(TransportError) {
        used += arrival.growth
        consumed += arrival.dropped
        islandCount += arrival.islandChange
        guard arrival.islandChange <= 0 || islandCount <= 4 * ReceivingPart.islandLimit(window.size) else {
            throw TransportError(.internalError, "too many gaps in all streams", frameType: FrameType.stream)
        }
    }

    mutating func noteRead(
        _ count: Int, now: Instant, rtt: TimeSpan, maximumSize: UInt64
    ) {
        consumed += UInt64(count)
        window.noteConsumed(consumed, now: now, rtt: rtt, maximumSize: maximumSize)
    }

    mutating func noteDropped(_ arrival: ReceivingPart.Arrival) {
        consumed += arrival.dropped
        islandCount += arrival.islandChange
    }

    /// Keeps the window half as large again as that of any stream, so that one stream can't use it up.
    mutating func widen(forStreamWindow size: UInt64, maximumSize: UInt64) {
        window.widen(to: min(size + size / 2, maximumSize))
    }

    mutating func announceLimit() -> UInt64 { window.announce(consumed: consumed) }
    mutating func restartMeasurement() { window.restartMeasurement() }
}

/// The control frames that the connection as a whole is to send for its streams.
struct ConnectionControlFrames: OptionSet, Codable, Sendable {
    let rawValue: UInt8
    static let maxData = ConnectionControlFrames(rawValue: 1)
    static let dataBlocked = ConnectionControlFrames(rawValue: 2)
    static let maxStreamsBidirectional = ConnectionControlFrames(rawValue: 4)
    static let maxStreamsUnidirectional = ConnectionControlFrames(rawValue: 8)
    static let streamsBlockedBidirectional = ConnectionControlFrames(rawValue: 16)
    static let streamsBlockedUnidirectional = ConnectionControlFrames(rawValue: 32)

    static func maxStreams(_ direction: StreamID.Direction) -> ConnectionControlFrames {
        direction == .bidirectional ? maxStreamsBidirectional : maxStreamsUnidirectional
    }

    static func streamsBlocked(_ direction: StreamID.Direction) -> ConnectionControlFrames {
        direction == .bidirectional ? streamsBlockedBidirectional : streamsBlockedUnidirectional
    }
}
