import GodwitQPACK
import GodwitWire

// Request streams: how they begin, and their frames.
extension HTTP3Connection {
    mutating func openRequest(_ id: StreamID, inEarlyData: Bool) {
        // RFC 9114 section 6.1
        guard role == .server else {
            return close(HTTP3Error(.streamCreationError, "bidirectional stream \(id) from a server"))
        }
        guard id.index >= nextRequestIndex else { return }
        // A transport that says which streams were opened never leaves a gap; this bounds what one that does
        // not could make us do.
        guard id.index - nextRequestIndex < Self.largestGap else {
            return close(HTTP3Error(.idError, "stream \(id) far above those before it"))
        }
        // A stream opens all lower ones of its kind (RFC 9000 section 3.2).
        while nextRequestIndex <= id.index { openNextRequest(inEarlyData: inEarlyData) }
    }

    private static let largestGap: UInt64 = 4096

    private mutating func openNextRequest(inEarlyData: Bool) {
        let id = StreamID(index: nextRequestIndex, direction: .bidirectional, initiator: .client)
        nextRequestIndex += 1
        let mayCome = id.rawValue < shutdown.sentGoaway ?? .max
        guard mayCome, requests.count < configuration.limits.requestStreams else { return reject(id) }
        var stream = RequestStream(id: id, role: .server)
        stream.isEarlyData = inEarlyData
        stream.priority = priorities.take(id)
        requests.insert(stream)
        gainPatience()
    }

    // RFC 9114 sections 4.1.1 and 5.2
    private mutating func reject(_ id: StreamID) {
        decoder.cancel(stream: id.rawValue)
        actions.append(.resetStream(id, code: .requestRejected))
        actions.append(.stopSending(id, code: .requestRejected))
    }

    mutating func receiveOnRequestStream(_ bytes: UnsafeRawBufferPointer, _ id: StreamID, fin: Bool) -> Int {
        guard let slot = requestSlot(id), requests[slot].receiving != .ended else { return bytes.count }
        if requests[slot].isBlocked { return holdBack(bytes, slot, fin: fin) }
        var reader = ByteReader(bytes)
        do throws(StreamFailure) {
            try readFrames(&reader, slot, bytes.count)
            if fin, reader.isAtEnd { try endMessage(slot, id) }
        } catch {
            fail(slot, error)
            return bytes.count
        }
        // What comes on a stream that is over is discarded.
        let isOver = requests[slot].id != id || requests[slot].receiving == .ended
        return isOver ? bytes.count : bytes.count - reader.remaining
    }

    /// The slot of a request stream that is open, which a server's peer can open by using it.
    mutating func requestSlot(_ id: StreamID) -> Int? {
        if let slot = requests.slot(of: id) { return slot }
        guard id.initiator == role.peer else { return nil }
        openRequest(id, inEarlyData: false)
        return requests.slot(of: id)
    }

    private mutating func holdBack(_ bytes: UnsafeRawBufferPointer, _ slot: Int, fin: Bool) -> Int {
        if bytes.isEmpty, fin { requests[slot].hasPendingEnd = true }
        return 0
    }

    /// Reads frames until there are no more bytes, or the stream has to wait or is over.
    private mutating func readFrames(
        _ reader: inout ByteReader, _ slot: Int, _ count: Int
    ) throws(StreamFailure) {
        let limit = decoder.maximumFieldSectionSize
        while true {
            // Tiny frames take more room as actions than as bytes, so that there must be a bound to them.
            guard actions.count < Self.mostActions || reader.isAtEnd else {
                return actions.append(.resume(requests[slot].id))
            }
            let held = requests[slot].held.count
            let step = try requests[slot].next(&reader, maximumFieldSectionSize: limit)
            guard hold(requests[slot].held.count - held) else { return refuse(slot) }
            switch step {
            case .done: return
            case .content(let length):
                let end = count - reader.remaining
                actions.append(.data(requests[slot].id, end - length..<end))
            case .fieldSection(let bytes):
                guard try take(bytes, slot) else { return }
            case .heldFieldSection:
                guard try takeHeld(slot) else { return }
            case .fieldSectionTooLarge: return refuse(slot)
            case .meaningless: try bearMeaninglessFrame()
            }
        }
    }

    private static let mostActions = 512

    /// Counts bytes that are kept for field sections; false when they are too many.
    mutating func hold(_ count: Int) -> Bool {
        heldBytes += count
        return count <= 0 || heldBytes <= configuration.limits.heldBytes
    }

    private mutating func bearMeaninglessFrame() throws(StreamFailure) {
        do throws(HTTP3Error) {
            try bearMeaningless()
        } catch {
            throw StreamFailure(error: error, closesConnection: true)
        }
    }

    mutating func endMessage(_ slot: Int, _ id: StreamID) throws(StreamFailure) {
        guard requests[slot].id == id, requests[slot].receiving != .ended else { return }
        guard !requests[slot].isBlocked else {
            requests[slot].hasPendingEnd = true
            return
        }
        try requests[slot].end()
        actions.append(.end(id))
        removeIfOver(slot)
    }
}
