import Godwit
import GodwitHTTP3
import GodwitTestSupport
import HTTPTypes
import NIOCore
import Testing

@Suite("A pool of connections", .timeLimit(.minutes(15)))
struct PoolTests {
    @Test("Requests to one server share a connection, also while that is being opened")
    func sharing() async throws {
        try await HTTP3Pair.run(handler: tellPort) { pair in
            try await withPool(pair) { pool in
                let ports = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<10 { group.addTask { try await answer(pool.send(request(to: pair))) } }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
                #expect(ports.count == 1)
                #expect(try await answer(pool.send(request(to: pair))) == ports.first)
            }
        }
    }

    @Test("A server that shuts down and comes back is connected to anew, with what it gave out before")
    func reconnecting() async throws {
        let keys = TicketKeys.random()
        let (first, second) = try (configuration(keys), configuration(keys))
        try await withEventLoops(1) { group in
            let client = try HTTP3ClientConfiguration(
                trust: .certificates([TestCertificate.shared.certificate]))
            let pool = HTTP3ClientPool(configuration: client, eventLoopGroup: group)
            let port = try await serve(at: 0, first, group) { port in
                let (_, body) = try await pool.send(.to(port))
                #expect(String(buffer: try await body.collect(upTo: 100)) == "false")
                // Both tickets have come with the answer or before it.
                return port
            }
            _ = try await serve(at: port, second, group) { port in
                let (_, body) = try await pool.send(.to(port))
                #expect(String(buffer: try await body.collect(upTo: 100)) == "true")
                return port
            }
            await pool.shutdown()
        }
    }

    @Test("A request that the server certainly did not process is sent again (RFC 9114 section 4.1.1)")
    func rejected() async throws {
        let attempts = Report<Void>()
        try await HTTP3Pair.run { request, _, response in
            attempts.send()
            if request.path == "/always" { return await response.cancel(.requestRejected) }
            try await response.respond(.ok)
        } _: { pair in
            try await withPool(pair) { pool in
                let error =
                    await failure { try await pool.send(request(.post, "/always", to: pair)) }
                    as? HTTP3Failure
                #expect(error?.isSafeToRetry == true)
                for _ in 0..<3 { _ = await attempts.next() }
                let (answer, _) = try await pool.send(request(.post, "/once", to: pair))
                #expect(answer.status == .ok)
                _ = await attempts.next()
            }
        }
    }

