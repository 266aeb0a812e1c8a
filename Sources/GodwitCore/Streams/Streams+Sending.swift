import GodwitWire

/// STREAM frames to the peer.
extension Streams {
    /// Behind a first frame, what is left of a packet is used for another one only if it is more than this:
    /// slivers cost both sides more than they carry.
    private static var sliver: Int { 32 }

    /// Whether there is stream data that may go out under the connection's and its stream's credit.
    var hasStreamDataToSend: Bool { schedule.isReady(withCredit: sendCredit.remaining > 0) }

    /// Fills the packet with STREAM frames, and appends what became part of it to `records`.
    ///
    /// A frame that reaches the end of the writer has no length: nothing may be written behind it.
    mutating func writeStreamFrames(into writer: inout ByteWriter, records: inout SentFrameList) {
        guard let leader = schedule.next(withCredit: sendCredit.remaining > 0) else { return }
        schedule.beginTurn(of: leader)
        var slot: Int? = leader
        while let current = slot, writeStreamFrame(of: current, into: &writer, &records) {
            slot = writer.remaining > Self.sliver ? schedule.next(withCredit: sendCredit.remaining > 0) : nil
        }
        schedule.endTurn(of: leader)
        noteConnectionBlocked()
    }

    private mutating func writeStreamFrame(
        of slot: Int, into writer: inout ByteWriter, _ records: inout SentFrameList
    ) -> Bool {
        let id = table.slots[slot].id
        guard
            let sent = table.slots[slot].sending.writeFrame(
                of: id, into: &writer, connectionCredit: sendCredit.remaining)
        else { return false }
        records.append(sent.record)
        sendCredit.use(sent.newBytes)
        if table.slots[slot].sending.takeRoomNotice(limits) { post(.writable, slot) }
        reschedule(slot)
        return true
    }

    /// Tells the peer, once for each limit, that its credit keeps data back (RFC 9000 section 4.1).
    mutating func noteConnectionBlocked() {
        if schedule.hasFreshData, sendCredit.takeBlockedNotice() { controlFrames.insert(.dataBlocked) }
    }
}
