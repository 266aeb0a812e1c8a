extension Frame {
    /// Decodes the next frame of a packet of `level`.
    ///
    /// - Throws: `FRAME_ENCODING_ERROR` when the frame is malformed or of a type that RFC 9000 and RFC 9221
    ///   don't know, `PROTOCOL_VIOLATION` when its type is not in its shortest form or has no place in such a
    ///   packet (RFC 9000 section 12.4).
    @inlinable
    public static func decode(
        _ reader: inout ByteReader, at level: EncryptionLevel
    ) throws(TransportError) -> Frame {
        let type = try FrameType.decode(&reader)
        return try decode(type: type, from: &reader, at: level)
    }

    /// Decodes the rest of a frame of a packet of `level`, whose type has been read with
    /// ``FrameType/decode(_:)``.
    ///
    /// - Throws: what ``decode(_:at:)`` throws of a frame whose type can be read.
    @inlinable
    public static func decode(
        type: UInt64, from reader: inout ByteReader, at level: EncryptionLevel
    ) throws(TransportError) -> Frame {
        guard FrameType.isAllowed(type, at: level) || !FrameType.isKnown(type) else {
            throw .misplacedFrame(type: type)
        }
        return try decode(type: type, from: &reader)
    }

    /// Decodes the next frame, whatever packet it is in.
    ///
    /// - Throws: `FRAME_ENCODING_ERROR` when the frame is malformed or of a type that RFC 9000 and RFC 9221
    ///   don't know, `PROTOCOL_VIOLATION` when its type is not in its shortest form (RFC 9000 section 12.4).
    @inlinable
    public static func decode(_ reader: inout ByteReader) throws(TransportError) -> Frame {
        let type = try FrameType.decode(&reader)
        return try decode(type: type, from: &reader)
    }

    /// Decodes the rest of a frame whose type has been read with ``FrameType/decode(_:)``.
    ///
    /// - Throws: `FRAME_ENCODING_ERROR` when the frame is malformed or of a type that RFC 9000 and RFC 9221
    ///   don't know (RFC 9000 section 12.4).
    @inlinable
    public static func decode(type: UInt64, from reader: inout ByteReader) throws(TransportError) -> Frame {
        switch type {
        case 0x00: return .padding(count: 1 + reader.skipZeros())
        case 0x01: return .ping
        case 0x02, 0x03: return .ack(try AckFrame.decode(type: type, from: &reader))
        case 0x06: return .crypto(try CryptoFrame.decode(from: &reader))
        case 0x08...0x0f: return .stream(try StreamFrame.decode(type: type, from: &reader))
        case 0x10...0x17: return try decodeFlowControl(type: type, from: &reader)
        case 0x30, 0x31: return .datagram(try DatagramFrame.decode(type: type, from: &reader))
        default: return try decodeRare(type: type, from: &reader)
        }
    }

    @usableFromInline
    static func decodeRare(type: UInt64, from reader: inout ByteReader) throws(TransportError) -> Frame {
        switch type {
        case 0x04: return .resetStream(try ResetStreamFrame.decode(from: &reader))
        case 0x05: return .stopSending(try StopSendingFrame.decode(from: &reader))
        case 0x07: return .newToken(try decodeToken(from: &reader))
        case 0x18: return .newConnectionID(try NewConnectionIDFrame.decode(from: &reader))
        case 0x19: return .retireConnectionID(sequenceNumber: try reader.varint(of: type))
        case 0x1a: return .pathChallenge(try reader.pathData(of: type))
        case 0x1b: return .pathResponse(try reader.pathData(of: type))
        case 0x1c, 0x1d: return .connectionClose(try ConnectionCloseFrame.decode(type: type, from: &reader))
        case 0x1e: return .handshakeDone
        default: throw .malformedFrame("the frame type is unknown", type: type)
        }
    }
}

extension ByteReader {
    @inlinable
    mutating func varint(of frameType: UInt64) throws(TransportError) -> UInt64 {
        guard let value = readVarint() else { throw .cutOffFrame(type: frameType) }
        return value
    }

    @inlinable
    mutating func lengthPrefixedBytes(of frameType: UInt64) throws(TransportError) -> UnsafeRawBufferPointer {
        guard let bytes = readLengthPrefixedBytes() else { throw .cutOffFrame(type: frameType) }
        return bytes
    }
}

/// Errors are rare; building them out of line keeps the decoders small enough to be inlined.
extension TransportError {
    @usableFromInline
    @inline(never)
    static func cutOffFrame(type: UInt64) -> TransportError {
        TransportError(.frameEncodingError, "the frame is cut off", frameType: type)
    }

    @usableFromInline
    @inline(never)
    static func malformedFrame(_ reason: StaticString, type: UInt64) -> TransportError {
        TransportError(.frameEncodingError, "\(reason)", frameType: type)
    }

    @usableFromInline
    @inline(never)
    static func misplacedFrame(type: UInt64) -> TransportError {
        TransportError(.protocolViolation, "the frame has no place in a packet of this type", frameType: type)
    }
}
