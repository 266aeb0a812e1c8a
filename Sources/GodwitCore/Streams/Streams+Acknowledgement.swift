import GodwitWire

/// What became of frames that were sent (RFC 9000 section 13.3).
extension Streams {
    /// A packet with this frame was acknowledged. Records that are no business of streams are ignored.
    mutating func onAcked(_ record: SentFrame) {
        switch record {
        case .stream(let id, let offset, let length, let fin):
            onStreamAcked(id, offset, length, fin)
        case .resetStream(let id):
            guard let slot = table.slot(of: id) else { return }
            table.slots[slot].sending.onResetAcked()
            withdraw(.resetStream, slot)
            forgetIfEnded(slot)
        default: break
        }
    }

    private mutating func onStreamAcked(_ id: StreamID, _ offset: UInt64, _ length: UInt32, _ fin: Bool) {
        guard let slot = table.slot(of: id) else { return }
        let mayRest = table.slots[slot].sending.needsNoCredit
        if table.slots[slot].sending.onAcked(offset, length: length, fin: fin) { post(.finished, slot) }
        if mayRest { reschedule(slot) }
        if table.slots[slot].sending.takeRoomNotice(limits) { post(.writable, slot) }
    }

    /// A packet with this frame was lost, or a probe is to carry it again (RFC 9002 section 6.2.4). Data is
    /// queued to be sent again; other frames are made anew from the state of now if they still matter.
    mutating func onLost(_ record: SentFrame) {
        switch record {
        case .stream(let id, let offset, let length, let fin):
            guard let slot = table.slot(of: id) else { return }
            table.slots[slot].sending.onLost(offset, length: length, fin: fin)
            reschedule(slot)
        case .maxData(let limit):
            if limit == receiveCredit.window.limit { controlFrames.insert(.maxData) }
        case .maxStreams(let direction, let limit):
            if limit == remote[direction].limit { controlFrames.insert(.maxStreams(direction)) }
        case .dataBlocked(let limit):
            if limit == sendCredit.limit, sendCredit.remaining == 0, schedule.hasFreshData {
                controlFrames.insert(.dataBlocked)
            }
        case .streamsBlocked(let direction, let limit):
            if limit == local[direction].limit, local[direction].awaitsMore {
                controlFrames.insert(.streamsBlocked(direction))
            }
        case .resetStream(let id), .stopSending(let id), .maxStreamData(let id, _),
            .streamDataBlocked(let id, _):
            onControlFrameLost(record, of: id)
        default: break
        }
    }

    private mutating func onControlFrameLost(_ record: SentFrame, of id: StreamID) {
        guard let slot = table.slot(of: id) else { return }
        switch record {
        case .resetStream:
            if case .reset = table.slots[slot].sending.state { request(.resetStream, slot) }
        case .stopSending:
            if table.slots[slot].receiving.needsStopSending { request(.stopSending, slot) }
        case .maxStreamData(_, let limit):
            let receiving = table.slots[slot].receiving
            if receiving.givesCredit, limit == receiving.window.limit { request(.maxStreamData, slot) }
        case .streamDataBlocked(_, let limit):
            let sending = table.slots[slot].sending
            if sending.isBlocked, limit == sending.credit { request(.streamDataBlocked, slot) }
        default: break
        }
    }

    /// Sends blocked signals again, for a connection that would otherwise fall silent while it waits for
    /// credit (RFC 9000 section 4.1).
    mutating func repeatBlockedSignals() {
        if schedule.hasFreshData, sendCredit.remaining == 0 { controlFrames.insert(.dataBlocked) }
        for slot in table.openSlots where table.slots[slot].sending.isBlocked {
            request(.streamDataBlocked, slot)
        }
    }

    /// The server refused early data (RFC 9001 section 4.6.2): nothing that was sent counts, and no
    /// remembered limit holds. What applications wrote is kept, and goes out again under the real limits,
    /// which are to be applied next. Streams above their number wait.
    ///
    /// - Throws: PROTOCOL_VIOLATION when the server acknowledged early data that it refused.
    mutating func rejectEarlyData() throws(TransportError) {
        peerLimits = PeerStreamLimits()
        sendCredit = ConnectionSendCredit()
        for direction in StreamID.Direction.allCases {
            local[direction].limit = 0
            local[direction].blockedLimit = nil
        }
        controlFrames = []
        for slot in table.openSlots { try rewind(slot) }
    }

    private mutating func rewind(_ slot: Int) throws(TransportError) {
        guard table.slots[slot].sending.rewind() else {
            throw TransportError(.protocolViolation, "early data was acknowledged and refused")
        }
        controlQueue.remove(slot)
        table.slots[slot].controlFrames = []
        if case .reset = table.slots[slot].sending.state { request(.resetStream, slot) }
        if table.slots[slot].receiving.needsStopSending { request(.stopSending, slot) }
        schedule.place(slot, level: 0, queue: nil, in: table)
    }
}
