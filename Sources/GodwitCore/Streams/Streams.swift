import GodwitWire

/// The streams of a connection (RFC 9000 sections 2 to 4).
///
/// Frames come in through `receive`, go out through ``writeControlFrames(into:records:)`` and
/// ``writeStreamFrames(into:records:)``, and what became of the packets they went in comes back through
/// `onAcked` and `onLost`. Nothing here knows packets, time (but for reads, which measure) or the connection.
///
/// An idle connection costs no memory beyond this struct: everything grows with the first stream.
struct Streams: Sendable {
    let role: Role
    let limits: StreamLimits
    var table = StreamTable()
    var schedule = SendSchedule()
    /// The slots of streams that have control frames to send.
    var controlQueue = SlotLists(listCount: 1)
    /// The slots of streams that have events for the application.
    var eventQueue = SlotLists(listCount: 1)
    /// What the peer granted in its transport parameters.
    var peerLimits = PeerStreamLimits()
    var sendCredit = ConnectionSendCredit()
    var receiveCredit: ConnectionReceiveCredit
    var local = PerDirection(bidirectional: LocalStreams(), unidirectional: LocalStreams())
    var remote: PerDirection<RemoteStreams>
    var controlFrames: ConnectionControlFrames = []

    init(role: Role, limits: StreamLimits) {
        self.role = role
        self.limits = limits
        receiveCredit = ConnectionReceiveCredit(window: limits.initialMaxData)
        remote = PerDirection(
            bidirectional: RemoteStreams(concurrency: limits.maxStreamsBidirectional),
            unidirectional: RemoteStreams(concurrency: limits.maxStreamsUnidirectional))
    }

    // MARK: Limits of the peer

    /// Takes the limits of the peer's transport parameters, be they remembered for 0-RTT or real. Limits
    /// never fall (RFC 9000 section 7.4.1): that the real ones are not lower is for the caller to check.
    mutating func applyPeerLimits(_ newLimits: PeerStreamLimits) {
        peerLimits.raise(to: newLimits)
        sendCredit.raise(to: peerLimits.initialMaxData)
        for slot in table.openSlots {
            let id = table.slots[slot].id
            guard !isReceiveOnly(id) else { continue }
            raiseCredit(slot, to: peerLimits.initialCredit(of: id, role: role))
        }
        for direction in StreamID.Direction.allCases {
            raiseStreamLimit(direction, to: peerLimits.initialMaxStreams(direction))
        }
    }

    mutating func raiseCredit(_ slot: Int, to limit: UInt64) {
        table.slots[slot].sending.raiseCredit(to: limit)
        if !table.slots[slot].sending.isBlocked { withdraw(.streamDataBlocked, slot) }
        reschedule(slot)
    }

    mutating func raiseStreamLimit(_ direction: StreamID.Direction, to limit: UInt64) {
        let hadHeld = local[direction].openedCount > local[direction].limit
        local[direction].raiseLimit(to: limit)
        if local[direction].blockedLimit != local[direction].limit {
            controlFrames.remove(.streamsBlocked(direction))
        }
        if hadHeld { releaseHeldStreams() }
    }

    // MARK: Kinds of streams

    func isReceiveOnly(_ id: StreamID) -> Bool { id.direction == .unidirectional && id.initiator != role }
    func isSendOnly(_ id: StreamID) -> Bool { id.direction == .unidirectional && id.initiator == role }

    /// Whether the stream may not be mentioned to the peer: it was opened under a remembered limit that
    /// turned out too high when early data was refused.
    func isHeld(_ id: StreamID) -> Bool { id.initiator == role && id.index >= local[id.direction].limit }

    private mutating func releaseHeldStreams() {
        for slot in table.openSlots where table.slots[slot].id.initiator == role {
            reschedule(slot)
            request([], slot)
        }
    }

