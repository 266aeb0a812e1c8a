/// What RFC 9000 says about frames by their type alone (table 3 of section 12.4). Every type it knows is
/// below 64, so that a set of types is a word.
extension FrameType {
    /// Whether ``Frame`` has a case for the type.
    @inlinable
    public static func isKnown(_ type: UInt64) -> Bool { type < 64 && known >> type & 1 == 1 }

    /// Whether a frame of the type may stand in a packet of `level` (RFC 9000 sections 12.4 and 12.5). False
    /// for types of extensions, whose own documents say where they may stand.
    @inlinable
    public static func isAllowed(_ type: UInt64, at level: EncryptionLevel) -> Bool {
        guard type < 64 else { return false }
        switch level {
        case .initial, .handshake: return handshaking >> type & 1 == 1
        case .earlyData: return (known & ~notInEarlyData) >> type & 1 == 1
        case .oneRTT: return known >> type & 1 == 1
        }
    }

    /// Whether a packet with a frame of the type has to be acknowledged (RFC 9000 section 13.2): all but ACK,
    /// PADDING and CONNECTION_CLOSE, those of extensions included.
    @inlinable
    public static func isAckEliciting(_ type: UInt64) -> Bool {
        type >= 64 || notAckEliciting >> type & 1 == 0
    }

    /// Whether the type is one of those that alone make a packet a probing one (RFC 9000 section 9.1).
    @inlinable
    public static func isProbing(_ type: UInt64) -> Bool { type < 64 && probing >> type & 1 == 1 }

    @inlinable
    static var known: UInt64 { 0x0003_0000_7fff_ffff }
    /// PADDING, PING, ACK, CRYPTO and the CONNECTION_CLOSE of the transport: the application's would show its
    /// code to an observer (RFC 9000 section 10.2.3).
    @inlinable
    static var handshaking: UInt64 { 1 << 0x00 | 1 << 0x01 | 1 << 0x02 | 1 << 0x03 | 1 << 0x06 | 1 << 0x1c }
    /// ACK, CRYPTO, NEW_TOKEN, RETIRE_CONNECTION_ID, PATH_RESPONSE, HANDSHAKE_DONE: all answers to something
    /// that a client can't have received while it sends 0-RTT (RFC 9000 section 12.5).
    @inlinable
    static var notInEarlyData: UInt64 {
        1 << 0x02 | 1 << 0x03 | 1 << 0x06 | 1 << 0x07 | 1 << 0x19 | 1 << 0x1b | 1 << 0x1e
    }
    @inlinable
    static var notAckEliciting: UInt64 { 1 << 0x00 | 1 << 0x02 | 1 << 0x03 | 1 << 0x1c | 1 << 0x1d }
    /// PADDING, NEW_CONNECTION_ID, PATH_CHALLENGE, PATH_RESPONSE.
    @inlinable
    static var probing: UInt64 { 1 << 0x00 | 1 << 0x18 | 1 << 0x1a | 1 << 0x1b }
}

extension Frame {
    /// The type under which ``encode(into:)`` writes the frame. That of a decoded STREAM or DATAGRAM frame
    /// can have differed in whether it had a length.
    @inlinable
    public var type: UInt64 {
        switch self {
        case .padding: FrameType.padding
        case .ping: FrameType.ping
        case .ack(let frame): frame.type
        case .resetStream: FrameType.resetStream
        case .stopSending: FrameType.stopSending
        case .crypto: FrameType.crypto
        case .newToken: FrameType.newToken
        case .stream(let frame): frame.type
        case .maxData: FrameType.maxData
        case .maxStreamData: FrameType.maxStreamData
        case .maxStreams(.bidirectional, _): FrameType.maxStreamsBidirectional
        case .maxStreams(.unidirectional, _): FrameType.maxStreamsUnidirectional
        case .dataBlocked: FrameType.dataBlocked
        case .streamDataBlocked: FrameType.streamDataBlocked
        case .streamsBlocked(.bidirectional, _): FrameType.streamsBlockedBidirectional
        case .streamsBlocked(.unidirectional, _): FrameType.streamsBlockedUnidirectional
        case .newConnectionID: FrameType.newConnectionID
        case .retireConnectionID: FrameType.retireConnectionID
        case .pathChallenge: FrameType.pathChallenge
        case .pathResponse: FrameType.pathResponse
        case .connectionClose(let frame): frame.type
        case .handshakeDone: FrameType.handshakeDone
        case .datagram: FrameType.datagramWithLength
        }
    }

    /// Whether a packet with this frame has to be acknowledged (RFC 9000 section 13.2).
    @inlinable
    public var isAckEliciting: Bool { FrameType.isAckEliciting(type) }

    /// Whether a packet of only such frames probes a path without moving the connection to it (RFC 9000
    /// section 9.1).
    @inlinable
    public var isProbing: Bool { FrameType.isProbing(type) }

    /// Whether the frame may stand in a packet of `level` (RFC 9000 sections 12.4 and 12.5).
    @inlinable
    public func isAllowed(at level: EncryptionLevel) -> Bool { FrameType.isAllowed(type, at: level) }
}
