import GodwitWire

/// What an application does with its streams (RFC 9000 section 2.4).
extension Streams {
    // MARK: Opening

    /// Opens the next stream of a direction. Nil when the peer allows no more;
    /// ``StreamEvent/streamsAvailable(_:)`` then tells when it does.
    mutating func open(_ direction: StreamID.Direction) -> StreamID? {
        guard local[direction].openedCount < local[direction].limit else {
            noteOpenRefused(direction)
            return nil
        }
        let id = StreamID(index: local[direction].openedCount, direction: direction, initiator: role)
        local[direction].openedCount += 1
        _ = openSlot(id)
        return id
    }

    private mutating func noteOpenRefused(_ direction: StreamID.Direction) {
        local[direction].awaitsMore = true
        // RFC 9000 section 4.6: the peer is told, once for each limit; not before it has granted one.
        guard peerLimits != PeerStreamLimits(), local[direction].blockedLimit != local[direction].limit else {
            return
        }
        local[direction].blockedLimit = local[direction].limit
        controlFrames.insert(.streamsBlocked(direction))
    }

    // MARK: Sending

    /// Writes to a stream, and with `fin` ends it. Returns how many bytes were taken: fewer than there are
    /// when the buffer is full, and ``StreamEvent/writable(_:)`` then tells of room. The end counts only if
    /// all were taken.
    mutating func write(_ id: StreamID, _ bytes: UnsafeRawBufferPointer, fin: Bool) throws(StreamError) -> Int
    {
        let slot = try applicationSlot(id)
        if let error = table.slots[slot].sending.writeError { throw error }
        let count = table.slots[slot].sending.write(bytes, fin: fin, limits: limits)
        withdraw(.writable, slot)
        reschedule(slot)
        noteConnectionBlocked()
        return count
    }

    /// How many bytes a write would take now.
    func writableBytes(_ id: StreamID) -> Int {
        guard let slot = table.peekSlot(of: id) else { return isUntouched(id) ? limits.unsentLimit : 0 }
        return table.slots[slot].sending.room(limits)
    }

    /// Abandons what was not delivered, and tells the peer with RESET_STREAM. Does nothing when everything
    /// was delivered or the stream is already reset.
    mutating func reset(_ id: StreamID, code: UInt64) throws(StreamError) {
        try checkErrorCode(code)
        let slot = try applicationSlot(id)
        if isReceiveOnly(id) { throw .receiveOnly }
        _ = abandonSending(slot, code: code, stoppedByPeer: false)
        withdraw([.writable, .finished, .stopSendingByPeer], slot)
        forgetIfEnded(slot)
    }

    /// False when there was nothing to abandon.
    mutating func abandonSending(_ slot: Int, code: UInt64, stoppedByPeer: Bool) -> Bool {
        guard table.slots[slot].sending.reset(code: code, stoppedByPeer: stoppedByPeer) else { return false }
        withdraw(.streamDataBlocked, slot)
        request(.resetStream, slot)
        reschedule(slot)
        return true
    }

    /// Changes how the stream competes with others.
    mutating func setPriority(_ id: StreamID, _ priority: StreamPriority) throws(StreamError) {
        let slot = try applicationSlot(id)
        table.slots[slot].priority = priority
        reschedule(slot)
    }

    // MARK: Receiving

    /// How many bytes can be read now.
    func readableBytes(_ id: StreamID) -> Int {
        table.peekSlot(of: id).map { table.slots[$0].receiving.buffer.readableCount } ?? 0
    }

    /// Shows what can be read to `body`, which returns how many bytes it consumes. Credit goes to the peer as
    /// they are consumed and not before.
    ///
    /// The view may be shorter than ``readableBytes(_:)``: read again while ``StreamReadResult/remaining`` is
    /// not 0. `body` is not called when there is nothing to read, and must not call back into the streams.
    ///
    /// - Parameter rtt: the smoothed round-trip time, by which the windows are tuned.
    mutating func read(
        _ id: StreamID, now: Instant, rtt: TimeSpan, _ body: (UnsafeRawBufferPointer) -> Int
    ) throws(StreamError) -> StreamReadResult {
        let slot = try applicationSlot(id)
        if let error = table.slots[slot].receiving.readError {
            noteResetTold(slot)
            throw error
        }
        let count = table.slots[slot].receiving.read(body)
        let remaining = table.slots[slot].receiving.buffer.readableCount
        let isFinished = table.slots[slot].receiving.state == .finished
        if count > 0 { noteConsumed(slot, count, now: now, rtt: rtt) }
        if remaining == 0 { withdraw(.readable, slot) }
        if isFinished { forgetIfEnded(slot) }
        return StreamReadResult(consumed: count, remaining: remaining, isFinished: isFinished)
    }

