/// The frame types of RFC 9000 section 19 and RFC 9221 section 4.
public enum FrameType {
    public static let padding: UInt64 = 0x00
    public static let ping: UInt64 = 0x01
    public static let ack: UInt64 = 0x02
    public static let ackECN: UInt64 = 0x03
    public static let resetStream: UInt64 = 0x04
    public static let stopSending: UInt64 = 0x05
    public static let crypto: UInt64 = 0x06
    public static let newToken: UInt64 = 0x07
    /// STREAM frames are 0x08 to 0x0f; the low bits are OFF (4), LEN (2) and FIN (1).
    public static let stream: UInt64 = 0x08
    public static let maxData: UInt64 = 0x10
    public static let maxStreamData: UInt64 = 0x11
    public static let maxStreamsBidirectional: UInt64 = 0x12
    public static let maxStreamsUnidirectional: UInt64 = 0x13
    public static let dataBlocked: UInt64 = 0x14
    public static let streamDataBlocked: UInt64 = 0x15
    public static let streamsBlockedBidirectional: UInt64 = 0x16
    public static let streamsBlockedUnidirectional: UInt64 = 0x17
    public static let newConnectionID: UInt64 = 0x18
    public static let retireConnectionID: UInt64 = 0x19
    public static let pathChallenge: UInt64 = 0x1a
    public static let pathResponse: UInt64 = 0x1b
    public static let connectionCloseTransport: UInt64 = 0x1c
    public static let connectionCloseApplication: UInt64 = 0x1d
    public static let handshakeDone: UInt64 = 0x1e
    public static let datagram: UInt64 = 0x30
    public static let datagramWithLength: UInt64 = 0x31
}
