public import GodwitQPACK
public import GodwitWire

// What the application sends. Frames are appended to a buffer of the caller's, who puts content behind them.
extension HTTP3Connection {
    /// Writes a request's HEADERS frame and makes `id` a request stream.
    ///
    /// - Parameters:
    ///   - fields: pseudo-header fields first, as RFC 9114 section 4.3.1 wants them.
    ///   - id: a bidirectional stream that the transport has opened for us.
    ///   - fin: whether the request has no content; the caller ends the stream behind the frame.
    ///   - buffer: the frame is appended; the caller sends it on the stream.
    public mutating func sendRequest(
        _ fields: FieldSection, on id: StreamID, fin: Bool, into buffer: inout [UInt8]
    ) throws(HTTP3SendError) {
        try checkNewRequest(id)
        let control = try Self.checked { () throws(MalformedMessage) in
            try RequestParser.parse(fields, allowsProtocol: true)
        }
        // RFC 9220 section 3
        guard control.protocolLine == RequestControl.none || peerSettings.isConnectProtocolEnabled else {
            throw .notEnabledByPeer
        }
        try checkSize(fields)
        var stream = RequestStream(id: id, role: .client)
        stream.isKnown = true
        try stream.beginRequest(control, fin: fin)
        requests.insert(stream)
        gainPatience()
        appendFieldSection(fields, id, to: &buffer)
    }

    private func checkNewRequest(_ id: StreamID) throws(HTTP3SendError) {
        guard !isClosed else { throw .connectionClosed }
        guard role == .client else { throw .wrongRole }
        guard takesNewRequests else { throw .goingAway }
        guard id.initiator == .client, id.direction == .bidirectional else { throw .unknownStream }
        guard requests.slot(of: id) == nil else { throw .outOfOrder }
    }

    /// Writes an interim response (1xx), any number of which may come before the response.
    public mutating func sendInformational(
        _ fields: FieldSection, on id: StreamID, into buffer: inout [UInt8]
    ) throws(HTTP3SendError) {
        let slot = try responseSlot(id)
        try requests[slot].checkResponse()
        let (status, length, capsules) = try Self.checked { () throws(MalformedMessage) in
            try ResponseParser.parse(fields)
        }
        guard status < 200 else { throw .malformed(field: ":status", reason: "not of an interim response") }
        try Self.check(capsules, status)
        // RFC 9110 section 8.6
        guard length == nil else {
            throw .malformed(field: "content-length", reason: "in an interim response")
        }
        try checkSize(fields)
        appendFieldSection(fields, id, to: &buffer)
    }

    /// Writes the response's HEADERS frame.
    ///
    /// - Parameters:
    ///   - fields: `:status` first, as RFC 9114 section 4.3.2 wants it.
    ///   - id: the request's stream.
    ///   - fin: whether the response has no content; the caller ends the stream behind the frame.
    ///   - buffer: the frame is appended; the caller sends it on the stream.
    public mutating func sendResponse(
        _ fields: FieldSection, on id: StreamID, fin: Bool, into buffer: inout [UInt8]
    ) throws(HTTP3SendError) {
        let slot = try responseSlot(id)
        let isExtendedConnect = requests[slot].isExtendedConnect
        let (status, length, capsules) = try Self.checked { () throws(MalformedMessage) in
            let response = try ResponseParser.parse(fields)
            if isExtendedConnect { try response.capsules.check(status: response.status) }
            return response
        }
        guard status >= 200 else { throw .malformed(field: ":status", reason: "of an interim response") }
        try Self.check(capsules, status)
        try checkSize(fields)
        try requests[slot].beginResponse(status: status, contentLength: length, fin: fin)
        appendFieldSection(fields, id, to: &buffer)
        removeIfOver(slot)
    }

    /// Writes the header of a DATA frame. The caller sends it, then exactly `length` bytes of content.
    ///
    /// - Parameters:
    ///   - length: how many bytes follow; for none, nothing is written.
    ///   - id: the stream.
    ///   - fin: whether the message ends behind these bytes; the caller ends the stream there.
    ///   - buffer: the header is appended.
    public mutating func beginData(
        _ length: Int, on id: StreamID, fin: Bool, into buffer: inout [UInt8]
    ) throws(HTTP3SendError) {
        precondition(length >= 0)
        let slot = try openSlot(id)
        try requests[slot].sendContent(length, fin: fin)
        if length > 0 { buffer.appendFrameHeader(.data, length: length) }
        removeIfOver(slot)
    }

    /// Writes the trailer section, behind which the caller ends the stream.
    public mutating func sendTrailers(
        _ fields: FieldSection, on id: StreamID, into buffer: inout [UInt8]
    ) throws(HTTP3SendError) {
        let slot = try openSlot(id)
        try requests[slot].checkTrailers()
        try Self.checked { () throws(MalformedMessage) in
            try TrailerParser.checkForSending(fields, inRequest: role == .client)
        }
        try checkSize(fields)
        requests[slot].sending = .ended
        appendFieldSection(fields, id, to: &buffer)
        removeIfOver(slot)
    }

