/// A transport error code (RFC 9000 section 20.1).
@frozen
public struct TransportErrorCode: RawRepresentable, Hashable, Sendable, Codable {
    public var rawValue: UInt64
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let noError = TransportErrorCode(rawValue: 0x00)
    public static let internalError = TransportErrorCode(rawValue: 0x01)
    public static let connectionRefused = TransportErrorCode(rawValue: 0x02)
    public static let flowControlError = TransportErrorCode(rawValue: 0x03)
    public static let streamLimitError = TransportErrorCode(rawValue: 0x04)
    public static let streamStateError = TransportErrorCode(rawValue: 0x05)
    public static let finalSizeError = TransportErrorCode(rawValue: 0x06)
    public static let frameEncodingError = TransportErrorCode(rawValue: 0x07)
    public static let transportParameterError = TransportErrorCode(rawValue: 0x08)
    public static let connectionIDLimitError = TransportErrorCode(rawValue: 0x09)
    public static let protocolViolation = TransportErrorCode(rawValue: 0x0a)
    public static let invalidToken = TransportErrorCode(rawValue: 0x0b)
    public static let applicationError = TransportErrorCode(rawValue: 0x0c)
    public static let cryptoBufferExceeded = TransportErrorCode(rawValue: 0x0d)
    public static let keyUpdateError = TransportErrorCode(rawValue: 0x0e)
    public static let aeadLimitReached = TransportErrorCode(rawValue: 0x0f)
    public static let noViablePath = TransportErrorCode(rawValue: 0x10)
    /// RFC 9368 section 4.
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
public struct TransportError: Error, Hashable, Sendable {
    public var code: TransportErrorCode
    /// The type of the frame that was at fault, 0 when there was none.
    public var frameType: UInt64
    /// What the peer did, in words; sent as the reason phrase.
    public var reason: String

    public init(_ code: TransportErrorCode, _ reason: String, frameType: UInt64 = 0) {
        self.code = code
        self.frameType = frameType
        self.reason = reason
    }
}

extension TransportErrorCode: CustomStringConvertible {
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
