import GodwitQPACK
import GodwitWire

// Field sections: from their bytes to a checked message.
extension HTTP3Connection {
    /// Decodes a field section and hands it on; false when no more of the stream may be read now.
    mutating func take(_ bytes: UnsafeRawBufferPointer, _ slot: Int) throws(StreamFailure) -> Bool {
        var section = spareSections.popLast() ?? FieldSection(reservingLines: 16, bytes: 512)
        let outcome: QPACKDecoder.Outcome
        do throws(QPACKError) {
            outcome = try decoder.decode(bytes, stream: requests[slot].id.rawValue, into: &section)
        } catch {
            guard error.kind == .fieldSectionTooLarge else {
                throw StreamFailure(error: HTTP3Error(error), closesConnection: error.scope == .connection)
            }
            refuse(slot)
            return false
        }
        guard outcome == .decoded else {
            recycle(section)
            requests[slot].block(holding: bytes)
            if !hold(bytes.count) { refuse(slot) }
            return false
        }
        try deliver(section, slot)
        return true
    }

    mutating func takeHeld(_ slot: Int) throws(StreamFailure) -> Bool {
        let held = requests[slot].takeHeld()
        heldBytes -= held.count
        return try held.withUnsafeBufferPointer { (bytes) throws(StreamFailure) in
            try take(UnsafeRawBufferPointer(bytes), slot)
        }
    }

    private mutating func deliver(_ section: consuming FieldSection, _ slot: Int) throws(StreamFailure) {
        do throws(MalformedMessage) {
            switch (requests[slot].receiving, role) {
            case (.head, .server): try deliverRequest(section, slot)
            case (.head, .client): try deliverResponse(section, slot)
            default: try deliverTrailers(section, slot)
            }
        } catch {
            throw .malformed(error)
        }
    }

    private mutating func deliverRequest(
        _ section: consuming FieldSection, _ slot: Int
    ) throws(MalformedMessage) {
        let control = try RequestParser.parse(section, allowsProtocol: configuration.isConnectProtocolEnabled)
        requests[slot].method = control.method
        requests[slot].isExtendedConnect = control.isExtendedConnect
        requests[slot].isKnown = true
        requests[slot].expectContent(control.contentLength)
        let head = RequestHead(
            fields: section, control: control,
            // A PRIORITY_UPDATE counts more than the field, whichever came first (RFC 9218 section 7).
            priority: requests[slot].priority ?? control.priority ?? .default,
            isEarlyData: requests[slot].isEarlyData)
        actions.append(.request(requests[slot].id, head))
    }

    private mutating func deliverResponse(
        _ section: consuming FieldSection, _ slot: Int
    ) throws(MalformedMessage) {
        let (status, length, capsules) = try ResponseParser.parse(section)
        let id = requests[slot].id
        if requests[slot].isExtendedConnect { try capsules.check(status: status) }
        guard status >= 200 else {
            return actions.append(
                .informationalResponse(id, ResponseHead(fields: section, status: status, contentLength: nil)))
        }
        let expected = requests[slot].expectResponse(status: status, contentLength: length)
        actions.append(
            .response(id, ResponseHead(fields: section, status: status, contentLength: expected)))
    }

    private mutating func deliverTrailers(
        _ section: consuming FieldSection, _ slot: Int
    ) throws(MalformedMessage) {
        try TrailerParser.check(section, inRequest: role == .server)
        requests[slot].receiving = .trailed
        actions.append(.trailers(requests[slot].id, section))
    }

    /// A field section is too large to be taken (RFC 9114 section 4.2.2): the stream is read no further.
    mutating func refuse(_ slot: Int) {
        let id = requests[slot].id
        actions.append(.fieldSectionTooLarge(id))
        if role == .server {
            requests[slot].isKnown = true
            stopReceiving(id)
        } else {
            abandon(slot, .excessiveLoad)
            drainIfDone()
        }
    }

    /// The encoder stream has brought something: streams that waited for it go on.
    mutating func unblock() {
        while !isClosed, let blocked = decoder.nextUnblocked() {
            guard let slot = requests.slot(of: StreamID(rawValue: blocked)) else { continue }
            do throws(StreamFailure) {
                guard try takeHeld(slot) else { continue }
                try goOn(slot)
            } catch {
                fail(slot, error)
            }
        }
    }

    private mutating func goOn(_ slot: Int) throws(StreamFailure) {
        let id = requests[slot].id
        if requests[slot].hasPendingEnd { return try endMessage(slot, id) }
        actions.append(.resume(id))
    }
}