    // Holds: 9114-5.4-1
    @Test("What may have been processed is not sent again, unless that does no harm (RFC 9114 section 5.4)")
    func lostConnections() async throws {
        let paths = Report<String?>()
        try await HTTP3Pair.run { request, _, response in
            paths.send(request.path)
            if request.path == "/last" { return try await response.respond(.ok) }
            await response.context.connection.close(code: HTTP3ErrorCode.noError.rawValue)
        } _: { pair in
            try await withPool(pair) { pool in
                for (method, path) in [(HTTPRequest.Method.post, "/post"), (.get, "/get")] {
                    let error = await failure { try await pool.send(request(method, path, to: pair)) }
                    guard case .connectionClosed? = error as? HTTP3Failure else {
                        Issue.record("\(String(describing: error))")
                        continue
                    }
                }
                _ = try await pool.send(request(.get, "/last", to: pair))
            }
        }
        for path in ["/post", "/get", "/get", "/get", "/last"] { #expect(await paths.next() == path) }
    }

    // Holds: 9114-3.1-2, 9114-3.3-1, 9114-3.3-2
    @Test("A connection serves no host that its certificate was not checked for (RFC 9114 section 3.3)")
    func otherHosts() async throws {
        try await HTTP3Pair.run { _ in
        } client: {
            $0.quic.resolver = LoopbackResolver()
        } handler: {
            try await tellPort($0, $1, $2)
        } _: { pair in
            try await withPool(pair) { pool in
                let first = try await answer(pool.send(request(to: pair)))
                let second = try await answer(pool.send(.to(pair.port, host: "server.test")))
                #expect(first != second)
                // The certificate has no such name.
                let error = await failure { try await pool.send(.to(pair.port, host: "other.test")) }
                #expect(error is QUICError)
                #expect(try await answer(pool.send(request(to: pair))) == first)
            }
        }
    }

    @Test("When nobody waits for a connection any more it is not made, and those who come then get one")
    func cancelledConnect() async throws {
        try await HTTP3Pair.run(handler: tellPort) { pair in
            try await withPool(pair) { pool in
                let task = Task { try await pool.send(request(to: pair)) }
                task.cancel()
                #expect(await failure { try await task.value } is CancellationError)
                let (answer, _) = try await pool.send(request(to: pair))
                #expect(answer.status == .ok)
            }
        }
    }

    @Test("A pool that was shut down sends nothing")
    func shutDown() async throws {
        try await HTTP3Pair.run(handler: tellPort) { pair in
            let pool = HTTP3ClientPool(configuration: pair.client, eventLoopGroup: pair.group)
            let (answer, _) = try await pool.send(request(to: pair))
            #expect(answer.status == .ok)
            await pool.shutdown()
            #expect(await failure { try await pool.send(request(to: pair)) } as? HTTP3Failure == .goingAway)
        }
    }

    @Test("An authority names a host and a port, in the forms of URLs (RFC 3986 section 3.2)")
    func origins() {
        #expect(HTTP3Origin(authority: "Example.org") == HTTP3Origin(host: "example.org", port: 443))
        #expect(HTTP3Origin(authority: "example.org:8443") == HTTP3Origin(host: "example.org", port: 8443))
        #expect(HTTP3Origin(authority: "[2001:db8::1]") == HTTP3Origin(host: "2001:db8::1", port: 443))
        #expect(HTTP3Origin(authority: "[2001:db8::1]:4433") == HTTP3Origin(host: "2001:db8::1", port: 4433))
        for wrong in ["", ":443", "a:", "a:b", "a:70000", "a:+1", "2001:db8::1", "[a]", "me@example.org"] {
            #expect(HTTP3Origin(authority: wrong) == nil, "\(wrong)")
        }
        #expect(HTTP3Origin(HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")) == nil)
    }

    // MARK: Support

    private func withPool(
        _ pair: HTTP3Pair, _ body: (HTTP3ClientPool) async throws -> Void
    ) async throws {
        let pool = HTTP3ClientPool(configuration: pair.client, eventLoopGroup: pair.group)
        try await body(pool)
        await pool.shutdown()
    }

    private func request(
        _ method: HTTPRequest.Method = .get, _ path: String = "/", to pair: HTTP3Pair
    ) -> HTTPRequest { .to(pair.port, method, path) }

    private func answer(_ message: (HTTPResponse, HTTP3Body)) async throws -> String {
        String(buffer: try await message.1.collect(upTo: 100))
    }

    private func configuration(_ keys: TicketKeys) throws -> HTTP3ServerConfiguration {
        var tls = TLSServerConfiguration(
            applicationProtocols: ["h3"], credentials: ServerCredentials([TestCertificate.shared.identity]))
        tls.ticketKeys = keys
        return try HTTP3ServerConfiguration(tls: tls)
    }

    /// Runs a server that answers whether a connection was resumed, and shuts it down.
    private func serve(
        at port: UInt16, _ configuration: HTTP3ServerConfiguration, _ group: any EventLoopGroup,
        _ body: (UInt16) async throws -> UInt16
    ) async throws -> UInt16 {
        let server = try await HTTP3Server.bind(
            to: NetworkAddress("127.0.0.1", port: port)!, configuration: configuration, eventLoopGroup: group)
        async let running: Void = server.run { _, _, response in
            let isResumed = try await response.context.connection.handshakeCompleted().isResumed
            try await response.respond(.ok, body: "\(isResumed)")
        }
        let result = try await body(server.localAddress.port)
        await server.shutdown(gracePeriod: .seconds(60))
        try await running
        return result
    }
}

/// Answers with the client's port, which tells connections apart.
@Sendable
private func tellPort(
    _ request: HTTPRequest, _ body: HTTP3Body, _ response: HTTP3ResponseWriter
) async throws {
    try await response.respond(.ok, body: "\(await response.context.remoteAddress.port)")
}

extension HTTPRequest {
    fileprivate static func to(
        _ port: UInt16, _ method: Method = .get, _ path: String = "/", host: String = "127.0.0.1"
    ) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "https", authority: "\(host):\(port)", path: path)
    }
}
