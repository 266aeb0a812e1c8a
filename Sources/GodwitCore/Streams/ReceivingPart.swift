import GodwitWire

/// The receiving part of a stream (RFC 9000 section 3.2).
struct ReceivingPart: Codable, Sendable {
    enum State: Codable, Sendable, Equatable {
        /// A unidirectional stream of ours has no receiving part.
        case absent
        /// Recv.
        case receiving
        /// Size Known, and Data Recvd when all of it is there.
        case sizeKnown(finalSize: UInt64)
        /// Reset Recvd: the application was not told yet.
        case reset(code: UInt64)
        /// Data Read, or of no more interest to the application and of known size.
        case finished
        /// Reset Read.
        case resetTold(code: UInt64)
    }

    /// What a frame changed, for the connection's books and the application.
    struct Arrival {
        /// By how much the highest offset rose: what the frame uses of the connection's credit.
        var growth: UInt64 = 0
        /// How many bytes nobody will consume, so that their credit goes back at once.
        var dropped: UInt64 = 0
        /// By how many the ranges behind gaps became more or fewer.
        var islandChange = 0
        /// The application can read further than before, or learn of the end.
        var isReadable = false
    }

    private(set) var state = State.absent
    private(set) var buffer = ReceiveBuffer()
    private(set) var window = ReceiveWindow(size: 0)
    /// The end of the highest byte that arrived: how much of the credit is used.
    private(set) var highestOffset: UInt64 = 0
    /// Set when the application asked the peer to stop.
    private(set) var stopCode: UInt64?

    /// Starts over for a stream; nil for one without a receiving part.
    mutating func open(window size: UInt64?) {
        state = size == nil ? .absent : .receiving
        window = ReceiveWindow(size: size ?? 0)
        highestOffset = 0
        stopCode = nil
    }

    /// Drops what was held for the last stream, but for some storage.
    mutating func recycle(capacityLimit: Int) {
        state = .absent
        buffer.recycle(capacityLimit: capacityLimit)
    }

    var isTerminal: Bool {
        switch state {
        case .absent, .finished, .resetTold: true
        case .receiving, .sizeKnown, .reset: false
        }
    }

    /// The code of a reset that the application has not been told of.
    var resetCode: UInt64 {
        if case .reset(let code) = state { code } else { 0 }
    }

    /// Whether the application has read everything up to the known end.
    private var isReadToTheEnd: Bool { state == .sizeKnown(finalSize: buffer.consumedOffset) }

    // MARK: Frames

    /// Takes a STREAM frame.
    ///
    /// - Throws: FLOW_CONTROL_ERROR beyond the stream's credit or `connectionRoom` (RFC 9000 section 4.1),
    ///   FINAL_SIZE_ERROR (section 4.5), INTERNAL_ERROR when the peer leaves more gaps than loss can explain.
    mutating func receive(_ frame: StreamFrame, connectionRoom: UInt64) throws(TransportError) -> Arrival {
        // RFC 9000 section 3.2: what arrives behind the end of a stream that is read or reset is ignored.
        switch state {
        case .absent, .reset, .finished, .resetTold: return Arrival()
        case .receiving, .sizeKnown: break
        }
        let end = frame.endOffset
        var arrival = Arrival()
        arrival.growth = try checkGrowth(to: end, isFinal: frame.fin, connectionRoom, FrameType.stream)
        highestOffset += arrival.growth
        let knewSize = state != .receiving
        if frame.fin { state = .sizeKnown(finalSize: end) }
        if stopCode != nil {
            drop(&arrival)
        } else {
            try keep(frame, &arrival)
            if frame.fin, !knewSize, buffer.readableEnd == end { arrival.isReadable = true }
        }
        return arrival
    }

    private mutating func keep(_ frame: StreamFrame, _ arrival: inout Arrival) throws(TransportError) {
        let readableBefore = buffer.readableEnd
        let islandsBefore = buffer.islandCount
        buffer.insert(frame.data, at: frame.offset)
        arrival.isReadable = buffer.readableEnd > readableBefore
        arrival.islandChange = buffer.islandCount - islandsBefore
        guard arrival.islandChange <= 0 || buffer.islandCount <= Self.islandLimit(window.size) else {
            throw TransportError(.internalError, "too many gaps in a stream", frameType: FrameType.stream)
        }
    }

    /// Losing every other packet of a full window leaves a gap for each 2.4 KB. Beyond twice that, and 1,024,
    /// gaps are made and not suffered. The upper bound keeps what a frame costs within some microseconds.
    static func islandLimit(_ window: UInt64) -> Int { min(max(1024, Int(clamping: window / 1200)), 32_768) }

