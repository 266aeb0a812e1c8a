import Godwit
import GodwitCrypto
import GodwitTestSupport
import NIOCore
import NIOPosix
import Testing

/// What most tests need: a listener on the loopback interface and a client that trusts it.
struct LoopbackPair: Sendable {
    static let applicationProtocol = "test"

    let listener: QUICListener
    let client: QUICClientConfiguration

    var port: UInt16 { listener.localAddress.port }

    /// Starts a listener, serves connections with `serve`, and runs `body` beside it.
    static func run<Result: Sendable>(
        at address: String = "127.0.0.1:0", loops: Int = 1,
        server configureServer: @Sendable (inout QUICServerConfiguration) -> Void = { _ in },
        client configureClient: @Sendable (inout QUICClientConfiguration) -> Void = { _ in },
        serve: @escaping @Sendable (QUICConnection) async throws -> Void,
        _ body: @Sendable (LoopbackPair) async throws -> Result
    ) async throws -> Result {
        try await withEventLoops(loops) { group in
            let pair = try await make(address, group, configureServer, configureClient)
            async let serving: Void = pair.listener.run(serve)
            do {
                let result = try await body(pair)
                await pair.listener.shutdown(gracePeriod: .zero)
                try await serving
                return result
            } catch {
                await pair.listener.shutdown(gracePeriod: .zero)
                throw error
            }
        }
    }

    /// Starts a listener and leaves it to `body` to take the connections.
    static func run<Result: Sendable>(
        at address: String = "127.0.0.1:0", loops: Int = 1,
        server configureServer: @Sendable (inout QUICServerConfiguration) -> Void = { _ in },
        client configureClient: @Sendable (inout QUICClientConfiguration) -> Void = { _ in },
        _ body: @Sendable (LoopbackPair) async throws -> Result
    ) async throws -> Result {
        try await withEventLoops(loops) { group in
            let pair = try await make(address, group, configureServer, configureClient)
            do {
                let result = try await body(pair)
                await pair.listener.shutdown(gracePeriod: .zero)
                return result
            } catch {
                await pair.listener.shutdown(gracePeriod: .zero)
                throw error
            }
        }
    }

    func connect(
        resumption: QUICResumption? = nil, offersEarlyData: Bool = false
    ) async throws -> QUICConnection {
        try await QUICConnection.connect(
            to: host, port: port, configuration: client, resumption: resumption,
            offersEarlyData: offersEarlyData)
    }

    private var host: String { listener.localAddress.isIPv4 ? "127.0.0.1" : "::1" }

    private static func make(
        _ address: String, _ group: MultiThreadedEventLoopGroup,
        _ configureServer: (inout QUICServerConfiguration) -> Void,
        _ configureClient: (inout QUICClientConfiguration) -> Void
    ) async throws -> LoopbackPair {
        let certificate = TestCertificate.shared
        var server = try QUICServerConfiguration(tls: certificate.server)
        server.transport.outlastsSlowMachines()
        configureServer(&server)
        var client = try QUICClientConfiguration(
            applicationProtocols: [applicationProtocol], trust: .certificates([certificate.certificate]))
        client.transport.outlastsSlowMachines()
        configureClient(&client)
        let listener = try await QUICListener.bind(
            to: NetworkAddress(address)!, configuration: server, eventLoopGroup: group)
        return LoopbackPair(listener: listener, client: client)
    }
}

/// A certificate for every name by which tests know the loopback interface.
struct TestCertificate: Sendable {
    static let shared = TestCertificate()

    let certificate: Certificate
    let identity: Identity

    private init() {
        let made = try! SelfSignedCertificate.make(names: ["localhost", "server.test", "127.0.0.1", "::1"])
        certificate = made.certificate
        identity = try! made.identity()
    }

    var server: TLSServerConfiguration {
        var configuration = TLSServerConfiguration(
            applicationProtocols: [LoopbackPair.applicationProtocol],
            credentials: ServerCredentials([identity]))
        configuration.ticketKeys = .random()
        configuration.earlyData = ReplayFilter(refusesFirstWindow: false)
        return configuration
    }
}

/// Sends back what comes on every stream of a connection.
@Sendable
func echo(_ connection: QUICConnection) async {
    await withDiscardingTaskGroup { group in
        for await stream in connection.incomingStreams {
            group.addTask { try? await echo(stream) }
        }
    }
}

func echo(_ stream: QUICStream) async throws {
    for try await chunk in stream { try await stream.write(chunk) }
    try await stream.finish()
}

/// Bytes that repeat nowhere soon, and the same each time.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 32)
    }
}

extension TransportConfiguration {
    /// Takes time limits out of the way of tests that are not about them: under a sanitizer, or on a busy machine,
    /// a handshake may take minutes.
    mutating func outlastsSlowMachines() { (handshakeTimeout, idleTimeout) = (.seconds(3600), nil) }
}
