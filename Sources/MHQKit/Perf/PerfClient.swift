import Foundation
import Godwit
import NIOCore
import NIOPosix

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
    /// Bytes of content received.
    public var downloadBytes: UInt64
    /// Bytes of content sent.
    public var uploadBytes: UInt64
    /// Streams that were answered.
    public var requests: Int
    /// Connections made one after the other.
    public var handshakes: Int
    /// How long it took.
    public var seconds: Double
    /// Content in both directions, in 10^6 bits a second.
    public var megabitsPerSecond: Double
    /// Streams answered a second.
    public var requestsPerSecond: Double
    /// The client's CPU time, in seconds.
    public var clientCPUSeconds: Double
    /// The server's CPU time, in seconds.
    public var serverCPUSeconds: Double
    /// CPU seconds per 10^9 bytes, both directions together.
    public var clientCPUPerGB: Double?
    /// CPU seconds per 10^9 bytes, both directions together.
    public var serverCPUPerGB: Double?
    /// Microseconds of CPU a request.
    public var clientCPUPerRequest: Double
    /// Microseconds of CPU a request.
    public var serverCPUPerRequest: Double
    /// Packets that the client declared lost.
    public var packetsLost: UInt64
    /// A full datagram's UDP payload, in bytes.
    public var udpPayloadSize: Int
}

/// The client of `mhq perf`.
public struct PerfClient: Sendable {
    let host: String
    let port: UInt16

    /// - Parameters:
    ///   - host: a name or an IP address; its certificate is not verified, only speed matters here.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Runs a plan against the server.
    public func run(_ plan: PerfPlan) async throws -> PerfReport {
        let configuration = try QUICClientConfiguration(
            applicationProtocols: [PerfProtocol.applicationProtocol], trust: .insecureNoVerification)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        if plan.handshakes > 0 { return try await measureHandshakes(plan, configuration, group) }
        return try await QUICConnection.connect(
            to: host, port: port, configuration: configuration, eventLoopGroup: group
        ) { connection in
            let before = try await Measurement.take(over: connection)
            try await PerfClient.exchange(plan, over: connection)
            let after = try await Measurement.take(over: connection)
            return await PerfClient.report(plan, before, after, connection)
        }
    }

    private static func exchange(_ plan: PerfPlan, over connection: QUICConnection) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for index in 0..<plan.parallel {
                let share = plan.count / plan.parallel + (index < plan.count % plan.parallel ? 1 : 0)
                tasks.addTask {
                    for _ in 0..<share { try await PerfClient.exchangeOne(plan, over: connection) }
                }
            }
            try await tasks.waitForAll()
        }
    }

    private static let chunk = ByteBuffer(repeating: 0xa5, count: 64 << 10)

    private static func exchangeOne(_ plan: PerfPlan, over connection: QUICConnection) async throws {
        let stream = try await connection.openStream()
        let request = ByteBuffer(integer: plan.download)
        try await stream.write(request, finish: plan.upload == 0)
        var left = plan.upload
        while left > 0 {
            let size = min(left, UInt64(chunk.readableBytes))
            left -= size
            try await stream.write(chunk.getSlice(at: 0, length: Int(size))!, finish: left == 0)
        }
        var received: UInt64 = 0
        while let bytes = try await stream.read() { received += UInt64(bytes.readableBytes) }
        guard received == plan.download else {
            throw Failure(ExitCode.protocolError, "the server sent \(received) of \(plan.download) bytes")
        }
    }

    /// How much memory of the server's a connection takes that does nothing.
    ///
    /// - Parameter count: how many connections to hold open for it.
    /// - Returns: bytes a connection.
    public func measureIdleConnections(_ count: Int) async throws -> Double {
        let configuration = try QUICClientConfiguration(
            applicationProtocols: [PerfProtocol.applicationProtocol], trust: .insecureNoVerification)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let observer = try await QUICConnection.connect(
            to: host, port: port, configuration: configuration, eventLoopGroup: group)
        let before = try await Self.ask(PerfProtocol.memory, over: observer)
        var idle: [QUICConnection] = []
        for _ in 0..<count {
            idle.append(
                try await QUICConnection.connect(
                    to: host, port: port, configuration: configuration, eventLoopGroup: group))
        }
        // What a handshake needed has to be given back first.
        try await Task.sleep(for: .seconds(2))
        let after = try await Self.ask(PerfProtocol.memory, over: observer)
        for connection in idle { await connection.close() }
        await observer.close()
        return (Double(after) - Double(before)) / Double(count)
    }

    private static func ask(_ what: UInt64, over connection: QUICConnection) async throws -> UInt64 {
        let stream = try await connection.openStream()
        try await stream.write(ByteBuffer(integer: what), finish: true)
        var answer = try await stream.collect(upTo: 64)
        guard let value: UInt64 = answer.readInteger() else {
            throw Failure(ExitCode.protocolError, "the server did not answer")
        }
        return value
    }

    private struct Measurement {
        var clock: ContinuousClock.Instant
        var client: Duration
        var server: UInt64

        static func take(over connection: QUICConnection) async throws -> Measurement {
            let server = try await PerfClient.ask(PerfProtocol.cpuTime, over: connection)
            return Measurement(clock: .now, client: PerfProtocol.processCPUTime, server: server)
        }
    }

    private static func report(
        _ plan: PerfPlan, _ before: Measurement, _ after: Measurement, _ connection: QUICConnection
    ) async -> PerfReport {
        let statistics = await connection.statistics
        let seconds = (after.clock - before.clock).inSeconds
        let count = UInt64(plan.count)
        let (down, up) = (plan.download * count, plan.upload * count)
        let gigabytes = Double(down + up) / 1e9
        let client = (after.client - before.client).inSeconds
        let server = Double(after.server - before.server) / 1e6
        return PerfReport(
            downloadBytes: down, uploadBytes: up, requests: plan.count, handshakes: 0, seconds: seconds,
            megabitsPerSecond: Double(down + up) * 8 / 1e6 / seconds,
            requestsPerSecond: Double(plan.count) / seconds, clientCPUSeconds: client,
            serverCPUSeconds: server,
            clientCPUPerGB: gigabytes > 0 ? client / gigabytes : nil,
            serverCPUPerGB: gigabytes > 0 ? server / gigabytes : nil,
            clientCPUPerRequest: client * 1e6 / Double(plan.count),
            serverCPUPerRequest: server * 1e6 / Double(plan.count), packetsLost: statistics.packetsLost,
            udpPayloadSize: statistics.udpPayloadSize)
    }

    // MARK: Handshakes

    /// Full handshakes one after the other, each with a request of 1,000 bytes.
    private func measureHandshakes(
        _ plan: PerfPlan, _ configuration: QUICClientConfiguration, _ group: MultiThreadedEventLoopGroup
    ) async throws -> PerfReport {
        var single = PerfPlan()
        single.download = 1000
        let request = single
        return try await QUICConnection.connect(
            to: host, port: port, configuration: configuration, eventLoopGroup: group
        ) { connection in
            let before = try await Measurement.take(over: connection)
            for _ in 0..<plan.handshakes {
                try await QUICConnection.connect(
                    to: host, port: port, configuration: configuration, eventLoopGroup: group
                ) { try await PerfClient.exchangeOne(request, over: $0) }
            }
            let after = try await Measurement.take(over: connection)
            var measured = request
            measured.count = plan.handshakes
            var report = await PerfClient.report(measured, before, after, connection)
            report.handshakes = plan.handshakes
            return report
        }
    }
}