    /// The message ends here; the caller ends the stream.
    public mutating func finish(_ id: StreamID) throws(HTTP3SendError) {
        let slot = try openSlot(id)
        try requests[slot].sendContent(0, fin: true)
        removeIfOver(slot)
    }
}

// MARK: Giving up

extension HTTP3Connection {
    /// Gives up a request in both directions; the actions for the transport follow. Actions that wait already
    /// still come. Does nothing on a stream that has ended.
    ///
    /// - Parameters:
    ///   - id: the request's stream.
    ///   - code: nil for the usual one: a server that has told nobody of the request rejects it, all else is
    ///     cancelled (RFC 9114 section 4.1.1).
    public mutating func cancel(_ id: StreamID, code: HTTP3ErrorCode? = nil) {
        guard !isClosed, let slot = requests.slot(of: id) else { return }
        abandon(slot, cancellation(slot, code ?? (requests[slot].isKnown ? nil : .requestRejected)))
        drainIfDone()
    }

    // Only a server can say that it has not processed a request, and only before it answers it (RFC 9114
    // section 4.1.1).
    private func cancellation(_ slot: Int, _ code: HTTP3ErrorCode?) -> HTTP3ErrorCode {
        guard let code, code == .requestRejected else { return code ?? .requestCancelled }
        return role == .server && requests[slot].sending == .head ? code : .requestCancelled
    }

    /// Wants no more of what the peer sends on a stream, while our side goes on (RFC 9114 section 4.1).
    /// Actions that wait already still come.
    public mutating func stopReceiving(_ id: StreamID, code: HTTP3ErrorCode = .noError) {
        guard !isClosed, let slot = requests.slot(of: id), requests[slot].receiving != .ended else { return }
        let code = cancellation(slot, code)
        stopReading(slot)
        actions.append(.stopSending(id, code: code))
        removeIfOver(slot)
    }
}

// MARK: Priorities and datagrams

extension HTTP3Connection {
    /// A client asks for another priority of a response (RFC 9218 section 7.2). It is advice: while the peer
    /// gives no credit for much that waits on the control stream, it is dropped.
    public mutating func updatePriority(_ priority: Priority, of id: StreamID) throws(HTTP3SendError) {
        guard role == .client else { throw .wrongRole }
        _ = try openSlot(id)
        guard outgoing.control.count < configuration.limits.pendingBytes else { return }
        let value = priority.fieldValue
        outgoing.control.appendFrameHeader(
            .requestPriorityUpdate, length: VariableLengthInteger.size(id.rawValue) + value.utf8.count)
        outgoing.control.appendVarint(id.rawValue)
        outgoing.control.append(contentsOf: value.utf8)
    }

    /// Writes what stands before the payload of a datagram for a request (RFC 9297 section 2.1).
    public mutating func beginDatagram(on id: StreamID, into buffer: inout [UInt8]) throws(HTTP3SendError) {
        let slot = try openSlot(id)
        // RFC 9297 section 2.1.1
        guard configuration.areDatagramsEnabled, outgoing.hasSentSettings, peerSettings.areDatagramsEnabled
        else {
            throw .notEnabledByPeer
        }
        guard requests[slot].sending != .ended else { throw .sendingEnded }
        // RFC 9297 section 2: no other request says what a datagram would mean.
        guard requests[slot].isExtendedConnect else { throw .outOfOrder }
        buffer.appendVarint(id.index)
    }
}

// MARK: Support

extension HTTP3Connection {
    private func openSlot(_ id: StreamID) throws(HTTP3SendError) -> Int {
        guard !isClosed else { throw .connectionClosed }
        guard let slot = requests.slot(of: id) else { throw .unknownStream }
        return slot
    }

    private func responseSlot(_ id: StreamID) throws(HTTP3SendError) -> Int {
        guard role == .server else { throw .wrongRole }
        return try openSlot(id)
    }

    private static func checked<R>(
        _ parse: () throws(MalformedMessage) -> R
    ) throws(HTTP3SendError) -> R {
        do throws(MalformedMessage) {
            return try parse()
        } catch {
            throw .malformed(field: error.field, reason: error.reason)
        }
    }

    // RFC 9297 section 3.4
    private static func check(_ capsules: CapsuleUse, _ status: Int) throws(HTTP3SendError) {
        guard !capsules.isNamed || 200...299 ~= status else {
            throw .malformed(field: "capsule-protocol", reason: "in a response that does not succeed")
        }
    }

    // RFC 9114 section 4.2.2: the peer would likely refuse it.
    private func checkSize(_ fields: FieldSection) throws(HTTP3SendError) {
        guard let limit = peerSettings.maximumFieldSectionSize, UInt64(fields.size) > limit else { return }
        throw .fieldSectionTooLarge(size: fields.size, limit: Int(limit))
    }

    private mutating func appendFieldSection(_ fields: FieldSection, _ id: StreamID, to buffer: inout [UInt8])
    {
        scratch.removeAll(keepingCapacity: true)
        encoder.encode(fields, stream: id.rawValue, into: &scratch)
        buffer.appendFrameHeader(.headers, length: scratch.count)
        buffer.append(contentsOf: scratch)
        if scratch.count > Self.keptSize { scratch = [] }
    }
}
