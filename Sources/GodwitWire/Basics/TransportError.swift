/// A transport error code (RFC 9000 section 20.1).
@frozen
public struct TransportErrorCode: RawRepresentable, Hashable, Sendable, Codable {
    /// The code as CONNECTION_CLOSE carries it, at most 2^62 - 1.
    public var rawValue: UInt64

    /// The code with that value.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The connection is closed without an error.
    public static let noError = TransportErrorCode(rawValue: 0x00)
    /// The endpoint that closes failed by itself.
    public static let internalError = TransportErrorCode(rawValue: 0x01)
    /// The server does not want the connection.
    public static let connectionRefused = TransportErrorCode(rawValue: 0x02)
    /// More data came than was allowed (RFC 9000 section 4).
    public static let flowControlError = TransportErrorCode(rawValue: 0x03)
    /// More streams were opened than was allowed (RFC 9000 section 4.6).
    public static let streamLimitError = TransportErrorCode(rawValue: 0x04)
    /// A frame came for a stream that was in no state for it.
    public static let streamStateError = TransportErrorCode(rawValue: 0x05)
    /// The final size of a stream changed or was exceeded (RFC 9000 section 4.5).
    public static let finalSizeError = TransportErrorCode(rawValue: 0x06)
    /// A frame could not be decoded.
    public static let frameEncodingError = TransportErrorCode(rawValue: 0x07)
    /// The transport parameters were malformed, forbidden or wrong (RFC 9000 section 7.4).
    public static let transportParameterError = TransportErrorCode(rawValue: 0x08)
    /// More connection ids were given than was allowed (RFC 9000 section 5.1.1).
    public static let connectionIDLimitError = TransportErrorCode(rawValue: 0x09)
    /// A rule of the protocol was broken that no other code covers.
    public static let protocolViolation = TransportErrorCode(rawValue: 0x0a)
    /// An Initial packet carried a token that is not valid (RFC 9000 section 8.1.2).
    public static let invalidToken = TransportErrorCode(rawValue: 0x0b)
    /// The application closed the connection before its own codes may be shown (RFC 9000 section 10.2.3).
    public static let applicationError = TransportErrorCode(rawValue: 0x0c)
    /// More CRYPTO data came than can be kept (RFC 9000 section 7.5).
    public static let cryptoBufferExceeded = TransportErrorCode(rawValue: 0x0d)
    /// Keys were updated against the rules (RFC 9001 section 6).
    public static let keyUpdateError = TransportErrorCode(rawValue: 0x0e)
    /// The keys have protected or failed to open as many packets as is safe (RFC 9001 section 6.6).
    public static let aeadLimitReached = TransportErrorCode(rawValue: 0x0f)
    /// No path is left over which the connection could go on (RFC 9000 section 9).
    public static let noViablePath = TransportErrorCode(rawValue: 0x10)
    /// The version in use is not the one that both would have chosen (RFC 9368 section 4).
    public static let versionNegotiationError = TransportErrorCode(rawValue: 0x11)

    /// A TLS alert as a QUIC error (RFC 9001 section 4.8).
    @inlinable
    public static func cryptoError(alert: UInt8) -> TransportErrorCode {
        TransportErrorCode(rawValue: 0x0100 + UInt64(alert))
    }

    /// The TLS alert that this code carries, if it is one of the range for them.
    @inlinable
    public var tlsAlert: UInt8? { 0x0100...0x01ff ~= rawValue ? UInt8(truncatingIfNeeded: rawValue) : nil }
}

/// A reason to close the connection that the transport itself found.
@frozen
public struct TransportError: Error, Hashable, Sendable, Codable {
    /// What kind of error it is.
    public var code: TransportErrorCode
    /// The type of the frame that was at fault, 0 when there was none.
    public var frameType: UInt64
    /// What the peer did, in words; sent as the reason phrase.
    public var reason: String

    /// An error of kind `code`.
    public init(_ code: TransportErrorCode, _ reason: String, frameType: UInt64 = 0) {
        self.code = code
        self.frameType = frameType
        self.reason = reason
    }
}

extension TransportErrorCode: CustomStringConvertible {
    /// The name in the registry, or the number when it has none.
    public var description: String {
        let names = [
            "NO_ERROR", "INTERNAL_ERROR", "CONNECTION_REFUSED", "FLOW_CONTROL_ERROR", "STREAM_LIMIT_ERROR",
            "STREAM_STATE_ERROR", "FINAL_SIZE_ERROR", "FRAME_ENCODING_ERROR", "TRANSPORT_PARAMETER_ERROR",
            "CONNECTION_ID_LIMIT_ERROR", "PROTOCOL_VIOLATION", "INVALID_TOKEN", "APPLICATION_ERROR",
            "CRYPTO_BUFFER_EXCEEDED", "KEY_UPDATE_ERROR", "AEAD_LIMIT_REACHED", "NO_VIABLE_PATH",
            "VERSION_NEGOTIATION_ERROR",
        ]
        if rawValue < UInt64(names.count) { return names[Int(rawValue)] }
        if let tlsAlert { return "CRYPTO_ERROR (TLS alert \(tlsAlert))" }
        return "0x" + String(rawValue, radix: 16)
    }
}
