/// How a connection has fared, for people and metrics.
public struct ConnectionStatistics: Sendable, Hashable, Codable {
    public var packetsSent: UInt64 = 0
    public var packetsReceived: UInt64 = 0
    /// Packets declared lost.
    public var packetsLost: UInt64 = 0
    /// Packets that had been declared lost and were acknowledged later.
    public var spuriousLosses: UInt64 = 0
    /// UDP payload bytes.
    public var bytesSent: UInt64 = 0
    public var bytesReceived: UInt64 = 0
    /// Packets that could not be decrypted or were malformed.
    public var packetsDropped: UInt64 = 0
    public var probeTimeouts: UInt64 = 0
    public var keyUpdates: UInt64 = 0
    /// The active path's.
    public var smoothedRTT: Duration = .zero
    public var minRTT: Duration = .zero
    public var congestionWindow: UInt64 = 0
    public var bytesInFlight: UInt64 = 0
    public var udpPayloadSize: Int = 0
    public var pathsValidated: UInt64 = 0

    /// Zeros.
    public init() {}
}