    /// Takes a RESET_STREAM frame. The arrival is readable when the application is to be told.
    ///
    /// - Throws: FLOW_CONTROL_ERROR or FINAL_SIZE_ERROR, as for data up to the final size.
    mutating func receive(
        _ frame: ResetStreamFrame, connectionRoom: UInt64
    ) throws(TransportError) -> Arrival {
        switch state {
        case .absent, .reset, .finished, .resetTold: return Arrival()
        case .receiving, .sizeKnown: break
        }
        var arrival = Arrival()
        arrival.growth = try checkGrowth(
            to: frame.finalSize, isFinal: true, connectionRoom, FrameType.resetStream)
        highestOffset = frame.finalSize
        // RFC 9000 section 3.2 lets a reset withhold data that is all there. Here it does not.
        if state != .receiving, stopCode == nil, buffer.readableEnd == highestOffset { return arrival }
        arrival.isReadable = stopCode == nil
        state = stopCode == nil ? .reset(code: frame.errorCode) : .finished
        drop(&arrival)
        return arrival
    }

    private func checkGrowth(
        to end: UInt64, isFinal: Bool, _ connectionRoom: UInt64, _ frameType: UInt64
    ) throws(TransportError) -> UInt64 {
        if case .sizeKnown(let finalSize) = state, end > finalSize || (isFinal && end != finalSize) {
            throw TransportError(.finalSizeError, "a stream's final size changed", frameType: frameType)
        }
        if isFinal, end < highestOffset {
            throw TransportError(.finalSizeError, "a final size below data received", frameType: frameType)
        }
        let growth = end > highestOffset ? end - highestOffset : 0
        guard end <= window.limit || growth == 0 else {
            throw TransportError(.flowControlError, "more data than a stream may carry", frameType: frameType)
        }
        guard growth <= connectionRoom else {
            throw TransportError(
                .flowControlError, "more data than the connection may carry", frameType: frameType)
        }
        return growth
    }

    /// Gives up what is held up to the highest offset.
    private mutating func drop(_ arrival: inout Arrival) {
        arrival.islandChange -= buffer.islandCount
        arrival.dropped += buffer.discard(upTo: highestOffset)
        if stopCode != nil, isReadToTheEnd { state = .finished }
    }

    // MARK: Application

    /// Why the application can't read, if it can't.
    ///
    /// Inlined, because a call would copy the whole part out of its slot first.
    @inline(__always)
    var readError: StreamError? {
        switch state {
        case .absent: .sendOnly
        case .reset(let code), .resetTold(let code): .resetByPeer(code: code)
        case .receiving, .sizeKnown, .finished: stopCode == nil ? nil : .receivingStopped
        }
    }

    /// Shows readable bytes to `body`. The state is finished when the end was reached.
    mutating func read(_ body: (UnsafeRawBufferPointer) -> Int) -> Int {
        let count = buffer.readableCount > 0 ? buffer.consume(body) : 0
        if isReadToTheEnd { state = .finished }
        return count
    }

    /// The application knows of the reset.
    mutating func noteResetTold() {
        if case .reset(let code) = state { state = .resetTold(code: code) }
    }

    /// The application wants no more. Whether the peer is to be told, and what was dropped.
    mutating func stop(code: UInt64) -> (tellPeer: Bool, arrival: Arrival) {
        var arrival = Arrival()
        switch state {
        case .receiving, .sizeKnown:
            stopCode = code
            // RFC 9000 section 3.5: a request to stop is of use only while there is data to come.
            let isComplete = state == .sizeKnown(finalSize: buffer.readableEnd)
            drop(&arrival)
            return (!isComplete, arrival)
        case .reset:
            noteResetTold()
            return (false, arrival)
        case .absent, .finished, .resetTold: return (false, arrival)
        }
    }

    // MARK: Credit

    /// Whether the peer needs to hear of credit: not after it has told its final size (RFC 9000 section 3.2),
    /// and not for data that nobody wants.
    var givesCredit: Bool { state == .receiving && stopCode == nil }

    var isUpdateDue: Bool { givesCredit && window.isUpdateDue(consumed: buffer.consumedOffset) }

    var canRaiseLimit: Bool { givesCredit && window.canRaise(consumed: buffer.consumedOffset) }

    /// Whether a lost STOP_SENDING is to be sent again: not once the final size is known, after which this
    /// part is forgotten (RFC 9000 section 13.3).
    var needsStopSending: Bool { stopCode != nil && state == .receiving }

    mutating func noteConsumed(now: Instant, rtt: TimeSpan, maximumSize: UInt64) {
        window.noteConsumed(buffer.consumedOffset, now: now, rtt: rtt, maximumSize: maximumSize)
    }

    mutating func announceLimit() -> UInt64 { window.announce(consumed: buffer.consumedOffset) }

    mutating func restartMeasurement() { window.restartMeasurement() }
    mutating func releaseSpareMemory() { buffer.releaseSpareMemory() }
}
