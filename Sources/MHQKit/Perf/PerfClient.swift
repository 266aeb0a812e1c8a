import Foundation
import Godwit
import NIOCore
import NIOPosix

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
            let before = try await PerfClient.measure(over: connection)
            try await PerfClient.exchange(plan, over: connection)
            let after = try await PerfClient.measure(over: connection)
            return PerfReport(plan, from: before, to: after, await connection.statistics)
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
        var buffer = ByteBuffer()
        while let count = try await stream.read(into: &buffer) {
            received += UInt64(count)
            buffer.clear()
        }
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

    private static func measure(over connection: QUICConnection) async throws -> PerfMeasurement {
        PerfMeasurement(serverMicroseconds: try await ask(PerfProtocol.cpuTime, over: connection))
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
            let before = try await PerfClient.measure(over: connection)
            for _ in 0..<plan.handshakes {
                try await QUICConnection.connect(
                    to: host, port: port, configuration: configuration, eventLoopGroup: group
                ) { try await PerfClient.exchangeOne(request, over: $0) }
            }
            let after = try await PerfClient.measure(over: connection)
            var measured = request
            measured.handshakes = plan.handshakes
            return PerfReport(measured, from: before, to: after, await connection.statistics)
        }
    }
}
