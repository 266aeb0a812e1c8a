import Logging
import NIOCore
import NIOPosix

/// The work of `mhq arbiter`.
public struct ArbiterRun: Sendable {
    private let socket: OperatorSocket
    private let service: ArbiterService
    private let group: MultiThreadedEventLoopGroup

    /// Opens the socket.
    ///
    /// - Parameters:
    ///   - path: where servers find it.
    ///   - state: a file for what was granted; nil for memory alone.
    /// - Throws: a ``Failure`` that names the option.
    public static func start(path: String, state: String?) async throws -> ArbiterRun {
        let logger = Logger(label: "mhq.arbiter")
        let service = try ArbiterService(file: state, logger)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let socket = try await OperatorSocket.bind(to: path, on: group, logger, option: "--socket")
            return ArbiterRun(socket: socket, service: service, group: group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Answers servers until a signal says that it is enough.
    public func run(signals: AsyncStream<WebServerSignal>) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await socket.run { await service.answer($0) } }
            for await signal in signals { if case .end = signal { break } }
            tasks.cancelAll()
        }
        try? await group.shutdownGracefully()
    }
}
