import GodwitWire

extension Streams: Codable {
    /// The order of the queues is kept by ids: slots are numbered anew.
    private enum CodingKeys: CodingKey {
        case role, limits, peerLimits, sendCredit, receiveCredit, local, remote, controlFrames
        case streams, sendOrder, sendTurns, controlOrder, eventOrder
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(role, forKey: .role)
        try container.encode(limits, forKey: .limits)
        try container.encode(peerLimits, forKey: .peerLimits)
        try container.encode(sendCredit, forKey: .sendCredit)
        try container.encode(receiveCredit, forKey: .receiveCredit)
        try container.encode(local, forKey: .local)
        try container.encode(remote, forKey: .remote)
        try container.encode(controlFrames, forKey: .controlFrames)
        try container.encode(table.openSlots.map { table.slots[$0] }, forKey: .streams)
        try container.encode(schedule.slots.map { table.slots[$0].id }, forKey: .sendOrder)
        try container.encode(schedule.turns, forKey: .sendTurns)
        try container.encode(controlQueue.slots(in: 0).map { table.slots[$0].id }, forKey: .controlOrder)
        try container.encode(eventQueue.slots(in: 0).map { table.slots[$0].id }, forKey: .eventOrder)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            role: try container.decode(Role.self, forKey: .role),
            limits: try container.decode(StreamLimits.self, forKey: .limits))
        peerLimits = try container.decode(PeerStreamLimits.self, forKey: .peerLimits)
        sendCredit = try container.decode(ConnectionSendCredit.self, forKey: .sendCredit)
        receiveCredit = try container.decode(ConnectionReceiveCredit.self, forKey: .receiveCredit)
        local = try container.decode(PerDirection<LocalStreams>.self, forKey: .local)
        remote = try container.decode(PerDirection<RemoteStreams>.self, forKey: .remote)
        controlFrames = try container.decode(ConnectionControlFrames.self, forKey: .controlFrames)
        for stream in try container.decode([OpenStream].self, forKey: .streams) {
            guard isConsistent(stream), table.restore(stream) != nil else {
                throw DecodingError.inconsistent(decoder, "a stream that contradicts the others")
            }
        }
        guard isConsistent else { throw DecodingError.inconsistent(decoder, "credit that does not add up") }
        try restoreOrder(of: CodingKeys.sendOrder, container) { $0.reschedule($1) }
        schedule.turns = try container.decode(SendSchedule.Turns.self, forKey: .sendTurns)
        try restoreOrder(of: CodingKeys.controlOrder, container) { $0.request([], $1) }
        try restoreOrder(of: CodingKeys.eventOrder, container) { $0.requeueEvents($1) }
        for slot in table.openSlots {
            reschedule(slot)
            request([], slot)
            requeueEvents(slot)
        }
    }

    private mutating func restoreOrder(
        of key: CodingKeys, _ container: KeyedDecodingContainer<CodingKeys>,
        _ join: (inout Streams, Int) -> Void
    ) throws {
        for id in try container.decode([StreamID].self, forKey: key) {
            if let slot = table.slot(of: id) { join(&self, slot) }
        }
    }

    private mutating func requeueEvents(_ slot: Int) {
        if table.slots[slot].events.isEmpty || eventQueue.list(of: slot) != nil { return }
        eventQueue.append(slot, to: 0)
    }

    // A damaged snapshot is refused when it is read, and does not trap later.

    private var isConsistent: Bool {
        let islands = table.slots.reduce(0) { $0 + $1.receiving.buffer.islandCount }
        return limits.isConsistent && sendCredit.isConsistent && receiveCredit.isConsistent
            && receiveCredit.islandCount == islands
            && remote.bidirectional.isConsistent && remote.unidirectional.isConsistent
            && StreamID.Direction.allCases.allSatisfy {
                local[$0].openedCount <= StreamID.maxCount && local[$0].limit <= StreamID.maxCount
            }
    }

    private func isConsistent(_ stream: OpenStream) -> Bool {
        let id = stream.id
        let count = id.initiator == role ? local[id.direction].openedCount : remote[id.direction].openedCount
        return id.index < count && stream.priority.urgency <= StreamPriority.leastUrgent
            && (stream.sending.state == .absent) == isReceiveOnly(id)
            && (stream.receiving.state == .absent) == isSendOnly(id)
            && stream.receiving.isConsistent
    }
}

extension StreamLimits {
    var isConsistent: Bool {
        let windows = [
            initialMaxData, initialMaxStreamDataBidirectionalLocal, initialMaxStreamDataBidirectionalRemote,
            initialMaxStreamDataUnidirectional, maximumConnectionWindow, maximumStreamWindow,
        ]
        return windows.allSatisfy { $0 <= Self.largestWindow } && sendBufferLimit <= Self.largestWindow
            && 1...max(1, sendBufferLimit) ~= unsentLimit
    }
}

extension ConnectionSendCredit {
    var isConsistent: Bool { used <= limit && limit <= StreamLimits.largestOffset }
}

extension ConnectionReceiveCredit {
    var isConsistent: Bool { consumed <= used && used <= window.limit && window.isConsistent }
}

extension ReceiveWindow {
    var isConsistent: Bool {
        limit <= StreamLimits.largestOffset && size <= UInt64(StreamLimits.largestWindow)
    }
}

extension RemoteStreams {
    var isConsistent: Bool {
        openedCount <= limit && limit <= StreamID.maxCount && toldCount <= openedCount
            && endedCount <= openedCount && concurrency <= StreamID.maxCount && hasConsistentGaps
    }
}

extension ReceivingPart {
    var isConsistent: Bool {
        let isSizeRight = if case .sizeKnown(let size) = state { size == highestOffset } else { true }
        return isSizeRight && buffer.endOffset <= highestOffset && highestOffset <= window.limit
            && window.isConsistent
    }
}
