import GodwitHTTP3
import GodwitTestSupport
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

/// What most tests need: a server on the loopback interface and a client that trusts it.
struct HTTP3Pair: Sendable {
    let server: HTTP3Server
    var client: HTTP3ClientConfiguration
    let group: any EventLoopGroup

    var port: UInt16 { server.localAddress.port }

    /// Starts a server, answers requests with `handler`, and runs `body` beside it.
    static func run<Result: Sendable>(
        at address: String = "127.0.0.1:0", loops: Int = 1, configuration: HTTP3ServerConfiguration? = nil,
        server configureServer: @Sendable (inout HTTP3ServerConfiguration) -> Void = { _ in },
        client configureClient: @Sendable (inout HTTP3ClientConfiguration) -> Void = { _ in },
        handler: @escaping HTTP3Server.Handler,
        _ body: @Sendable (HTTP3Pair) async throws -> Result
    ) async throws -> Result {
        try await withEventLoops(loops) { group in
            var serverConfiguration =
                try configuration ?? HTTP3ServerConfiguration(certificate: TestCertificate.shared.identity)
            // A machine with much else to do must not make tests fail.
            serverConfiguration.limits.handshakeTime = .seconds(60)
            serverConfiguration.limits.connectionIdleTime = .seconds(60)
            serverConfiguration.limits.requestHeaderTime = .seconds(60)
            configureServer(&serverConfiguration)
            var client = try HTTP3ClientConfiguration(
                trust: .certificates([TestCertificate.shared.certificate]))
            client.limits.connectTime = .seconds(60)
            client.limits.connectionIdleTime = .seconds(60)
            configureClient(&client)
            let server = try await HTTP3Server.bind(
                to: NetworkAddress(address)!, configuration: serverConfiguration, eventLoopGroup: group)
            return try await HTTP3Pair(server: server, client: client, group: group).serve(handler, body)
        }
    }

    private func serve<Result: Sendable>(
        _ handler: @escaping HTTP3Server.Handler, _ body: @Sendable (HTTP3Pair) async throws -> Result
    ) async throws -> Result {
        async let serving: Void = server.run(handler)
        do {
            let result = try await body(self)
            await server.shutdown(gracePeriod: .zero)
            try await serving
            return result
        } catch {
            await server.shutdown(gracePeriod: .zero)
            throw error
        }
    }

    /// Runs `body` with a client of its own.
    func withClient<Result: Sendable>(
        resumption: HTTP3Resumption? = nil, _ body: @Sendable (HTTP3Client) async throws -> Result
    ) async throws -> Result {
        try await HTTP3Client.connect(
            to: host, port: port, configuration: client, resumption: resumption, eventLoopGroup: group, body)
    }

    var host: String { server.localAddress.isIPv4 ? "127.0.0.1" : "::1" }
}

/// A certificate for every name by which tests know the loopback interface.
struct TestCertificate: Sendable {
    static let shared = TestCertificate(names: ["localhost", "server.test", "127.0.0.1", "::1"])

    let certificate: Certificate
    let identity: Identity

    init(names: [String]) {
        let made = try! SelfSignedCertificate.make(names: names)
        certificate = made.certificate
        identity = try! made.identity()
    }
}

extension HTTPRequest {
    /// A request to the test server.
    static func test(
        _ method: Method = .get, _ path: String = "/", fields: HTTPFields = [:]
    ) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "https", authority: "localhost", path: path, headerFields: fields)
    }
}

/// Bytes that repeat nowhere soon, and the same each time.
func pattern(_ count: Int, seed: UInt64 = 1) -> ByteBuffer {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    var buffer = ByteBuffer()
    buffer.reserveCapacity(count)
    while buffer.readableBytes < count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        buffer.writeInteger(state)
    }
    return buffer.getSlice(at: 0, length: count)!
}
