import GodwitWire

/// The sending part of a stream (RFC 9000 section 3.1).
struct SendingPart: Codable, Sendable {
    enum State: Codable, Sendable, Equatable {
        /// A unidirectional stream of the peer's has no sending part.
        case absent
        /// Ready or Send: the application may write.
        case open
        /// The application has written all; Data Sent once it has all gone out.
        case ending(fin: Delivery)
        /// Data Recvd: everything was acknowledged.
        case finished
        /// Reset Sent, whether the application asked for it or the peer.
        case reset(code: UInt64, stoppedByPeer: Bool)
        /// Reset Recvd.
        case resetFinished(code: UInt64, stoppedByPeer: Bool)
    }

    enum Delivery: Codable, Sendable {
        case unsent
        case inFlight
        case acknowledged
    }

    private(set) var state = State.absent
    private(set) var buffer = SendBuffer()
    /// How far the peer lets us send.
    private(set) var credit: UInt64 = 0
    /// The credit at which the peer was last told that we are blocked.
    private var blockedCredit: UInt64?
    /// The application wrote more than was taken and waits to hear of room.
    private(set) var awaitsRoom = false

    /// Starts over for a stream; nil credit for one without a sending part.
    mutating func open(credit: UInt64?) {
        state = credit == nil ? .absent : .open
        self.credit = credit ?? 0
        blockedCredit = nil
        awaitsRoom = false
    }

    /// Drops what was held for the last stream, but for some storage.
    mutating func recycle(capacityLimit: Int) {
        state = .absent
        buffer.recycle(capacityLimit: capacityLimit)
    }

    var isTerminal: Bool {
        switch state {
        case .absent, .finished, .resetFinished: true
        case .open, .ending, .reset: false
        }
    }

    /// The code of a reset that has been told or is to be.
    var resetCode: UInt64 {
        switch state {
        case .reset(let code, _), .resetFinished(let code, _): code
        case .absent, .open, .ending, .finished: 0
        }
    }

    /// The final size, once the stream was reset (RFC 9000 section 4.5).
    var finalSize: UInt64 { buffer.nextOffset }

    // MARK: Application

    /// Why the application can't write, if it can't.
    ///
    /// Inlined, because a call would copy the whole part out of its slot first.
    @inline(__always)
    var writeError: StreamError? {
        switch state {
        case .absent: .receiveOnly
        case .open: nil
        case .ending, .finished: .sendingEnded
        case .reset(let code, let stopped), .resetFinished(let code, let stopped):
            stopped ? .stoppedByPeer(code: code) : .sendingReset
        }
    }

    /// How many bytes `write` would take.
    func room(_ limits: StreamLimits) -> Int {
        // The peer decides how many islands there are; 4,096 of them are more than any honest flight leaves.
        guard case .open = state, buffer.islandCount <= 4096 else { return 0 }
        return max(0, min(limits.unsentLimit - buffer.unsentCount, limits.sendBufferLimit - buffer.heldCount))
    }

