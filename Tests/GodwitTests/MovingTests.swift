import Godwit
import GodwitTestSupport
import NIOCore
import Testing

@Suite("Connections that outlive their addresses", .timeLimit(.minutes(15)))
struct MovingTests {
    @Test(
        "A client moves to another local address, and the server follows (RFC 9000 section 9)",
        arguments: [1, 2])
    func migration(loops: Int) async throws {
        try await LoopbackPair.run(at: "127.0.0.1:0", loops: loops, serve: echo) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection, "before")
            var paths = connection.pathChanges.makeAsyncIterator()
            let first = try #require(await paths.next())
            try await connection.migrate(toLocal: NetworkAddress("127.0.0.5:0")!)
            let second = try #require(await paths.next())
            #expect(second.local.ip == IPAddress("127.0.0.5"))
            #expect(second.local.port != first.local.port)
            #expect(second.remote == first.remote)
            try await expectEcho(connection, "after")
        }
    }

    @Test("A client gets another socket under it, as behind a NAT that forgot it (RFC 9000 section 9.3)")
    func clientRebinding() async throws {
        // With several event loops most of the new ports belong to another one than the connection's.
        try await LoopbackPair.run(at: "127.0.0.1:0", loops: 3, serve: echo) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            for _ in 0..<3 {
                let port = await connection.localAddress.port
                try await connection.rebind()
                #expect(await connection.localAddress.port != port)
                try await expectEcho(connection)
            }
        }
    }

    @Test("A listener moves to another address with all its connections, which follow when they are told")
    func listenerRebinding() async throws {
        try await LoopbackPair.run(at: "[::]:0", loops: 2, serve: echo) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            // The same port: what the client sends to it still arrives.
            let address = pair.listener.localAddress
            try await pair.listener.rebind(to: address)
            #expect(pair.listener.localAddress == address)
            try await expectEcho(connection)
            let other = try await pair.connect()
            try await expectEcho(other)
        }
    }

    @Test("Only a client moves, and only where the server allows it (RFC 9000 section 9.1)")
    func refusedMigration() async throws {
        let seen = Report<(any Error)?>()
        try await LoopbackPair.run(server: { $0.transport.disablesActiveMigration = true }) { connection in
            seen.send(await failure { try await connection.migrate(toLocal: NetworkAddress("127.0.0.1:0")!) })
            seen.send(await failure { try await connection.rebind() })
            await echo(connection)
        } _: { pair in
            let connection = try await pair.connect()
            #expect(await seen.next() as? QUICError == .migrationRefused)
            #expect(await seen.next() as? QUICError == .migrationRefused)
            try await expectEcho(connection)
            let local = await connection.localAddress
            let elsewhere = NetworkAddress("192.0.2.77:0")!
            let error = await failure { try await connection.migrate(toLocal: elsewhere) }
            guard case .socket? = error as? QUICError else {
                Issue.record("unexpected: \(String(describing: error))")
                return
            }
            // The handshake is confirmed, so the answer is the server's.
            await #expect(throws: QUICError.migrationRefused) {
                try await connection.migrate(toLocal: NetworkAddress("127.0.0.1:0")!)
            }
            #expect(await connection.localAddress == local)
            try await expectEcho(connection)
        }
    }

    @Test("A listener that can't have the new address stays where it is")
    func failedRebinding() async throws {
        try await LoopbackPair.run(loops: 2, serve: echo) { pair in
            let address = pair.listener.localAddress
            // Nobody's address.
            let elsewhere = NetworkAddress("192.0.2.77:4433")!
            let error = await failure { try await pair.listener.rebind(to: elsewhere) }
            guard case .socket(let problem)? = error as? QUICError else {
                Issue.record("unexpected: \(String(describing: error))")
                return
            }
            #expect(problem.operation == .bind)
            #expect(problem.address == elsewhere)
            #expect(pair.listener.localAddress == address)
            try await expectEcho(try await pair.connect())
        }
    }

    @Test(
        "A listener that was held goes on where it stopped, with its sockets or with others",
        arguments: [true, false])
    func freeze(keepsSockets: Bool) async throws {
        try await LoopbackPair.run(at: "127.0.0.1:0", loops: 2, serve: echo) { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "before "))
            await pair.listener.hold()
            try await stream.write(ByteBuffer(string: "during "))
            try await pair.listener.resume(at: keepsSockets ? nil : pair.listener.localAddress)
            try await stream.write(ByteBuffer(string: "after"), finish: true)
            #expect(String(buffer: try await stream.collect(upTo: 100)) == "before during after")
        }
    }

    @Test("Options of sockets in use can be set again")
    func options() async throws {
        try await LoopbackPair.run(loops: 2, serve: echo) { pair in
            try await pair.listener.reapplySocketOptions()
            try await expectEcho(try await pair.connect())
        }
    }
}
