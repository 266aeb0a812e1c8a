/// The frame types of RFC 9000 section 19 and RFC 9221 section 4.
///
/// Those of an extension are not among them: ``decode(_:)`` reads the type alone, so that whoever knows an
/// extension takes its frames before ``Frame/decode(type:from:)`` would refuse them.
public enum FrameType {
    /// PADDING (RFC 9000 section 19.1).
    @inlinable
    public static var padding: UInt64 { 0x00 }
    /// PING (RFC 9000 section 19.2).
    @inlinable
    public static var ping: UInt64 { 0x01 }
    /// ACK without ECN counts (RFC 9000 section 19.3).
    @inlinable
    public static var ack: UInt64 { 0x02 }
    /// ACK with ECN counts (RFC 9000 section 19.3).
    @inlinable
    public static var ackECN: UInt64 { 0x03 }
    /// RESET_STREAM (RFC 9000 section 19.4).
    @inlinable
    public static var resetStream: UInt64 { 0x04 }
    /// STOP_SENDING (RFC 9000 section 19.5).
    @inlinable
    public static var stopSending: UInt64 { 0x05 }
    /// CRYPTO (RFC 9000 section 19.6).
    @inlinable
    public static var crypto: UInt64 { 0x06 }
    /// NEW_TOKEN (RFC 9000 section 19.7).
    @inlinable
    public static var newToken: UInt64 { 0x07 }
    /// STREAM with none of its bits; the type goes up to 0x0f (RFC 9000 section 19.8).
    @inlinable
    public static var stream: UInt64 { 0x08 }
    /// The bit of STREAM types that ends the stream.
    @inlinable
    public static var streamFinBit: UInt64 { 0x01 }
    /// The bit of STREAM types that says that there is a Length field.
    @inlinable
    public static var streamLengthBit: UInt64 { 0x02 }
    /// The bit of STREAM types that says that there is an Offset field.
    @inlinable
    public static var streamOffsetBit: UInt64 { 0x04 }
    /// MAX_DATA (RFC 9000 section 19.9).
    @inlinable
    public static var maxData: UInt64 { 0x10 }
    /// MAX_STREAM_DATA (RFC 9000 section 19.10).
    @inlinable
    public static var maxStreamData: UInt64 { 0x11 }
    /// MAX_STREAMS for bidirectional streams (RFC 9000 section 19.11).
    @inlinable
    public static var maxStreamsBidirectional: UInt64 { 0x12 }
    /// MAX_STREAMS for unidirectional streams (RFC 9000 section 19.11).
    @inlinable
    public static var maxStreamsUnidirectional: UInt64 { 0x13 }
    /// DATA_BLOCKED (RFC 9000 section 19.12).
    @inlinable
    public static var dataBlocked: UInt64 { 0x14 }
    /// STREAM_DATA_BLOCKED (RFC 9000 section 19.13).
    @inlinable
    public static var streamDataBlocked: UInt64 { 0x15 }
    /// STREAMS_BLOCKED for bidirectional streams (RFC 9000 section 19.14).
    @inlinable
    public static var streamsBlockedBidirectional: UInt64 { 0x16 }
    /// STREAMS_BLOCKED for unidirectional streams (RFC 9000 section 19.14).
    @inlinable
    public static var streamsBlockedUnidirectional: UInt64 { 0x17 }
    /// NEW_CONNECTION_ID (RFC 9000 section 19.15).
    @inlinable
    public static var newConnectionID: UInt64 { 0x18 }
    /// RETIRE_CONNECTION_ID (RFC 9000 section 19.16).
    @inlinable
    public static var retireConnectionID: UInt64 { 0x19 }
    /// PATH_CHALLENGE (RFC 9000 section 19.17).
    @inlinable
    public static var pathChallenge: UInt64 { 0x1a }
    /// PATH_RESPONSE (RFC 9000 section 19.18).
    @inlinable
    public static var pathResponse: UInt64 { 0x1b }
    /// CONNECTION_CLOSE with a code of the transport (RFC 9000 section 19.19).
    @inlinable
    public static var connectionCloseTransport: UInt64 { 0x1c }
    /// CONNECTION_CLOSE with a code of the application (RFC 9000 section 19.19).
    @inlinable
    public static var connectionCloseApplication: UInt64 { 0x1d }
    /// HANDSHAKE_DONE (RFC 9000 section 19.20).
    @inlinable
    public static var handshakeDone: UInt64 { 0x1e }
    /// DATAGRAM that reaches to the end of the packet (RFC 9221 section 4).
    @inlinable
    public static var datagram: UInt64 { 0x30 }
    /// DATAGRAM with a Length field (RFC 9221 section 4).
    @inlinable
    public static var datagramWithLength: UInt64 { 0x31 }
}

extension FrameType {
    /// Reads the type of the next frame.
    ///
    /// - Throws: `FRAME_ENCODING_ERROR` when it is cut off, `PROTOCOL_VIOLATION` when it is longer than it
    ///   need be (RFC 9000 section 12.4).
    @inlinable
    public static func decode(_ reader: inout ByteReader) throws(TransportError) -> UInt64 {
        guard let first = reader.peekUInt8(), first < 0x40 else { return try decodeLong(&reader) }
        _ = reader.skip(1)
        return UInt64(first)
    }

    @usableFromInline
    @inline(never)
    static func decodeLong(_ reader: inout ByteReader) throws(TransportError) -> UInt64 {
        let before = reader.remaining
        guard let type = reader.readVarint() else {
            throw .malformedFrame("the frame type is cut off", type: 0)
        }
        guard before - reader.remaining == VariableLengthInteger.size(type) else {
            throw TransportError(
                .protocolViolation, "the frame type is longer than it need be", frameType: type)
        }
        return type
    }
}
