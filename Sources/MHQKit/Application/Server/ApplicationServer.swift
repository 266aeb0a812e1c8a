import Foundation
package import GodwitHTTP3
import HTTPTypes
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// The server of `mhq --mode=server`: what the thesis's program serves, over HTTP/3, and moves as its operator says
/// over UDP.
package struct ApplicationServer: Sendable {
    private let configuration: ApplicationServerConfiguration
    private let policy: MigrationPolicy
    /// Where the report goes.
    private let folder: String
    private let logger = Logger(label: "mhq.server")

    /// The name that the thesis's program gives its report.
    package static let reportName = "migration_notification_time.json"

    package init(
        _ configuration: ApplicationServerConfiguration, policy: MigrationPolicy, folder: String = "."
    ) {
        (self.configuration, self.policy, self.folder) = (configuration, policy, folder)
    }

    /// Serves until the operator or a signal says that it is enough.
    ///
    /// - Parameter onReady: is called once clients and operators can be heard.
    package func run(
        signals: AsyncStream<WebServerSignal>, onReady: @Sendable () -> Void = {}
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
        let result: Result<Void, any Error>
        do { result = .success(try await run(on: group, signals, onReady)) } catch {
            result = .failure(error)
        }
        try? await group.shutdownGracefully()
        try result.get()
    }

    private func run(
        on group: MultiThreadedEventLoopGroup, _ signals: AsyncStream<WebServerSignal>,
        _ onReady: @Sendable () -> Void
    ) async throws {
        let ballast = Ballast(configuration)
        let server = try await bind(on: group)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let service = OperatorService(server: server, logger: logger) { end.yield() }
        let operation = ThesisOperation(service: service, reportFile: folder + "/" + Self.reportName)
        let management: ThesisManagement
        do {
            management = try await .bind(
                to: ListenAddress(managementAddress, option: "managementPort"), on: group, logger,
                option: "managementPort")
        } catch {
            await server.shutdown(gracePeriod: .zero)
            throw error
        }
        onReady()
        await withThrowingTaskGroup(of: Void.self) { tasks in
            let site = ApplicationSite(seed: configuration.seed)
            tasks.addTask { try await server.run { try await site.answer($0, $1, $2) } }
            tasks.addTask { await management.run(operation) }
            tasks.addTask { for await signal in signals { if case .end = signal { end.yield() } } }
            for await _ in ends { break }
            await server.shutdown(gracePeriod: .zero)
            tasks.cancelAll()
        }
        withExtendedLifetime(ballast) {}
        if let failure = await operation.reportFailure { throw failure }
    }

    private var managementAddress: String {
        "\(NetworkAddress(ip: configuration.host, port: configuration.managementPort))"
    }

    private func bind(on group: any EventLoopGroup) async throws -> HTTP3Server {
        let address = NetworkAddress(ip: configuration.host, port: configuration.port)
        do {
            return try await HTTP3Server.bind(
                to: address, configuration: try serverConfiguration(), eventLoopGroup: group)
        } catch QUICError.socket(let failure) {
            let code = failure.errorNumber == EACCES ? ExitCode.noPermission : ExitCode.system
            throw Failure(code, "port: \(failure)")
        }
    }

    func serverConfiguration() throws -> HTTP3ServerConfiguration {
        // Its clients believe any certificate.
        let made = try SelfSignedCertificate.make(names: ["localhost", "\(configuration.host)"])
        var result = try HTTP3ServerConfiguration(certificate: try made.identity())
        ApplicationTransport.configure(
            &result.quic.transport, policy, timing: configuration.thesis, keepsAlive: false)
        result.quic.allowedDestinations = configuration.allowedDestinations
        if configuration.speaksThesisVersion { result.quic.transport.versions.append(.mvfst) }
        result.limits.connectionIdleTime = ApplicationTransport.idleTime
        result.limits.contentIdleTime = ApplicationTransport.idleTime
        result.quic.migration = ApplicationTransport.server(
            configuration.migration.suite(policy), policy, pool: configuration.pool)
        return result
    }
}

/// Memory that is there so that the process is large: filled, so that it counts.
private final class Ballast {
    private let memory: UnsafeMutableRawBufferPointer

    init(_ configuration: ApplicationServerConfiguration) {
        memory = .allocate(byteCount: configuration.inflation, alignment: 4096)
        configuration.inflationContents.fill(memory, seed: configuration.seed)
    }

    deinit { memory.deallocate() }
}

/// What the application serves: `/echo` repeats what was posted, `/distribution` answers in drawn sizes.
struct ApplicationSite: Sendable {
    private struct Connections {
        var count = 0
        var sizes: [ObjectIdentifier: ResponseSizes] = [:]
    }

    private let site = Site(files: nil, seed: nil)
    private let seed: UInt64
    private let connections = NIOLockedValueBox(Connections())

    /// Of connections that are over nobody tells; what is remembered of them is forgotten at some time.
    private static let rememberedConnections = 10_000

    init(seed: UInt64) { self.seed = seed }

    nonisolated(nonsending) func answer(
        _ request: HTTPRequest, _ body: HTTP3Body, _ response: HTTP3ResponseWriter
    ) async throws {
        let exchange = HTTP3Exchange(request, body, response)
        guard request.path == "/distribution", request.method == .get else {
            return try await site.answer(exchange)
        }
        let connection = ObjectIdentifier(response.context.connection)
        try await site.sendFiller(Int64(nextSize(on: connection)), exchange)
    }

    private func nextSize(on connection: ObjectIdentifier) -> Int {
        connections.withLockedValue { known in
            if known.sizes[connection] == nil {
                if known.sizes.count >= Self.rememberedConnections { known.sizes = [:] }
                known.sizes[connection] = ResponseSizes(master: seed, connection: known.count)
                known.count += 1
            }
            return known.sizes[connection]?.next() ?? 0
        }
    }
}
