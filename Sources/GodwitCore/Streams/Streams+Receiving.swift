import GodwitWire

/// Frames from the peer.
extension Streams {
    /// Takes a STREAM frame (RFC 9000 section 19.8).
    ///
    /// - Throws: STREAM_STATE_ERROR, STREAM_LIMIT_ERROR, FLOW_CONTROL_ERROR or FINAL_SIZE_ERROR, or
    ///   INTERNAL_ERROR when the peer leaves more gaps than loss can explain.
    mutating func receive(_ frame: StreamFrame) throws(TransportError) {
        guard let slot = try slotForReceiving(frame.id, FrameType.stream) else { return }
        let arrival = try table.slots[slot].receiving.receive(frame, connectionRoom: receiveCredit.room)
        try receiveCredit.note(arrival)
        if arrival.isReadable { post(.readable, slot) }
        if arrival.dropped > 0 || frame.fin { noteChange(slot) }
    }

    /// Takes a RESET_STREAM frame (RFC 9000 section 19.4).
    ///
    /// - Throws: STREAM_STATE_ERROR, STREAM_LIMIT_ERROR, FLOW_CONTROL_ERROR or FINAL_SIZE_ERROR.
    mutating func receive(_ frame: ResetStreamFrame) throws(TransportError) {
        guard let slot = try slotForReceiving(frame.id, FrameType.resetStream) else { return }
        let arrival = try table.slots[slot].receiving.receive(frame, connectionRoom: receiveCredit.room)
        try receiveCredit.note(arrival)
        if arrival.isReadable {
            withdraw(.readable, slot)
            post(.resetByPeer, slot)
        }
        // RFC 9000 section 3.5: a stream that is reset needs no request to stop.
        withdraw([.stopSending, .maxStreamData], slot)
        noteChange(slot)
    }

    /// Looks after the credit and the end of a stream whose receiving part gave up bytes or learnt its size.
    private mutating func noteChange(_ slot: Int) {
        if !table.slots[slot].receiving.givesCredit { withdraw(.maxStreamData, slot) }
        requestConnectionCredit()
        forgetIfEnded(slot)
    }

    /// Takes a STOP_SENDING frame (RFC 9000 section 19.5), and answers it with RESET_STREAM (section 3.5).
    ///
    /// - Throws: STREAM_STATE_ERROR or STREAM_LIMIT_ERROR.
    mutating func receive(_ frame: StopSendingFrame) throws(TransportError) {
        guard let slot = try slotForSending(frame.id, FrameType.stopSending),
            abandonSending(slot, code: frame.errorCode, stoppedByPeer: true)
        else { return }
        withdraw([.writable, .finished], slot)
        post(.stopSendingByPeer, slot)
    }

    /// Takes a MAX_DATA frame (RFC 9000 section 19.9).
    mutating func receiveMaxData(_ maximum: UInt64) throws(TransportError) {
        sendCredit.raise(to: maximum)
        if sendCredit.remaining > 0 { controlFrames.remove(.dataBlocked) }
    }

    /// Takes a MAX_STREAM_DATA frame (RFC 9000 section 19.10).
    ///
    /// - Throws: STREAM_STATE_ERROR or STREAM_LIMIT_ERROR.
    mutating func receiveMaxStreamData(_ id: StreamID, _ maximum: UInt64) throws(TransportError) {
        guard let slot = try slotForSending(id, FrameType.maxStreamData) else { return }
        raiseCredit(slot, to: maximum)
    }

    /// Takes a MAX_STREAMS frame (RFC 9000 section 19.11).
    ///
    /// - Throws: FRAME_ENCODING_ERROR for a maximum above 2^60.
    mutating func receiveMaxStreams(
        _ direction: StreamID.Direction, _ maximum: UInt64
    ) throws(TransportError) {
        try checkStreamCount(maximum, Self.frameType(FrameType.maxStreamsBidirectional, direction))
        raiseStreamLimit(direction, to: maximum)
    }

    /// Takes a DATA_BLOCKED frame (RFC 9000 section 19.12): the peer gets what credit was held back.
    mutating func receiveDataBlocked(_ limit: UInt64) throws(TransportError) {
        if receiveCredit.canRaiseLimit { controlFrames.insert(.maxData) }
    }

    /// Takes a STREAM_DATA_BLOCKED frame (RFC 9000 section 19.13).
    ///
    /// - Throws: STREAM_STATE_ERROR or STREAM_LIMIT_ERROR.
    mutating func receiveStreamDataBlocked(_ id: StreamID, _ limit: UInt64) throws(TransportError) {
        guard let slot = try slotForReceiving(id, FrameType.streamDataBlocked) else { return }
        if table.slots[slot].receiving.canRaiseLimit { request(.maxStreamData, slot) }
    }

    /// Takes a STREAMS_BLOCKED frame (RFC 9000 section 19.14).
    ///
    /// - Throws: FRAME_ENCODING_ERROR for a limit above 2^60.
    mutating func receiveStreamsBlocked(
        _ direction: StreamID.Direction, _ limit: UInt64
    ) throws(TransportError) {
        try checkStreamCount(limit, Self.frameType(FrameType.streamsBlockedBidirectional, direction))
        if remote[direction].canRaiseLimit { controlFrames.insert(.maxStreams(direction)) }
    }

    private static func frameType(_ bidirectional: UInt64, _ direction: StreamID.Direction) -> UInt64 {
        direction == .bidirectional ? bidirectional : bidirectional + 1
    }

    private func checkStreamCount(_ count: UInt64, _ frameType: UInt64) throws(TransportError) {
        guard count <= StreamID.maxCount else {
            throw TransportError(.frameEncodingError, "more streams than there are ids", frameType: frameType)
        }
    }

    // MARK: Slots

    /// The slot of a stream on which the peer sends. Nil for one that has ended.
    private mutating func slotForReceiving(_ id: StreamID, _ frameType: UInt64) throws(TransportError) -> Int?
    {
        // RFC 9000 sections 19.4, 19.8 and 19.13.
        if isSendOnly(id) {
            throw TransportError(.streamStateError, "a send-only stream was sent on", frameType: frameType)
        }
        return try slot(id, frameType)
    }

    /// The slot of a stream on which we send. Nil for one that has ended.
    private mutating func slotForSending(_ id: StreamID, _ frameType: UInt64) throws(TransportError) -> Int? {
        // RFC 9000 sections 19.5 and 19.10.
        if isReceiveOnly(id) {
            throw TransportError(
                .streamStateError, "a receive-only stream was acted on", frameType: frameType)
        }
        return try slot(id, frameType)
    }

    private mutating func slot(_ id: StreamID, _ frameType: UInt64) throws(TransportError) -> Int? {
        if let slot = table.slot(of: id) { return slot }
        if id.initiator != role {
            guard try remote[id.direction].touch(id.index, frameType: frameType) else { return nil }
            requestStreamCredit(id.direction)
            return openSlot(id)
        }
        // RFC 9000 sections 19.5, 19.8 and 19.10: only we create our streams.
        guard id.index < local[id.direction].openedCount else {
            throw TransportError(.streamStateError, "a stream that was not created", frameType: frameType)
        }
        return nil
    }
}
