import GodwitWire

/// One value for each direction that streams come in.
struct PerDirection<Value> {
    var bidirectional: Value
    var unidirectional: Value

    subscript(direction: StreamID.Direction) -> Value {
        get { direction == .bidirectional ? bidirectional : unidirectional }
        _modify {
            switch direction {
            case .bidirectional: yield &bidirectional
            case .unidirectional: yield &unidirectional
            }
        }
    }
}

extension PerDirection: Codable where Value: Codable {}
extension PerDirection: Sendable where Value: Sendable {}

/// The streams of one direction that we open.
struct LocalStreams: Codable, Sendable {
    /// How many were opened.
    var openedCount: UInt64 = 0
    /// How many the peer allows.
    var limit: UInt64 = 0
    /// The limit at which the peer was last told that we wanted more.
    var blockedLimit: UInt64?
    /// The application failed to open one and waits to hear of more.
    var awaitsMore = false
    /// The application is to hear that there are more.
    var hasNews = false

    /// RFC 9000 section 4.6: a limit that is no higher than the last is ignored.
    mutating func raiseLimit(to newLimit: UInt64) {
        guard newLimit > limit else { return }
        limit = newLimit
        if awaitsMore { hasNews = true }
        awaitsMore = false
    }
}

/// The streams of one direction that the peer opens.
///
/// Opening one opens all of lower index (RFC 9000 section 2.1). Those that no frame or call has touched exist
/// here as ranges only.
struct RemoteStreams: Codable, Sendable {
    /// How many may be open at once.
    let concurrency: UInt64
    /// How many the peer may open, as last announced to it.
    private(set) var limit: UInt64
    /// How many it opened, up to the highest index seen.
    private(set) var openedCount: UInt64 = 0
    /// How many of them the application has heard of.
    private(set) var toldCount: UInt64 = 0
    /// How many have ended.
    private(set) var endedCount: UInt64 = 0
    /// Indices of streams that are open without having a slot. At most as many as may be open at once.
    private var untouched = OffsetRanges()

    init(concurrency: UInt64) {
        self.concurrency = concurrency
        self.limit = concurrency
    }

    /// True when the stream is open and had no slot until now.
    ///
    /// - Throws: STREAM_LIMIT_ERROR (RFC 9000 section 4.6).
    mutating func touch(_ index: UInt64, frameType: UInt64) throws(TransportError) -> Bool {
        guard index < limit else {
            throw TransportError(.streamLimitError, "a stream above the limit", frameType: frameType)
        }
        if index < openedCount { return takeUntouched(index) }
        untouched.insert(openedCount..<index)
        openedCount = index + 1
        return true
    }

    /// True when a stream with that index was open without a slot, which it has from now on.
    mutating func takeUntouched(_ index: UInt64) -> Bool {
        guard !untouched.isEmpty, untouched.contains(index) else { return false }
        untouched.remove(index..<index + 1)
        return true
    }

    /// Whether the stream is open without having a slot.
    func isUntouched(_ index: UInt64) -> Bool { untouched.contains(index) }

    /// Whether the ranges make sense, as only in a damaged snapshot they would not.
    var hasConsistentGaps: Bool { untouched.isWithin(0...openedCount) }

    /// The next index that the application has not heard of.
    mutating func takeNews() -> UInt64? {
        guard toldCount < openedCount else { return nil }
        defer { toldCount += 1 }
        return toldCount
    }

    mutating func noteEnded() { endedCount += 1 }

    private var nextLimit: UInt64 { min(endedCount + concurrency, StreamID.maxCount) }

    /// Whether to tell the peer of streams that have ended: once they are an eighth of what may be open, so
    /// that a frame serves several; or any, when the peer has no more than an eighth left to open. Without
    /// the latter, a few streams that never end could keep it from opening any more (RFC 9000 section 4.6).
    var isUpdateDue: Bool {
        let batch = max(1, concurrency / 8)
        return canRaiseLimit && (nextLimit >= limit + batch || limit - openedCount <= batch)
    }

    var canRaiseLimit: Bool { nextLimit > limit }

    /// Takes the limit that is announced now, and returns it.
    mutating func announceLimit() -> UInt64 {
        limit = max(limit, nextLimit)
        return limit
    }
}
