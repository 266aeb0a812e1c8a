import GodwitQPACK
import GodwitWire

// The peer's unidirectional streams: control, QPACK, and those without meaning.
extension HTTP3Connection {
    mutating func openPeerStream(_ id: StreamID) {
        do throws(HTTP3Error) {
            try peerStreams.open(id, limit: configuration.limits.undeterminedStreams)
        } catch {
            close(error)
        }
    }

    mutating func closePeerStream(_ id: StreamID) {
        openPeerStream(id)
        do throws(HTTP3Error) {
            try peerStreams.close(id)
        } catch {
            close(error)
        }
    }

    mutating func receiveOnPeerStream(_ bytes: UnsafeRawBufferPointer, _ id: StreamID, fin: Bool) {
        openPeerStream(id)
        var reader = ByteReader(bytes)
        do throws(HTTP3Error) {
            try read(&reader, id)
        } catch {
            close(error)
        }
        if fin, !isClosed { closePeerStream(id) }
    }

    private mutating func read(_ reader: inout ByteReader, _ id: StreamID) throws(HTTP3Error) {
        var kind = peerStreams.kind(of: id)
        if kind == .undetermined {
            guard let type = peerStreams.readType(of: id, &reader) else { return }
            kind = try peerStreams.determine(id, type: type, role: role)
            if kind == .ignored { return try discard(id) }
        }
        switch kind {
        case .control: try readControl(&reader)
        case .encoder: try receiveEncoderStream(reader.readRest())
        case .decoder: try receiveDecoderStream(reader.readRest())
        case .undetermined, .ignored: break
        }
    }

    // RFC 9114 section 6.2: of an unknown type, which is no error.
    private mutating func discard(_ id: StreamID) throws(HTTP3Error) {
        try bearMeaningless()
        actions.append(.stopSending(id, code: .streamCreationError))
    }

    private mutating func receiveEncoderStream(_ bytes: UnsafeRawBufferPointer) throws(HTTP3Error) {
        do throws(QPACKError) {
            try decoder.receiveEncoderStream(bytes)
        } catch {
            throw HTTP3Error(error)
        }
        unblock()
    }

    private mutating func receiveDecoderStream(_ bytes: UnsafeRawBufferPointer) throws(HTTP3Error) {
        var failure: QPACKError?
        do throws(QPACKError) {
            try encoder.receiveDecoderStream(bytes)
        } catch {
            failure = error
        }
        // Each is short, and has us search through all that is not acknowledged. They came before what failed.
        for _ in 0..<encoder.takeIdleCancellations() { try bearMeaningless() }
        if let failure { throw HTTP3Error(failure) }
    }
}

// MARK: The control stream

extension HTTP3Connection {
    private mutating func readControl(_ reader: inout ByteReader) throws(HTTP3Error) {
        while let element = try peerStreams.control?.next(&reader, configuration.limits) {
            try take(element)
        }
    }

    private mutating func take(_ element: ControlStream.Element) throws(HTTP3Error) {
        if case .settings(let settings) = element { return try takeSettings(settings) }
        // All others can come again and again.
        try bearMeaningless()
        switch element {
        case .settings, .meaningless, .priorityUpdate(_, nil): break
        case .goaway(let identifier): try takeGoaway(identifier)
        case .maxPushID(let identifier): try takeMaximumPushID(identifier)
        case .cancelPush(let identifier):
            // RFC 9114 section 7.2.3: a server that never promises and a client that never allows know no
            // push.
            throw HTTP3Error(.idError, "CANCEL_PUSH for push \(identifier), which was never promised")
        case .priorityUpdate(let id, let priority?): takePriority(priority, of: id)
        case .pushPriorityUpdate(let identifier):
            // RFC 9218 section 7.2
            throw HTTP3Error(.idError, "PRIORITY_UPDATE for push \(identifier), which was never promised")
        }
    }

    private mutating func takeSettings(_ settings: HTTP3Settings) throws(HTTP3Error) {
        // Only what early data was sent under had to be kept (RFC 9114 section 7.2.4.2).
        if let remembered = rememberedSettings, let violation = settings.violation(of: remembered) {
            throw violation
        }
        hasPeerSettings = true
        peerSettings = settings
        do throws(QPACKError) {
            try encoder.applyPeerSettings(
                maximumTableCapacity: settings.qpackMaximumTableCapacity,
                blockedStreams: settings.qpackBlockedStreams)
        } catch {
            throw HTTP3Error(error)
        }
        actions.append(.settings(settings))
    }

    private mutating func takeMaximumPushID(_ identifier: UInt64) throws(HTTP3Error) {
        // RFC 9114 section 7.2.7
        guard identifier >= maximumPushID ?? 0 else {
            throw HTTP3Error(.idError, "MAX_PUSH_ID reduced to \(identifier)")
        }
        maximumPushID = identifier
    }

    // RFC 9218 section 7
    private mutating func takePriority(_ priority: Priority, of id: StreamID) {
        if let slot = requests.slot(of: id) {
            requests[slot].priority = priority
            if requests[slot].isKnown { actions.append(.priority(id, priority)) }
            return
        }
        let mayCome = id.index >= nextRequestIndex
        let limit = configuration.limits.pendingPriorities
        if mayCome { priorities.keep(priority, for: id, limit: limit) }
    }
}