    /// Takes what there is room for. `fin` counts only if that was all.
    mutating func write(_ bytes: UnsafeRawBufferPointer, fin: Bool, limits: StreamLimits) -> Int {
        // RFC 9000 section 4.5: no stream has a byte beyond 2^62 - 1.
        let left = Int(clamping: StreamLimits.largestOffset - buffer.endOffset)
        let count = min(bytes.count, room(limits), left)
        if count > 0 { buffer.append(UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
        awaitsRoom = count < bytes.count
        if fin, !awaitsRoom { state = .ending(fin: .unsent) }
        return count
    }

    /// Whether there is room again for an application that was told of too little. It is woken only for half
    /// a buffer, so that it does not write in slivers. True once.
    mutating func takeRoomNotice(_ limits: StreamLimits) -> Bool {
        guard awaitsRoom, room(limits) >= (limits.unsentLimit + 1) / 2 else { return false }
        awaitsRoom = false
        return true
    }

    /// Abandons what is not delivered. False when there was nothing to abandon.
    mutating func reset(code: UInt64, stoppedByPeer: Bool) -> Bool {
        switch state {
        case .open, .ending:
            state = .reset(code: code, stoppedByPeer: stoppedByPeer)
            awaitsRoom = false
            buffer.discard()
            return true
        case .absent, .finished, .reset, .resetFinished: return false
        }
    }

    // MARK: What to send

    /// Data or an end that may be sent whatever the peer's credit is: it was counted when it was sent first,
    /// or it is the bare end of the stream.
    var needsNoCredit: Bool {
        if buffer.hasLost { return true }
        return state == .ending(fin: .unsent) && buffer.unsentCount == 0
    }

    /// Whether there are new bytes that the stream's own credit allows.
    var hasFreshData: Bool { buffer.nextOffset < min(buffer.endOffset, credit) }

    /// Whether the stream's own credit is all that keeps data back (RFC 9000 section 4.1).
    var isBlocked: Bool { buffer.nextOffset < buffer.endOffset && buffer.nextOffset >= credit }

    /// True once for each credit that turns out too small, so that the peer is told once.
    mutating func takeBlockedNotice() -> Bool {
        guard isBlocked, blockedCredit != credit else { return false }
        blockedCredit = credit
        return true
    }

    /// Writes one STREAM frame: lost data first, else new data within both credits, else a bare end. Nil when
    /// not even one byte fits.
    mutating func writeFrame(
        of id: StreamID, into writer: inout ByteWriter, connectionCredit: UInt64
    ) -> SentStreamFrame? {
        let next = nextRange(connectionCredit)
        guard
            let frame = StreamFrameHeader(
                id: id, offset: next.lowerBound, available: next.upperBound - next.lowerBound,
                end: isEnding ? buffer.endOffset : nil, space: writer.remaining)
        else { return nil }
        frame.encode(into: &writer)
        buffer.copy(to: writer.claim(frame.length), from: frame.offset)
        return noteSent(frame)
    }

    private func nextRange(_ connectionCredit: UInt64) -> Range<UInt64> {
        if let lost = buffer.firstLost { return lost }
        let start = buffer.nextOffset
        let end = max(start, min(buffer.endOffset, credit))
        return start..<start + min(end - start, connectionCredit)
    }

    private var isEnding: Bool {
        if case .ending = state { true } else { false }
    }

    private mutating func noteSent(_ frame: StreamFrameHeader) -> SentStreamFrame {
        let end = frame.offset + UInt64(frame.length)
        let newBytes = end > buffer.nextOffset ? end - buffer.nextOffset : 0
        if newBytes > 0 { buffer.noteSent(upTo: end) } else { buffer.noteResent(upTo: end) }
        if frame.fin, state == .ending(fin: .unsent) { state = .ending(fin: .inFlight) }
        let record = SentFrame.stream(
            frame.id, offset: frame.offset, length: UInt32(frame.length), fin: frame.fin)
        return SentStreamFrame(record: record, newBytes: newBytes)
    }

    // MARK: What became of it

    /// True when this was the last acknowledgement that the stream waited for.
    mutating func onAcked(_ offset: UInt64, length: UInt32, fin: Bool) -> Bool {
        guard !isTerminal else { return false }
        buffer.acknowledge(offset, length: length)
        guard case .ending(let delivery) = state else { return false }
        if fin { state = .ending(fin: .acknowledged) }
        guard fin || delivery == .acknowledged, buffer.isFullyAcknowledged else { return false }
        state = .finished
        return true
    }

    mutating func onLost(_ offset: UInt64, length: UInt32, fin: Bool) {
        switch state {
        case .ending(fin: .inFlight) where fin:
            state = .ending(fin: .unsent)
            buffer.markLost(offset, length: length)
        case .open, .ending: buffer.markLost(offset, length: length)
        // RFC 9000 section 13.3: once a stream is reset, its data is not sent again.
        case .absent, .finished, .reset, .resetFinished: break
        }
    }

    mutating func onResetAcked() {
        guard case .reset(let code, let stopped) = state else { return }
        state = .resetFinished(code: code, stoppedByPeer: stopped)
    }

    /// RFC 9000 section 4.1: a limit that is no higher than the last is ignored.
    mutating func raiseCredit(to limit: UInt64) { credit = max(credit, limit) }

    /// Early data was refused: nothing was sent, and nothing is allowed. False when some was acknowledged.
    mutating func rewind() -> Bool {
        credit = 0
        blockedCredit = nil
        if case .ending = state { state = .ending(fin: .unsent) }
        switch state {
        case .open, .ending: return buffer.rewind()
        case .absent: return true
        // The final size is what was sent, and nothing of it was.
        case .reset:
            buffer.recycle(capacityLimit: 0)
            return true
        case .finished, .resetFinished: return false
        }
    }

    mutating func releaseSpareMemory() { buffer.releaseSpareMemory() }
}

/// What went into a packet for a stream.
struct SentStreamFrame {
    var record: SentFrame
    /// How many of its bytes were never sent before, and count against the connection's credit.
    var newBytes: UInt64
}
