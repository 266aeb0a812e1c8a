package import Godwit

/// What `mhq perf client` is to do.
public struct PerfPlan: Sendable {
    /// How many bytes each stream downloads.
    public var download: UInt64 = 0
    /// How many bytes each stream uploads.
    public var upload: UInt64 = 0
    /// How many streams run at once.
    public var parallel = 1
    /// How many streams there are in all.
    public var count = 1
    /// How many connections are made one after the other before, to measure handshakes.
    public var handshakes = 0

    /// Nothing to do yet.
    public init() {}
}

/// What was measured.
public struct PerfReport: Sendable, Codable {
    /// How many bytes all streams downloaded.
    public var downloadBytes: UInt64
    /// How many bytes all streams uploaded.
    public var uploadBytes: UInt64
    /// How many streams there were.
    public var requests: Int
    /// How many connections were made for them; 0 when one that was there already carried them all.
    public var handshakes: Int
    /// How long it took.
    public var seconds: Double
    /// Both directions together.
    public var megabitsPerSecond: Double
    /// Streams a second.
    public var requestsPerSecond: Double
    /// The CPU time of the client's process, user and system together.
    public var clientCPUSeconds: Double
    /// The CPU time of the server's process, user and system together.
    public var serverCPUSeconds: Double
    /// The client's CPU seconds per 10^9 bytes, both directions together; nil if there were none.
    public var clientCPUPerGB: Double?
    /// The server's CPU seconds per 10^9 bytes, both directions together; nil if there were none.
    public var serverCPUPerGB: Double?
    /// The client's microseconds of CPU a request, or a handshake with its request.
    public var clientCPUPerRequest: Double
    /// The server's microseconds of CPU a request, or a handshake with its request.
    public var serverCPUPerRequest: Double
    /// How many packets the client found lost.
    public var packetsLost: UInt64
    /// The size of the client's datagrams that path MTU discovery arrived at, in bytes.
    public var udpPayloadSize: Int
}

/// What the clocks showed at one moment.
package struct PerfMeasurement: Sendable {
    private let clock = ContinuousClock.now
    private let client = PerfProtocol.processCPUTime
    private let server: Duration

    /// A measurement of this process, now.
    ///
    /// - Parameter serverMicroseconds: the CPU time that the server has just told.
    package init(serverMicroseconds: UInt64) { server = .microseconds(serverMicroseconds) }

    func seconds(since earlier: PerfMeasurement) -> (clock: Double, client: Double, server: Double) {
        (
            (clock - earlier.clock).inSeconds, (client - earlier.client).inSeconds,
            (server - earlier.server).inSeconds
        )
    }
}

extension PerfReport {
    /// What a plan took that was carried out between two measurements.
    package init(
        _ plan: PerfPlan, from start: PerfMeasurement, to end: PerfMeasurement,
        _ statistics: ConnectionStatistics
    ) {
        let (seconds, client, server) = end.seconds(since: start)
        requests = plan.handshakes > 0 ? plan.handshakes : plan.count
        handshakes = plan.handshakes
        downloadBytes = plan.download * UInt64(requests)
        uploadBytes = plan.upload * UInt64(requests)
        self.seconds = seconds
        let bytes = Double(downloadBytes + uploadBytes)
        megabitsPerSecond = bytes * 8 / 1e6 / seconds
        requestsPerSecond = Double(requests) / seconds
        (clientCPUSeconds, serverCPUSeconds) = (client, server)
        clientCPUPerGB = bytes > 0 ? client / (bytes / 1e9) : nil
        serverCPUPerGB = bytes > 0 ? server / (bytes / 1e9) : nil
        clientCPUPerRequest = client * 1e6 / Double(requests)
        serverCPUPerRequest = server * 1e6 / Double(requests)
        packetsLost = statistics.packetsLost
        udpPayloadSize = statistics.udpPayloadSize
    }
}
