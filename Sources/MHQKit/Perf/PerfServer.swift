import Foundation
public import Godwit
import NIOCore
import NIOPosix

/// The server of `mhq perf`.
public struct PerfServer: Sendable {
    let address: NetworkAddress
    let identity: Identity
    let eventLoops: Int

    /// - Parameters:
    ///   - address: where to listen.
    ///   - identity: what to prove ourselves with.
    ///   - eventLoops: how many threads serve connections.
    public init(at address: NetworkAddress, identity: Identity, eventLoops: Int = 1) {
        self.address = address
        self.identity = identity
        self.eventLoops = eventLoops
    }

    /// Serves until the task is cancelled.
    /// - Parameter onReady: told where the server listens.
    public func run(onReady: @Sendable (NetworkAddress) -> Void) async throws {
        var configuration = try QUICServerConfiguration(
            applicationProtocols: [PerfProtocol.applicationProtocol], identity: identity)
        configuration.transport.maxIncomingBidirectionalStreams = 1000
        let group = MultiThreadedEventLoopGroup(numberOfThreads: eventLoops)
        let listener = try await QUICListener.bind(
            to: address, configuration: configuration, eventLoopGroup: group)
        onReady(listener.localAddress)
        try await listener.run { connection in
            try await withThrowingDiscardingTaskGroup { tasks in
                for try await stream in connection.incomingStreams {
                    tasks.addTask { await PerfServer.answer(stream) }
                }
            }
        }
    }

    private static let chunk = ByteBuffer(repeating: 0x5a, count: 64 << 10)

    private static func answer(_ stream: QUICStream) async {
        do {
            guard let wanted = try await receive(stream) else { return await stream.reset(code: 1) }
            switch wanted {
            case PerfProtocol.cpuTime:
                let now = PerfProtocol.processCPUTime.inMicroseconds
                try await stream.write(ByteBuffer(integer: now), finish: true)
            case PerfProtocol.memory:
                try await stream.write(ByteBuffer(integer: PerfProtocol.processMemory), finish: true)
            default: try await send(wanted, over: stream)
            }
        } catch {
            await stream.reset(code: 1)
        }
    }

    /// Takes the request and whatever is uploaded behind it; nil when even the request is cut off.
    private static func receive(_ stream: QUICStream) async throws -> UInt64? {
        var buffer = ByteBuffer()
        var wanted: UInt64?
        while try await stream.read(into: &buffer) != nil {
            wanted = wanted ?? buffer.readInteger()
            if wanted != nil { buffer.clear() }
        }
        return wanted
    }

    private static func send(_ count: UInt64, over stream: QUICStream) async throws {
        var left = count
        while left > UInt64(chunk.readableBytes) {
            try await stream.write(chunk)
            left -= UInt64(chunk.readableBytes)
        }
        try await stream.write(chunk.getSlice(at: 0, length: Int(left))!, finish: true)
    }
}
