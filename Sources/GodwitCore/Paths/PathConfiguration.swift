import GodwitWire

/// What the paths of a connection begin with, and how many there may be.
struct PathConfiguration: Codable, Sendable {
    var congestionAlgorithm = CongestionAlgorithm.cubic
    /// The round-trip time assumed on a path without a sample.
    var initialRTT = RTTEstimator.defaultInitialRTT
    /// The timer granularity of probe timeouts where a round trip was measured.
    var granularity = RTTEstimator.granularity
    var usesECN = true
    /// The largest UDP payloads that MTU discovery tries, in bytes: what an Ethernet frame of 1500 has left.
    var maximumPayloadIPv4 = 1472
    var maximumPayloadIPv6 = 1452
    /// How many paths a connection has at most, the active one included; at least 3.
    var maximumPaths = 8
    /// How many of them may be addresses that the peer has not yet been shown to own.
    var maximumUnvalidatedPaths = 4
    /// Whether challenges are expanded to 1200 bytes (RFC 9000 section 8.2.1). The thesis's client does not.
    var padsChallenges = true
    /// How many paths packets from new addresses may open at once, and how often one more after that.
    var pathBurst = 8
    var pathInterval = TimeSpan.milliseconds(100)
    /// How long a validated path is remembered once another has replaced it, so that a peer that comes back
    /// finds its congestion state and need not be validated again (RFC 9000 section 9.3).
    var idlePathLifetime = TimeSpan.seconds(10)
    /// Whether to migrate although the peer uses no connection ids, so that whoever watches can tell that it
    /// is the same connection (RFC 9000 section 9.5).
    var allowsLinkableMigration = false

    func maximumPayload(to remote: NetworkAddress) -> Int {
        remote.isIPv4 ? maximumPayloadIPv4 : maximumPayloadIPv6
    }
}

/// What went over one path, in UDP datagrams and payload bytes.
struct PathStatistics: Codable, Sendable, Equatable {
    var datagramsSent: UInt64 = 0
    var bytesSent: UInt64 = 0
    var datagramsReceived: UInt64 = 0
    var bytesReceived: UInt64 = 0
    var challengesReceived: UInt64 = 0
    var responsesSent: UInt64 = 0
}