    private mutating func noteConsumed(_ slot: Int, _ count: Int, now: Instant, rtt: TimeSpan) {
        table.slots[slot].receiving.noteConsumed(now: now, rtt: rtt, maximumSize: limits.maximumStreamWindow)
        receiveCredit.noteRead(count, now: now, rtt: rtt, maximumSize: limits.maximumConnectionWindow)
        receiveCredit.widen(
            forStreamWindow: table.slots[slot].receiving.window.size,
            maximumSize: limits.maximumConnectionWindow)
        if table.slots[slot].receiving.isUpdateDue { request(.maxStreamData, slot) }
        requestConnectionCredit()
    }

    mutating func requestConnectionCredit() {
        if receiveCredit.isUpdateDue { controlFrames.insert(.maxData) }
    }

    /// Gives up reading: what is there is dropped, and the peer is asked with STOP_SENDING to send no more.
    mutating func stopSending(_ id: StreamID, code: UInt64) throws(StreamError) {
        try checkErrorCode(code)
        let slot = try applicationSlot(id)
        if isSendOnly(id) { throw .sendOnly }
        let (tellPeer, arrival) = table.slots[slot].receiving.stop(code: code)
        receiveCredit.noteDropped(arrival)
        withdraw([.readable, .resetByPeer], slot)
        withdraw(.maxStreamData, slot)
        if tellPeer { request(.stopSending, slot) }
        requestConnectionCredit()
        forgetIfEnded(slot)
    }

    // MARK: Events

    /// The next thing to tell the application. A stream is announced before anything else is told of it.
    mutating func nextEvent() -> StreamEvent? {
        if let event = takeNews(.bidirectional) ?? takeNews(.unidirectional) { return event }
        guard let slot = eventQueue.first(0), let kind = table.slots[slot].events.first else { return nil }
        let event = event(kind, slot)
        withdraw(kind, slot)
        if kind == .resetByPeer { table.slots[slot].receiving.noteResetTold() }
        forgetIfEnded(slot)
        return event
    }

    private mutating func takeNews(_ direction: StreamID.Direction) -> StreamEvent? {
        if let index = remote[direction].takeNews() {
            return .opened(StreamID(index: index, direction: direction, initiator: role.peer))
        }
        guard local[direction].hasNews else { return nil }
        local[direction].hasNews = false
        return .streamsAvailable(direction)
    }

    private func event(_ kind: StreamEventKinds, _ slot: Int) -> StreamEvent {
        let id = table.slots[slot].id
        switch kind {
        case .readable: return .readable(id)
        case .resetByPeer: return .resetByPeer(id, code: table.slots[slot].receiving.resetCode)
        case .stopSendingByPeer: return .stopSendingByPeer(id, code: table.slots[slot].sending.resetCode)
        case .finished: return .finished(id)
        default: return .writable(id)
        }
    }

    // MARK: Slots

    private mutating func applicationSlot(_ id: StreamID) throws(StreamError) -> Int {
        if let slot = table.slot(of: id) { return slot }
        guard id.initiator != role, remote[id.direction].takeUntouched(id.index) else { throw .unknownStream }
        return openSlot(id)
    }

    private func isUntouched(_ id: StreamID) -> Bool {
        id.initiator != role && id.direction == .bidirectional && remote[id.direction].isUntouched(id.index)
    }

    /// A failed read tells of a reset as well as the event does.
    private mutating func noteResetTold(_ slot: Int) {
        table.slots[slot].receiving.noteResetTold()
        withdraw(.resetByPeer, slot)
        forgetIfEnded(slot)
    }

    private func checkErrorCode(_ code: UInt64) throws(StreamError) {
        guard code <= VariableLengthInteger.max else { throw .invalidErrorCode }
    }
}