    mutating func openSlot(_ id: StreamID) -> Int {
        table.open(
            id,
            credit: isReceiveOnly(id) ? nil : peerLimits.initialCredit(of: id, role: role),
            window: isSendOnly(id) ? nil : limits.initialWindow(of: id, role: role))
    }

    // MARK: Books

    /// Puts a stream into the queue for sending that it belongs to now.
    mutating func reschedule(_ slot: Int) {
        let id = table.slots[slot].id
        let queue = isHeld(id) ? nil : table.slots[slot].queue
        schedule.place(slot, level: table.slots[slot].priority.urgency, queue: queue, in: table)
        if table.slots[slot].sending.takeBlockedNotice() { request(.streamDataBlocked, slot) }
    }

    /// Has control frames sent for a stream.
    mutating func request(_ frames: StreamControlFrames, _ slot: Int) {
        table.slots[slot].controlFrames.formUnion(frames)
        if table.slots[slot].controlFrames.isEmpty || isHeld(table.slots[slot].id) { return }
        if controlQueue.list(of: slot) == nil { controlQueue.append(slot, to: 0) }
    }

    /// Takes back control frames that have lost their point.
    mutating func withdraw(_ frames: StreamControlFrames, _ slot: Int) {
        table.slots[slot].controlFrames.subtract(frames)
        if table.slots[slot].controlFrames.isEmpty { controlQueue.remove(slot) }
    }

    mutating func post(_ event: StreamEventKinds, _ slot: Int) {
        if table.slots[slot].events.contains(event) { return }
        table.slots[slot].events.insert(event)
        if eventQueue.list(of: slot) == nil { eventQueue.append(slot, to: 0) }
    }

    mutating func withdraw(_ events: StreamEventKinds, _ slot: Int) {
        if table.slots[slot].events.isDisjoint(with: events) { return }
        table.slots[slot].events.subtract(events)
        if table.slots[slot].events.isEmpty { eventQueue.remove(slot) }
    }

    /// Frees the slot of a stream that nobody needs any more, and lets the peer open another.
    mutating func forgetIfEnded(_ slot: Int) {
        guard table.slots[slot].isForgettable else { return }
        let id = table.slots[slot].id
        schedule.place(slot, level: 0, queue: nil, in: table)
        controlQueue.remove(slot)
        eventQueue.remove(slot)
        table.close(slot)
        guard id.initiator != role else { return }
        remote[id.direction].noteEnded()
        requestStreamCredit(id.direction)
    }

    mutating func requestStreamCredit(_ direction: StreamID.Direction) {
        if remote[direction].isUpdateDue { controlFrames.insert(.maxStreams(direction)) }
    }

    // MARK: Life

    /// Starts all measurements of consumption anew, because time did not pass as usual: after a freeze.
    mutating func restartMeasurements() {
        receiveCredit.restartMeasurement()
        for slot in table.slots.indices { table.slots[slot].receiving.restartMeasurement() }
    }

    /// Gives up all memory that holds nothing, when the connection has nothing to do for a while.
    mutating func releaseSpareMemory() {
        table.releaseSpareMemory()
        schedule.releaseSpareMemory()
        if controlQueue.isEmpty(0) { controlQueue.removeAll() }
        if eventQueue.isEmpty(0) { eventQueue.removeAll() }
    }

    /// How many streams are open, or have something left to tell. Those that the peer opened by opening a
    /// higher one and that nobody has touched are not among them.
    var openCount: Int { table.count }
    /// How many streams that the peer opened have not ended.
    var peersOpenCount: Int {
        let directions = StreamID.Direction.allCases
        return directions.reduce(0) { $0 + Int(remote[$1].openedCount - remote[$1].endedCount) }
    }

    /// How many bytes the fullest send buffer holds.
    var largestSendBuffer: Int {
        table.openSlots.reduce(0) { max($0, table.slots[$1].sending.buffer.heldCount) }
    }

    /// The ids of those streams, in no order that means anything.
    var openIDs: [StreamID] { table.openSlots.map { table.slots[$0].id } }
}
