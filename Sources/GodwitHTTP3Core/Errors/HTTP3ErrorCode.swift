/// An error code of HTTP/3 (RFC 9114 section 8.1, RFC 9204 section 6, RFC 9297 section 2.1).
///
/// It stands in RESET_STREAM, STOP_SENDING and CONNECTION_CLOSE as the application's code. A code that nobody
/// knows means the same as ``noError`` (RFC 9114 section 9).
@frozen
public struct HTTP3ErrorCode: RawRepresentable, Hashable, Sendable, Codable {
    /// The code as frames of QUIC carry it, at most 2^62 - 1.
    public var rawValue: UInt64

    /// The code with that value.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// H3_DATAGRAM_ERROR: a datagram or its setting broke the rules (RFC 9297 section 2.1).
    public static let datagramError = HTTP3ErrorCode(rawValue: 0x33)
    /// H3_NO_ERROR: the connection or stream is closed without an error.
    public static let noError = HTTP3ErrorCode(rawValue: 0x0100)
    /// H3_GENERAL_PROTOCOL_ERROR: a rule was broken that no other code covers.
    public static let generalProtocolError = HTTP3ErrorCode(rawValue: 0x0101)
    /// H3_INTERNAL_ERROR: whoever closes failed by itself.
    public static let internalError = HTTP3ErrorCode(rawValue: 0x0102)
    /// H3_STREAM_CREATION_ERROR: the peer created a stream that is not accepted.
    public static let streamCreationError = HTTP3ErrorCode(rawValue: 0x0103)
    /// H3_CLOSED_CRITICAL_STREAM: a stream that the connection needs was closed or reset.
    public static let closedCriticalStream = HTTP3ErrorCode(rawValue: 0x0104)
    /// H3_FRAME_UNEXPECTED: a frame came where or when it is not allowed.
    public static let frameUnexpected = HTTP3ErrorCode(rawValue: 0x0105)
    /// H3_FRAME_ERROR: a frame does not have the layout or size of its type.
    public static let frameError = HTTP3ErrorCode(rawValue: 0x0106)
    /// H3_EXCESSIVE_LOAD: the peer behaves in a way that might be meant to exhaust us.
    public static let excessiveLoad = HTTP3ErrorCode(rawValue: 0x0107)
    /// H3_ID_ERROR: a stream id or push id was used wrongly.
    public static let idError = HTTP3ErrorCode(rawValue: 0x0108)
    /// H3_SETTINGS_ERROR: the payload of a SETTINGS frame is wrong.
    public static let settingsError = HTTP3ErrorCode(rawValue: 0x0109)
    /// H3_MISSING_SETTINGS: the control stream does not begin with SETTINGS.
    public static let missingSettings = HTTP3ErrorCode(rawValue: 0x010a)
    /// H3_REQUEST_REJECTED: the server did not process the request; it is safe to send it again elsewhere.
    public static let requestRejected = HTTP3ErrorCode(rawValue: 0x010b)
    /// H3_REQUEST_CANCELLED: the request or its response is no longer wanted.
    public static let requestCancelled = HTTP3ErrorCode(rawValue: 0x010c)
    /// H3_REQUEST_INCOMPLETE: the client's stream ended before a whole request.
    public static let requestIncomplete = HTTP3ErrorCode(rawValue: 0x010d)
    /// H3_MESSAGE_ERROR: a message is malformed.
    public static let messageError = HTTP3ErrorCode(rawValue: 0x010e)
    /// H3_CONNECT_ERROR: the connection made for a CONNECT request was reset or closed abnormally.
    public static let connectError = HTTP3ErrorCode(rawValue: 0x010f)
    /// H3_VERSION_FALLBACK: the peer should try again over HTTP/1.1.
    public static let versionFallback = HTTP3ErrorCode(rawValue: 0x0110)
    /// QPACK_DECOMPRESSION_FAILED: a field section can't be decoded (RFC 9204 section 6).
    public static let qpackDecompressionFailed = HTTP3ErrorCode(rawValue: 0x0200)
    /// QPACK_ENCODER_STREAM_ERROR: an instruction on the encoder stream is wrong (RFC 9204 section 6).
    public static let qpackEncoderStreamError = HTTP3ErrorCode(rawValue: 0x0201)
    /// QPACK_DECODER_STREAM_ERROR: an instruction on the decoder stream is wrong (RFC 9204 section 6).
    public static let qpackDecoderStreamError = HTTP3ErrorCode(rawValue: 0x0202)
}

extension HTTP3ErrorCode: CustomStringConvertible {
    /// The name that the RFCs give the code, or its number.
    public var description: String { name ?? "0x" + String(rawValue, radix: 16) }

    private var name: String? {
        switch rawValue {
        case 0x33: "H3_DATAGRAM_ERROR"
        case 0x0100: "H3_NO_ERROR"
        case 0x0101: "H3_GENERAL_PROTOCOL_ERROR"
        case 0x0102: "H3_INTERNAL_ERROR"
        case 0x0103: "H3_STREAM_CREATION_ERROR"
        case 0x0104: "H3_CLOSED_CRITICAL_STREAM"
        case 0x0105: "H3_FRAME_UNEXPECTED"
        case 0x0106: "H3_FRAME_ERROR"
        case 0x0107: "H3_EXCESSIVE_LOAD"
        case 0x0108: "H3_ID_ERROR"
        case 0x0109: "H3_SETTINGS_ERROR"
        case 0x010a: "H3_MISSING_SETTINGS"
        case 0x010b: "H3_REQUEST_REJECTED"
        case 0x010c: "H3_REQUEST_CANCELLED"
        case 0x010d: "H3_REQUEST_INCOMPLETE"
        case 0x010e: "H3_MESSAGE_ERROR"
        case 0x010f: "H3_CONNECT_ERROR"
        case 0x0110: "H3_VERSION_FALLBACK"
        case 0x0200: "QPACK_DECOMPRESSION_FAILED"
        case 0x0201: "QPACK_ENCODER_STREAM_ERROR"
        case 0x0202: "QPACK_DECODER_STREAM_ERROR"
        default: nil
        }
    }
}
