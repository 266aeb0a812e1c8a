/// How a connection has fared, for people and metrics.
public struct ConnectionStatistics: Sendable, Hashable, Codable {
    /// QUIC packets sent, all kinds.
    public var packetsSent: UInt64 = 0
    /// QUIC packets received that could be decrypted.
    public var packetsReceived: UInt64 = 0
    /// Packets declared lost.
    public var packetsLost: UInt64 = 0
    /// Packets that had been declared lost and were acknowledged later.
    public var spuriousLosses: UInt64 = 0
    /// Bytes of UDP payload sent.
    public var bytesSent: UInt64 = 0
    /// Bytes of UDP payload received.
    public var bytesReceived: UInt64 = 0
    /// Packets that could not be decrypted or were malformed.
    public var packetsDropped: UInt64 = 0
    /// How often the probe timer expired (RFC 9002 section 6.2).
    public var probeTimeouts: UInt64 = 0
    /// Key updates begun by either side (RFC 9001 section 6).
    public var keyUpdates: UInt64 = 0
    /// The active path's smoothed round-trip time (RFC 9002 section 5.3).
    public var smoothedRTT: Duration = .zero
    /// The active path's least round-trip time (RFC 9002 section 5.2).
    public var minRTT: Duration = .zero
    /// The active path's congestion window, in bytes.
    public var congestionWindow: UInt64 = 0
    /// Bytes sent on the active path that are neither acknowledged nor lost.
    public var bytesInFlight: UInt64 = 0
    /// The size of a full datagram on the active path, in bytes of UDP payload (RFC 8899).
    public var udpPayloadSize: Int = 0
    /// Paths validated after the handshake (RFC 9000 section 8.2).
    public var pathsValidated: UInt64 = 0

    /// Zeros.
    public init() {}
}
