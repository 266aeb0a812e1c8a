/// A CONNECTION_CLOSE frame of either kind (RFC 9000 section 19.19).
@frozen
public struct ConnectionCloseFrame {
    /// True for type 0x1d, whose code is the application's.
    public var isApplication: Bool
    /// Why the connection is closed, in a code of the transport or of the application.
    public var errorCode: UInt64
    /// The type of the frame that was at fault; 0 when unknown and for application closes.
    public var frameType: UInt64
    /// Why the connection is closed, for people: UTF-8 if the peer keeps to the RFC, possibly empty.
    public var reason: UnsafeRawBufferPointer

    /// A frame of either kind.
    @inlinable
    public init(isApplication: Bool, errorCode: UInt64, frameType: UInt64, reason: UnsafeRawBufferPointer) {
        self.isApplication = isApplication
        self.errorCode = errorCode
        self.frameType = frameType
        self.reason = reason
    }

    /// The reason as text, with what is not UTF-8 replaced.
    public var reasonText: String { String(decoding: reason, as: UTF8.self) }

    /// What may be said in an Initial or Handshake packet in place of this frame: the application's code and
    /// the reason are not for observers (RFC 9000 section 10.2.3).
    public var concealed: ConnectionCloseFrame {
        guard isApplication else { return self }
        return ConnectionCloseFrame(
            isApplication: false, errorCode: TransportErrorCode.applicationError.rawValue, frameType: 0,
            reason: UnsafeRawBufferPointer(start: nil, count: 0))
    }
}

extension ConnectionCloseFrame {
    static func decode(type: UInt64, from reader: inout ByteReader) throws(TransportError)
        -> ConnectionCloseFrame
    {
        let isApplication = type == FrameType.connectionCloseApplication
        let errorCode = try reader.varint(of: type)
        let frameType = isApplication ? 0 : try reader.varint(of: type)
        return ConnectionCloseFrame(
            isApplication: isApplication, errorCode: errorCode, frameType: frameType,
            reason: try reader.lengthPrefixedBytes(of: type))
    }

    /// 0x1d for an application's close, else 0x1c.
    public var type: UInt64 {
        isApplication ? FrameType.connectionCloseApplication : FrameType.connectionCloseTransport
    }

    /// How many bytes ``encode(into:)`` writes.
    public var encodedSize: Int {
        sizeBeforeReason + VariableLengthInteger.size(UInt64(reason.count)) + reason.count
    }

    /// Writes the frame. The caller has checked that ``encodedSize`` bytes fit.
    public func encode(into writer: inout ByteWriter) {
        writer.writeVarint(type)
        writer.writeVarint(errorCode)
        if !isApplication { writer.writeVarint(frameType) }
        writer.writeLengthPrefixedBytes(reason)
    }

    /// The frame with as much of its reason as makes it fit into `space` bytes, cut between characters; nil
    /// when it does not fit even without.
    public func fitting(_ space: Int) -> ConnectionCloseFrame? {
        guard let capacity = VariableLengthInteger.prefixedCapacity(space - sizeBeforeReason) else {
            return nil
        }
        guard capacity < reason.count else { return self }
        var end = capacity
        while end > 0, reason[end] & 0b1100_0000 == 0b1000_0000 { end -= 1 }
        var frame = self
        frame.reason = UnsafeRawBufferPointer(rebasing: reason[..<end])
        return frame
    }

    private var sizeBeforeReason: Int {
        1 + VariableLengthInteger.size(errorCode)
            + (isApplication ? 0 : VariableLengthInteger.size(frameType))
    }
}
