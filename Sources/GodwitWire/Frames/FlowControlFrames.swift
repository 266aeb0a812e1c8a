/// The frames of RFC 9000 sections 19.9 to 19.14.
extension Frame {
    @inlinable
    static func decodeFlowControl(
        type: UInt64, from reader: inout ByteReader
    ) throws(TransportError) -> Frame {
        switch type {
        case FrameType.maxData: return .maxData(try reader.varint(of: type))
        case FrameType.maxStreamData:
            let id = StreamID(rawValue: try reader.varint(of: type))
            return .maxStreamData(id, maximum: try reader.varint(of: type))
        case FrameType.dataBlocked: return .dataBlocked(limit: try reader.varint(of: type))
        case FrameType.streamDataBlocked:
            let id = StreamID(rawValue: try reader.varint(of: type))
            return .streamDataBlocked(id, limit: try reader.varint(of: type))
        case FrameType.maxStreamsBidirectional, FrameType.maxStreamsUnidirectional:
            return .maxStreams(direction(of: type), maximum: try reader.streamCount(of: type))
        default: return .streamsBlocked(direction(of: type), limit: try reader.streamCount(of: type))
        }
    }

    @inlinable
    static func direction(of type: UInt64) -> StreamID.Direction {
        type & 1 == 0 ? .bidirectional : .unidirectional
    }
}

extension ByteReader {
    /// More than 2^60 streams would have ids that no frame can carry (RFC 9000 sections 19.11 and 19.14).
    @inlinable
    mutating func streamCount(of frameType: UInt64) throws(TransportError) -> UInt64 {
        let count = try varint(of: frameType)
        guard count <= StreamID.maxCount else {
            throw .malformedFrame("the count of streams is above 2^60", type: frameType)
        }
        return count
    }
}
