/// A RESET_STREAM frame (RFC 9000 section 19.4).
@frozen
public struct ResetStreamFrame: Hashable, Sendable {
    /// The stream whose sending part is abandoned.
    public var id: StreamID
    /// Why, in a code of the application.
    public var errorCode: UInt64
    /// How many bytes of the stream count for flow control.
    public var finalSize: UInt64

    /// A frame that abandons sending on `id`.
    @inlinable
    public init(id: StreamID, errorCode: UInt64, finalSize: UInt64) {
        self.id = id
        self.errorCode = errorCode
        self.finalSize = finalSize
    }
}

/// A STOP_SENDING frame (RFC 9000 section 19.5).
@frozen
public struct StopSendingFrame: Hashable, Sendable {
    /// The stream of which nothing more is wanted.
    public var id: StreamID
    /// Why, in a code of the application.
    public var errorCode: UInt64

    /// A frame that asks the peer to abandon sending on `id`.
    @inlinable
    public init(id: StreamID, errorCode: UInt64) {
        self.id = id
        self.errorCode = errorCode
    }
}

extension ResetStreamFrame {
    static func decode(from reader: inout ByteReader) throws(TransportError) -> ResetStreamFrame {
        let id = StreamID(rawValue: try reader.varint(of: FrameType.resetStream))
        let errorCode = try reader.varint(of: FrameType.resetStream)
        let finalSize = try reader.varint(of: FrameType.resetStream)
        return ResetStreamFrame(id: id, errorCode: errorCode, finalSize: finalSize)
    }

    /// How many bytes ``encode(into:)`` writes.
    public var encodedSize: Int {
        1 + VariableLengthInteger.size(id.rawValue) + VariableLengthInteger.size(errorCode)
            + VariableLengthInteger.size(finalSize)
    }

    /// Writes the frame. The caller has checked that ``encodedSize`` bytes fit.
    public func encode(into writer: inout ByteWriter) {
        writer.writeVarint(FrameType.resetStream)
        writer.writeVarint(id.rawValue)
        writer.writeVarint(errorCode)
        writer.writeVarint(finalSize)
    }
}

extension StopSendingFrame {
    static func decode(from reader: inout ByteReader) throws(TransportError) -> StopSendingFrame {
        let id = StreamID(rawValue: try reader.varint(of: FrameType.stopSending))
        return StopSendingFrame(id: id, errorCode: try reader.varint(of: FrameType.stopSending))
    }

    /// How many bytes ``encode(into:)`` writes.
    public var encodedSize: Int {
        1 + VariableLengthInteger.size(id.rawValue) + VariableLengthInteger.size(errorCode)
    }

    /// Writes the frame. The caller has checked that ``encodedSize`` bytes fit.
    public func encode(into writer: inout ByteWriter) {
        writer.writeVarint(FrameType.stopSending)
        writer.writeVarint(id.rawValue)
        writer.writeVarint(errorCode)
    }
}
