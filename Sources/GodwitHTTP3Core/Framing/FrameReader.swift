import GodwitWire

/// Where a stream of frames stands (RFC 9114 section 7.1): in a frame's header or so far into its payload.
struct FrameReader: Hashable, Sendable, Codable {
    private enum Position: UInt8, Codable {
        case type
        case length
        case payload
    }

    /// The type of the frame whose payload comes next.
    private(set) var type = FrameType.data
    /// How many bytes of that payload are still to come.
    private(set) var remaining: UInt64 = 0
    private var position = Position.type
    private var integer = PartialInteger()

    /// Whether the header is complete, and the payload is not.
    var isInPayload: Bool { position == .payload }
    /// Whether no frame has begun: where a stream may end.
    var isBetweenFrames: Bool { position == .type && !integer.isBegun }

    /// Reads a frame's header; true when it is complete.
    mutating func readHeader(_ reader: inout ByteReader) -> Bool {
        if position == .type {
            guard let value = integer.read(&reader) else { return false }
            type = FrameType(rawValue: value)
            position = .length
        }
        guard let length = integer.read(&reader) else { return false }
        remaining = length
        position = .payload
        return true
    }

    /// The next bytes of the payload, as many as there are; ends the frame behind its last.
    mutating func readPayload(_ reader: inout ByteReader) -> UnsafeRawBufferPointer {
        let bytes = reader.rest
        let count = Int(min(UInt64(bytes.count), remaining))
        _ = reader.skip(count)
        remaining -= UInt64(count)
        if remaining == 0 { position = .type }
        return UnsafeRawBufferPointer(rebasing: bytes[..<count])
    }
}
