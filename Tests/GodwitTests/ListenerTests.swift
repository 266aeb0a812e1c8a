import GodwitTestSupport
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import Godwit

@Suite("Listeners", .timeLimit(.minutes(15)))
struct ListenerTests {
    @Test("Several event loops serve at once")
    func loops() async throws {
        try await LoopbackPair.run(at: "127.0.0.1:0", loops: 4, serve: echo) { pair in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<16 {
                    group.addTask { try await expectEcho(try await pair.connect(), "client \(index)") }
                }
                try await group.waitForAll()
            }
            #expect(await pair.listener.statistics.accepted == 16)
        }
    }

    @Test("Connections can be taken one by one")
    func connections() async throws {
        try await LoopbackPair.run(loops: 2) { pair in
            let serving = Task {
                for try await connection in pair.listener.connections { Task { await echo(connection) } }
            }
            for index in 0..<4 { try await expectEcho(try await pair.connect(), "client \(index)") }
            await pair.listener.shutdown(gracePeriod: .zero)
            try await serving.value
        }
    }

    @Test("While too many connections wait for the application, clients are refused (RFC 9000 section 5.2.2)")
    func pendingLimit() async throws {
        try await LoopbackPair.run(server: { $0.maxPendingConnections = 2 }) { pair in
            let (first, second) = (try await pair.connect(), try await pair.connect())
            // A client's handshake may be complete before the server's.
            while !pair.listener.acceptQueue.refusesClients { await Task.yield() }
            let error = await failure { try await pair.connect() }
            guard case .connectFailed(_, let attempts)? = error as? QUICError,
                case .transport(.connectionRefused, _, _, byPeer: true)? = attempts.first?.reason
            else {
                Issue.record("unexpected: \(String(describing: error))")
                return
            }
            var connections = pair.listener.connections.makeAsyncIterator()
            _ = try await connections.next()
            let third = try await pair.connect()
            _ = (first, second, third)
        }
    }

    @Test("A shutdown lets connections come to an end by themselves, and closes what is left")
    func shutdown() async throws {
        try await withEventLoops(2) { group in
            try await LoopbackPair.run(loops: 2) { connection in
                await echo(connection)
            } _: { pair in
                let (kind, stubborn) = (try await pair.connect(), try await pair.connect())
                try await expectEcho(kind)
                try await expectEcho(stubborn)
                async let shutdown: Void = pair.listener.shutdown(gracePeriod: .milliseconds(200), code: 77)
                await kind.close(code: 1)
                #expect(try await stubborn.closed == .application(code: 77, reason: "", byPeer: true))
                await shutdown
                let error = await failure {
                    var client = pair.client
                    client.transport.handshakeTimeout = .milliseconds(100)
                    _ = try await QUICConnection.connect(
                        to: "127.0.0.1", port: pair.port, configuration: client, eventLoopGroup: group)
                }
                #expect(error is QUICError)
            }
        }
    }

    @Test("A listener is a service that ends when its group is shut down")
    func service() async throws {
        try await LoopbackPair.run { pair in
            let service = QUICService(pair.listener, gracePeriod: .seconds(10)) { connection in
                await echo(connection)
            }
            let group = ServiceGroup(services: [service], logger: .init(label: "test"))
            let running = Task { try await group.run() }
            let connection = try await pair.connect()
            try await expectEcho(connection)
            await group.triggerGracefulShutdown()
            // The connection goes on until it is closed.
            try await expectEcho(connection)
            await connection.close()
            try await running.value
        }
    }

    @Test("Streams that are opened and reset before anybody takes them leave nothing behind")
    func resetFlood() async throws {
        let waiting = Report<Int>()
        try await LoopbackPair.run {
            $0.transport.maxDatagramFrameSize = 1200
        } serve: { connection in
            // Takes no stream until the last has come.
            for await datagram in connection.datagrams where datagram.readableBytes > 0 {
                waiting.send(connection.driver.incoming.count)
            }
        } _: { pair in
            var client = pair.client
            client.transport.maxDatagramFrameSize = 1200
            let connection = try await QUICConnection.connect(
                to: "127.0.0.1", port: pair.port, configuration: client)
            for _ in 0..<500 {
                let stream = try await connection.openUnidirectionalStream()
                try await stream.write(ByteBuffer(string: "x"))
                await stream.reset(code: 0)
            }
            // Datagrams get lost.
            let asking = Task {
                while !Task.isCancelled {
                    try await connection.sendDatagram(ByteBuffer(string: "done"))
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            defer { asking.cancel() }
            let count = try #require(await waiting.next())
            #expect(count <= 100)
        }
    }

    @Test("Connections end when their event loops shut down")
    func eventLoopShutdown() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await LoopbackPair.run(serve: echo) { pair in
            let connection = try await QUICConnection.connect(
                to: "127.0.0.1", port: pair.port, configuration: pair.client, eventLoopGroup: group)
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "hello"))
            let hasRead = Report<Void>()
            // On the event loop it waits for more before anything else can happen there. Nobody may begin to use
            // a connection when the loop is gone.
            let reading = Task(executorPreference: connection.executor) {
                while try await stream.read() != nil { hasRead.send() }
            }
            await hasRead.next()
            try await group.shutdownGracefully()
            await #expect(throws: QUICError.connectionClosed(.noViablePath)) { try await reading.value }
        }
    }

    @Test("A service that is cancelled ends at once, and its connections with it")
    func cancelledService() async throws {
        try await LoopbackPair.run { pair in
            let ended = Report<Void>()
            let service = QUICService(pair.listener) { connection in
                for await stream in connection.incomingStreams { try? await echo(stream) }
                ended.send()
            }
            let running = Task { try await service.run() }
            let connection = try await pair.connect()
            try await expectEcho(connection)
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            await ended.next()
            #expect(try await connection.closed == .application(code: 0, reason: "", byPeer: true))
        }
    }

    @Test("An address that is in use can't be listened at")
    func addressInUse() async throws {
        try await LoopbackPair.run { pair in
            let configuration = try QUICServerConfiguration(tls: TestCertificate.shared.server)
            let address = pair.listener.localAddress
            let error = await failure {
                try await QUICListener.bind(to: address, configuration: configuration)
            }
            guard case .socket(let problem)? = error as? QUICError else {
                Issue.record("unexpected: \(String(describing: error))")
                return
            }
            #expect(problem.operation == .bind)
            #expect("\(problem)" == "cannot bind a UDP socket at \(address): Address already in use")
        }
    }

    @Test("Junk from anywhere does no harm (RFC 9000 section 21)")
    func junk() async throws {
        try await LoopbackPair.run(at: "127.0.0.1:0", loops: 2, serve: echo) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let attacker = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: 0).get()
            let target = try SocketAddress(ipAddress: "127.0.0.1", port: Int(pair.port))
            for seed in 1...2000 {
                var bytes = pattern(1 + seed * 7 % 1300, seed: UInt64(seed))
                // Short headers, Initial packets, and whatever else there is.
                if seed % 4 == 0 { bytes[0] = 0x40 | bytes[0] & 0x3f }
                if seed % 4 == 1, bytes.count > 6 {
                    bytes.replaceSubrange(0..<6, with: [0xc3, 0, 0, 0, 1, 13])
                }
                if seed % 4 == 2, bytes.count > 2 { bytes.replaceSubrange(0..<2, with: [0x41, 12]) }
                let envelope = AddressedEnvelope(remoteAddress: target, data: ByteBuffer(bytes: bytes))
                try await attacker.writeAndFlush(envelope)
            }
            try await expectEcho(connection, "still here")
            try await expectEcho(try await pair.connect(), "and open")
            try await attacker.close()
        }
    }
}
