import GodwitWire

/// A stream that is open in at least one direction, or was and has something left to tell.
struct OpenStream: Codable, Sendable {
    private(set) var id: StreamID
    var sending = SendingPart()
    var receiving = ReceivingPart()
    var priority = StreamPriority.default
    var controlFrames: StreamControlFrames = []
    var events: StreamEventKinds = []

    init(id: StreamID, credit: UInt64?, window: UInt64?) {
        self.id = id
        open(credit: credit, window: window)
    }

    /// Reuses the place of a stream that has ended, and its storage.
    mutating func reopen(id: StreamID, credit: UInt64?, window: UInt64?) {
        self.id = id
        open(credit: credit, window: window)
    }

    private mutating func open(credit: UInt64?, window: UInt64?) {
        sending.open(credit: credit)
        receiving.open(window: window)
        priority = .default
        controlFrames = []
        events = []
    }

    /// Ends the stream for good, keeping at most `capacityLimit` bytes of storage for each direction.
    mutating func recycle(capacityLimit: Int) {
        sending.recycle(capacityLimit: capacityLimit)
        receiving.recycle(capacityLimit: capacityLimit)
        controlFrames = []
        events = []
    }

    /// The bytes of storage that the buffers own.
    var capacity: Int { sending.buffer.capacity + receiving.buffer.capacity }

    /// Whether nobody needs the stream any more: both parts are in terminal states (RFC 9000 section 3.4),
    /// the application has heard of everything, and a last STOP_SENDING has gone out.
    var isForgettable: Bool {
        sending.isTerminal && receiving.isTerminal && events.isEmpty && !controlFrames.contains(.stopSending)
    }

    /// Which queue of the schedule the stream belongs to.
    var queue: SendSchedule.Queue? {
        if sending.needsNoCredit { return .resend }
        guard sending.hasFreshData else { return nil }
        return priority.isIncremental ? .incremental : .ordered
    }
}

/// The control frames that a stream is to send.
struct StreamControlFrames: OptionSet, Codable, Sendable {
    let rawValue: UInt8
    static let resetStream = StreamControlFrames(rawValue: 1)
    static let stopSending = StreamControlFrames(rawValue: 2)
    static let maxStreamData = StreamControlFrames(rawValue: 4)
    static let streamDataBlocked = StreamControlFrames(rawValue: 8)
}

/// The events of a stream that the application has not fetched yet.
struct StreamEventKinds: OptionSet, Codable, Sendable {
    let rawValue: UInt8
    static let readable = StreamEventKinds(rawValue: 1)
    static let resetByPeer = StreamEventKinds(rawValue: 2)
    static let stopSendingByPeer = StreamEventKinds(rawValue: 4)
    static let finished = StreamEventKinds(rawValue: 8)
    static let writable = StreamEventKinds(rawValue: 16)
}
