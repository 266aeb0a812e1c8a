import GodwitWire

/// The header of a STREAM frame that is about to be written, fitted to the space there is.
struct StreamFrameHeader {
    let id: StreamID
    let offset: UInt64
    let length: Int
    let fin: Bool
    private let hasLength: Bool

    /// Takes as many of `available` bytes as fit. Nil when that is none, unless there is nothing but an end
    /// to send.
    ///
    /// - Parameter end: the final size of a stream that has one, which the frame announces if it reaches it.
    init?(id: StreamID, offset: UInt64, available: UInt64, end: UInt64?, space: Int) {
        let room = space - StreamFrame.headerSize(id: id, offset: offset, length: nil)
        guard room > 0, available > 0 || end == offset else { return nil }
        self.id = id
        self.offset = offset
        if available >= UInt64(room) {
            // RFC 9000 section 19.8: the last frame of a packet may leave out its length.
            hasLength = false
            length = room
        } else {
            hasLength = true
            length = min(Int(available), room - VariableLengthInteger.size(available))
            guard length > 0 || available == 0 else { return nil }
        }
        fin = end == offset + UInt64(length)
    }

    func encode(into writer: inout ByteWriter) {
        StreamFrame.encodeHeader(
            id: id, offset: offset, length: hasLength ? length : nil, fin: fin, into: &writer)
    }
}
