import Foundation
import GodwitHTTP3
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// The server of `mhq serve`: files and test resources over HTTP/3, and over HTTPS on TCP so that browsers
/// find it.
public final class WebServer: Sendable {
    /// What to tell the user.
    public let report: StartReport

    let options: WebServerOptions
    let group: MultiThreadedEventLoopGroup
    let http3: HTTP3Server
    let http1: [HTTP1Server]
    let metrics: [HTTP1Server]
    let site: Site
    let certificates: ServedCertificates
    let accessLog: AccessLog?
    private let operatorSocket: OperatorSocket?
    private let management: ThesisManagement?
    let logger = Logger(label: "mhq.serve")

    init(_ parts: WebServerParts, _ report: StartReport) {
        self.report = report
        options = parts.options
        group = parts.group
        http3 = parts.http3
        http1 = parts.http1
        metrics = parts.metrics
        site = parts.site
        certificates = parts.certificates
        accessLog = parts.accessLog
        operatorSocket = parts.operatorSocket
        management = parts.management
    }

    /// Where the thesis's commands are taken; nil if they are not.
    var managementAddress: SocketAddress? { management?.localAddress }

    // MARK: Running

    /// Serves until a signal says that it is enough.
    ///
    /// - Returns: the exit code: 0, or 128 and the signal's number if it came a second time.
    /// - Throws: what makes it impossible to go on.
    public func run(signals: AsyncStream<WebServerSignal>) async throws -> Int32 {
        let result: Result<Int32, any Error>
        do { result = .success(try await serve(signals)) } catch { result = .failure(error) }
        await cleanUp()
        return try result.get()
    }

    private func serve(_ signals: AsyncStream<WebServerSignal>) async throws -> Int32 {
        let (orders, giveOrder) = AsyncStream.makeStream(of: WebServerSignal.self)
        let forwarding = Task {
            for await signal in signals { giveOrder.yield(signal) }
            giveOrder.finish()
        }
        let operating = Task { await operate { giveOrder.yield(.end(SIGTERM)) } }
        let result: Result<Int32, any Error>
        do { result = .success(try await serveAndObey(orders)) } catch { result = .failure(error) }
        forwarding.cancel()
        operating.cancel()
        await operating.value
        return try result.get()
    }

    private func serveAndObey(_ orders: AsyncStream<WebServerSignal>) async throws -> Int32 {
        try await withThrowingTaskGroup(of: Int32?.self) { tasks in
            tasks.addTask {
                try await self.serve()
                return nil
            }
            tasks.addTask { await self.obey(orders) }
            tasks.addTask {
                await self.watchMemory()
                return nil
            }
            var code: Int32 = 0
            while let result = try await tasks.next() {
                // When the servers have ended nobody waits for signals any more.
                if let result { code = result } else { tasks.cancelAll() }
            }
            return code
        }
    }

    /// Serves until all servers are drained.
    private func serve() async throws {
        let requests = RequestCounters()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for server in metrics {
                tasks.addTask { try await server.run { try await MetricsPage.answer($0, $1) } }
            }
            try await withThrowingTaskGroup(of: Void.self) { servers in
                servers.addTask {
                    try await self.http3.run { try await self.answer($0, $1, $2) }
                }
                for server in self.http1 {
                    servers.addTask { try await server.run { try await self.answer($0, $1, requests) } }
                }
                try await servers.waitForAll()
            }
            for server in metrics { server.drain() }
            for server in metrics { server.closeAll() }
            try await tasks.waitForAll()
        }
    }

    /// Gives memory back until cancelled.
    private func watchMemory() async {
        var memory = FreedMemory()
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            let connections = await http3.quic.statistics.connections
            if memory.isDue(connections: connections) { FreedMemory.giveBack() }
        }
    }

    private func cleanUp() async {
        await accessLog?.flush()
        await QlogFiles.flush()
        // One that the user asked for stays.
        if let file = report.selfSignedFile, options.selfSignedFile == nil { unlink(file) }
        try? await group.shutdownGracefully()
    }

    /// Listens to operators until the task is cancelled.
    private func operate(_ shutDown: @escaping @Sendable () -> Void) async {
        let service = OperatorService(server: http3, logger: logger, shutDown: shutDown)
        await withTaskGroup(of: Void.self) { tasks in
            if let operatorSocket {
                tasks.addTask { try? await operatorSocket.run { await service.answer($0) } }
            }
            if let management {
                let operation = ThesisOperation(service: service, reportFile: options.managementReport)
                tasks.addTask { await management.run(operation) }
            }
        }
    }

    // MARK: Requests

    nonisolated(nonsending) private func answer(
        _ request: HTTPRequest, _ body: HTTP3Body, _ response: HTTP3ResponseWriter
    ) async throws {
        let exchange = HTTP3Exchange(request, body, response)
        guard let accessLog else { return try await site.answer(exchange) }
        let remote = await response.context.remoteAddress
        let isEarlyData = await response.context.isEarlyData
        try await site.answer(
            exchange, loggingTo: accessLog, remote: "\(remote)", version: "h3", isEarlyData: isEarlyData)
    }

    nonisolated(nonsending) private func answer(
        _ exchange: HTTP1Exchange, _ remote: String, _ requests: RequestCounters
    ) async throws {
        defer { requests.note(exchange.tally.status) }
        guard let accessLog else { return try await site.answer(exchange) }
        try await site.answer(exchange, loggingTo: accessLog, remote: remote, version: "http/1.1")
    }

    // MARK: Signals

    /// Does what signals say until one says to end at once, or nothing is left to do.
    private func obey(_ signals: AsyncStream<WebServerSignal>) async -> Int32 {
        await withTaskGroup(of: Void.self) { tasks in
            var isDraining = false
            for await signal in signals {
                switch signal {
                case .reload: reload()
                case .end(let number) where isDraining:
                    tasks.cancelAll()
                    for server in http1 { server.closeAll() }
                    return 128 + number
                case .end:
                    isDraining = true
                    tasks.addTask { await self.drain() }
                }
            }
            tasks.cancelAll()
            return 0
        }
    }

    private func drain() async {
        logger.notice("ending", metadata: ["gracePeriod": "\(options.gracePeriod)"])
        for server in http1 { server.drain() }
        async let closing: Void = closeHTTP1AfterGracePeriod()
        await http3.shutdown(gracePeriod: options.gracePeriod)
        await closing
    }

    private func closeHTTP1AfterGracePeriod() async {
        try? await Task.sleep(for: options.gracePeriod)
        for server in http1 { server.closeAll() }
    }

    private func reload() {
        do {
            let count = try certificates.reload()
            logger.notice("certificates reloaded", metadata: ["count": "\(count)"])
        } catch {
            logger.error("certificates not reloaded", metadata: ["error": "\(error)"])
        }
        do { try accessLog?.reopen() } catch {
            logger.error("access log not reopened", metadata: ["error": "\(error)"])
        }
    }
}
