#if os(Linux)
import CGodwitSocket
import Glibc
import GodwitCore
import GodwitMigration
import GodwitTestSupport
import NIOCore
import Testing

@testable import Godwit

@Suite("What the network says of datagrams that did not arrive (ICMP)", .timeLimit(.minutes(15)))
struct UnreachableTests {
    /// An address where nobody is.
    private static func nobody(_ host: String) throws -> NetworkAddress {
        let socket = try SocketDescriptor(bindingTo: NetworkAddress("\(host):0")!, sharing: .never)
        defer { socket.close() }
        return socket.localAddress
    }

    @Test(
        "A socket that was asked to keeps it, with the address that the datagram went to",
        arguments: [
            ("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]"), ("[::]:0", "127.0.0.1"), ("[::]:0", "[::1]"),
        ])
    func errors(local: String, host: String) throws {
        let socket = try SocketDescriptor(bindingTo: NetworkAddress(local)!, sharing: .never)
        defer { socket.close() }
        let remote = try Self.nobody(host)
        func send() -> CInt {
            socket.send([1], segmentSize: nil, from: socket.localAddress, to: remote, ecn: .notECT)
        }
        #expect(send() == 0 && socket.nextError() == nil)
        #expect(socket.keepErrors())
        #expect(send() == 0)
        let error = try #require(socket.nextError())
        #expect(error.number == ECONNREFUSED && error.remote == remote)
        #expect(socket.nextError() == nil)
    }

    private static func withPair(
        _ suite: MigrationSuite, _ body: @Sendable (LoopbackPair) async throws -> Void
    ) async throws {
        try await LoopbackPair.run(
            server: {
                $0.migration = ServerMigrationSettings(
                    ServerMigrationNegotiation(suite: suite, hasPool: false))
                // So no probe timeout comes up while the test runs.
                $0.transport.maxAckDelay = .seconds(16)
            },
            client: { $0.migration = ClientMigrationSettings(ClientMigrationNegotiation(suite: suite)) },
            serve: echo, body)
    }

    @Test("A client looks for a server that was to move as soon as the network says that it is gone (5.3.1)")
    func trigger() async throws {
        try await Self.withPair(.explicit) { pair in
            let to = NetworkAddress("127.0.0.2:\(pair.port)")!
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "before "))
            var events = connection.migrationEvents.makeAsyncIterator()
            let plan = MigrationPlan(default: .explicit(destination: MigrationDestination(to)!))
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            while let event = await events.next(), event != .told(to) {}
            // What the client does about it is done.
            let loop = connection.driver.loop
            while await !loop.driver.run({ loop.sockets.allSatisfy(\.hearsNetwork) }) { await Task.yield() }
            try await pair.listener.hold(epoch, releasesAddress: true)
            let timeouts = await connection.statistics.probeTimeouts
            try await stream.write(ByteBuffer(string: "during "))
            while let event = await events.next(), event != .searching(.silence) {}
            #expect(await connection.statistics.probeTimeouts == timeouts)
            try await pair.listener.networkSwitched(to: to, epoch: epoch)
            try await stream.write(ByteBuffer(string: "after"), finish: true)
            #expect(String(buffer: try await stream.collect(upTo: 100)) == "before during after")
            #expect(await connection.remoteAddress == to)
        }
    }

    @Test("A socket whose errors are heard is read as before, and stands still when it has to")
    func reading() async throws {
        try await Self.withPair(.all) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let loop = connection.driver.loop
            let port = await connection.localAddress.port
            await loop.driver.run { loop.hearNetwork() }
            for _ in 0..<20 { try await expectEcho(connection) }
            let nobody = try Self.nobody("127.0.0.1")
            for _ in 0..<5 {
                await loop.driver.run {
                    let socket = loop.sockets[0]
                    // The error has been reported, and its message is still there.
                    _ = socket.descriptor.send(
                        [1], segmentSize: nil, from: socket.localAddress, to: nobody, ecn: .notECT)
                    #expect(socket.descriptor[SOL_SOCKET, SO_ERROR] == ECONNREFUSED)
                }
                try await expectEcho(connection)
            }
            let stream = try await connection.openStream()
            await loop.driver.run { loop.hold() }
            try await stream.write(ByteBuffer(string: "held"), finish: true)
            await loop.driver.run { loop.resume(at: nil) }
            #expect(String(buffer: try await stream.collect(upTo: 100)) == "held")
            #expect(await connection.localAddress.port == port)
            await loop.driver.run { #expect(loop.sockets.count == 1 && loop.sockets[0].isOpen) }
        }
    }

    @Test("Where servers don't move nobody asks what the network says")
    func plain() async throws {
        try await LoopbackPair.run(serve: echo) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let loop = connection.driver.loop
            await loop.driver.run {
                loop.hearNetwork()
                #expect(!loop.hearsNetwork)
            }
        }
    }
}
#endif
