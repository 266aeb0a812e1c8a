import GodwitWire

/// Frames to the peer that carry no stream data.
extension Streams {
    var hasControlFramesToSend: Bool { !controlFrames.isEmpty || !controlQueue.isEmpty(0) }

    /// A type and three integers.
    private static var largestControlFrame: Int { 25 }

    /// Writes as many of the waiting control frames as fit, each from the state of now.
    mutating func writeControlFrames(into writer: inout ByteWriter, records: inout SentFrameList) {
        while let kind = controlFrames.first {
            guard writer.remaining >= Self.largestControlFrame else { return }
            controlFrames.remove(kind)
            write(kind, into: &writer, &records)
        }
        while let slot = controlQueue.first(0) {
            while let kind = table.slots[slot].controlFrames.first {
                guard writer.remaining >= Self.largestControlFrame else { return }
                table.slots[slot].controlFrames.remove(kind)
                write(kind, of: slot, into: &writer, &records)
            }
            controlQueue.remove(slot)
            forgetIfEnded(slot)
        }
    }

    private mutating func write(
        _ kind: ConnectionControlFrames, into writer: inout ByteWriter, _ records: inout SentFrameList
    ) {
        switch kind {
        case .maxData:
            let limit = receiveCredit.announceLimit()
            write(.maxData(limit), .maxData(limit), into: &writer, &records)
        case .dataBlocked:
            let limit = sendCredit.limit
            write(.dataBlocked(limit: limit), .dataBlocked(limit), into: &writer, &records)
        case .maxStreamsBidirectional: writeMaxStreams(.bidirectional, into: &writer, &records)
        case .maxStreamsUnidirectional: writeMaxStreams(.unidirectional, into: &writer, &records)
        case .streamsBlockedBidirectional: writeStreamsBlocked(.bidirectional, into: &writer, &records)
        default: writeStreamsBlocked(.unidirectional, into: &writer, &records)
        }
    }

    private mutating func writeMaxStreams(
        _ direction: StreamID.Direction, into writer: inout ByteWriter, _ records: inout SentFrameList
    ) {
        let limit = remote[direction].announceLimit()
        write(.maxStreams(direction, maximum: limit), .maxStreams(direction, limit), into: &writer, &records)
    }

    private func writeStreamsBlocked(
        _ direction: StreamID.Direction, into writer: inout ByteWriter, _ records: inout SentFrameList
    ) {
        let limit = local[direction].limit
        write(
            .streamsBlocked(direction, limit: limit), .streamsBlocked(direction, limit), into: &writer,
            &records)
    }

    private mutating func write(
        _ kind: StreamControlFrames, of slot: Int, into writer: inout ByteWriter,
        _ records: inout SentFrameList
    ) {
        let id = table.slots[slot].id
        switch kind {
        case .resetStream:
            let code = table.slots[slot].sending.resetCode
            let finalSize = table.slots[slot].sending.finalSize
            let frame = ResetStreamFrame(id: id, errorCode: code, finalSize: finalSize)
            write(.resetStream(frame), .resetStream(id), into: &writer, &records)
        case .stopSending:
            let frame = StopSendingFrame(id: id, errorCode: table.slots[slot].receiving.stopCode ?? 0)
            write(.stopSending(frame), .stopSending(id), into: &writer, &records)
        case .maxStreamData:
            let limit = table.slots[slot].receiving.announceLimit()
            write(.maxStreamData(id, maximum: limit), .maxStreamData(id, limit), into: &writer, &records)
        default:
            let limit = table.slots[slot].sending.credit
            write(
                .streamDataBlocked(id, limit: limit), .streamDataBlocked(id, limit), into: &writer, &records)
        }
    }

    private func write(
        _ frame: Frame, _ record: SentFrame, into writer: inout ByteWriter, _ records: inout SentFrameList
    ) {
        frame.encode(into: &writer)
        records.append(record)
    }
}

extension OptionSet where RawValue == UInt8, Element == Self {
    /// The lowest member.
    var first: Self? { isEmpty ? nil : Self(rawValue: rawValue & (~rawValue &+ 1)) }
}
