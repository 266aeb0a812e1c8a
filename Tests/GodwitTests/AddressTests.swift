import Godwit
import GodwitTestSupport
import NIOCore
import NIOPosix
import Testing

@Suite("Addresses of both families, and several of a host", .timeLimit(.minutes(15)))
struct AddressTests {
    @Test(
        "A listener is reached by IPv6 and by IPv4, also at one socket for both",
        arguments: [
            (listener: "127.0.0.1:0", host: "127.0.0.1"), (listener: "[::1]:0", host: "::1"),
            (listener: "[::]:0", host: "::1"), (listener: "[::]:0", host: "127.0.0.1"),
        ])
    func families(listener: String, host: String) async throws {
        try await LoopbackPair.run(at: listener, serve: echo) { pair in
            let connection = try await QUICConnection.connect(
                to: host, port: pair.port, configuration: pair.client)
            try await expectEcho(connection)
            #expect(await connection.remoteAddress.ip == IPAddress(host)!)
        }
    }

    @Test(
        "A listener at a wildcard answers from the address that the client asked",
        arguments: ["0.0.0.0:0", "[::]:0"])
    func wildcard(listener: String) async throws {
        try await LoopbackPair.run(at: listener) { connection in
            // The loopback interface has all of 127.0.0.0/8; without a choice the kernel would take
            // 127.0.0.1.
            #expect(await connection.localAddress.ip == IPAddress("127.0.0.7"))
            await echo(connection)
        } _: { pair in
            var client = pair.client
            client.resolver = FixedAddresses(["127.0.0.7"])
            let connection = try await QUICConnection.connect(
                to: "server.test", port: pair.port, configuration: client)
            try await expectEcho(connection)
        }
    }

    @Test("An address that does not answer is passed over for the next (RFC 8305 section 5)")
    func deadFirstAddress() async throws {
        try await LoopbackPair.run(serve: echo) { pair in
            // Bound, so that nothing says that nobody listens.
            let silent = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.9", port: Int(pair.port)).get()
            var client = pair.client
            client.resolver = FixedAddresses(["127.0.0.9", "127.0.0.1"])
            client.attemptDelay = .milliseconds(10)
            let connection = try await QUICConnection.connect(
                to: "server.test", port: pair.port, configuration: client)
            try await expectEcho(connection)
            #expect(await connection.remoteAddress.ip == IPAddress("127.0.0.1"))
            try await silent.close()
        }
    }

    @Test("When no address answers, each is told with its reason")
    func noAnswer() async throws {
        let silent = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        var client = try QUICClientConfiguration(applicationProtocols: ["test"])
        client.resolver = FixedAddresses(["127.0.0.1", "127.0.0.2"])
        client.attemptDelay = .milliseconds(1)
        client.transport.handshakeTimeout = .milliseconds(50)
        let port = UInt16(silent.localAddress!.port!)
        let error = await failure {
            try await QUICConnection.connect(to: "server.test", port: port, configuration: client)
        }
        let attempts = ["127.0.0.1", "127.0.0.2"].map {
            FailedAttempt(address: NetworkAddress($0, port: port)!, reason: .handshakeTimeout)
        }
        #expect(error as? QUICError == .connectFailed(host: "server.test", attempts: attempts))
        try await silent.close()
    }

    @Test("A cancelled attempt ends at once")
    func cancelled() async throws {
        let silent = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = UInt16(silent.localAddress!.port!)
        let client = try QUICClientConfiguration(applicationProtocols: ["test"])
        let connecting = Task {
            try await QUICConnection.connect(to: "127.0.0.1", port: port, configuration: client)
        }
        connecting.cancel()
        await #expect(throws: CancellationError.self) { try await connecting.value }
        try await silent.close()
    }

    @Test("Names are looked up")
    func names() async throws {
        let addresses = try await SystemNameResolver().addresses(of: "localhost")
        #expect(addresses.contains { $0.isLoopback })
        let error = await failure { try await SystemNameResolver().addresses(of: "no such host.invalid") }
        guard case .nameNotFound("no such host.invalid", _)? = error as? QUICError else {
            Issue.record("unexpected: \(String(describing: error))")
            return
        }
    }
}

/// A host whose addresses the test decides.
struct FixedAddresses: QUICNameResolver {
    let list: [IPAddress]

    init(_ list: [String]) { self.list = list.map { IPAddress($0)! } }

    func addresses(of host: String) async throws -> [IPAddress] { list }
}

/// Shows that a connection to an echo server works.
func expectEcho(_ connection: QUICConnection, _ text: String = "ping") async throws {
    let stream = try await connection.openStream()
    try await stream.write(ByteBuffer(string: text), finish: true)
    #expect(String(buffer: try await stream.collect(upTo: text.utf8.count)) == text)
}
