import Godwit
import GodwitTestSupport
import NIOCore
import NIOPosix
import Testing

@Suite("Connections over the loopback interface", .timeLimit(.minutes(15)))
struct ConnectionTests {
    @Test("Both sides learn with what code and words the other closed (RFC 9000 section 10.2)")
    func closing() async throws {
        let (accepted, seen) = (Report<Void>(), Report<ConnectionCloseReason>())
        try await LoopbackPair.run { connection in
            accepted.send()
            seen.send(try await connection.closed)
        } _: { pair in
            let connection = try await pair.connect()
            await accepted.next()
            let stream = try await connection.openStream()
            let reading = Task { try await stream.read() }
            await connection.close(code: 1234, reason: "enough")
            #expect(await seen.next() == .application(code: 1234, reason: "enough", byPeer: true))
            let reason = ConnectionCloseReason.application(code: 1234, reason: "enough", byPeer: false)
            await #expect(throws: QUICError.connectionClosed(reason)) { try await reading.value }
            await #expect(throws: QUICError.connectionClosed(reason)) { try await connection.openStream() }
            #expect(await connection.incomingStreams.first { _ in true } == nil)
        }
    }

    @Test("What came before the close can still be read")
    func readingAfterClose() async throws {
        try await LoopbackPair.run { connection in
            for await stream in connection.incomingStreams {
                try await stream.write(ByteBuffer(string: "last words"), finish: true)
                try await stream.waitUntilDelivered()
                return await connection.close(code: 1)
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "?"), finish: true)
            _ = try await connection.closed
            #expect(String(buffer: try await stream.collect(upTo: 100)) == "last words")
        }
    }

    @Test("A connection whose last reference goes is closed")
    func dropped() async throws {
        let (accepted, seen) = (Report<Void>(), Report<ConnectionCloseReason>())
        try await LoopbackPair.run(client: { $0.cancellationCode = 9 }) { connection in
            accepted.send()
            seen.send(try await connection.closed)
        } _: { pair in
            do {
                let connection = try await pair.connect()
                await accepted.next()
                withExtendedLifetime(connection) {}
            }
            #expect(await seen.next() == .application(code: 9, reason: "", byPeer: true))
        }
    }

    @Test("The handshake tells what was agreed on (RFC 9001 section 8.1)")
    func handshake() async throws {
        let seen = Report<HandshakeSummary>()
        try await LoopbackPair.run { connection in
            seen.send(try await connection.handshakeCompleted())
            _ = try await connection.closed
        } _: { pair in
            let connection = try await pair.connect()
            let client = try await connection.handshakeCompleted()
            let server = try #require(await seen.next())
            #expect(client.applicationProtocol == LoopbackPair.applicationProtocol)
            #expect(server.applicationProtocol == LoopbackPair.applicationProtocol)
            #expect(client.peerCertificates == [TestCertificate.shared.certificate.der])
            #expect(
                client.exporterSecret.export(label: "test", length: 16)
                    == server.exporterSecret.export(label: "test", length: 16))
            #expect(await !connection.isEarlyData)
            #expect(await connection.applicationProtocol == LoopbackPair.applicationProtocol)
            #expect(await connection.remoteAddress == pair.listener.localAddress)
        }
    }

    @Test("A server whose certificate is not trusted is not connected to (RFC 9001 section 4.4)")
    func untrusted() async throws {
        let other = try SelfSignedCertificate.make(names: ["localhost"]).certificate
        try await LoopbackPair.run { connection in
            _ = try await connection.closed
        } _: { pair in
            let client = try QUICClientConfiguration(
                applicationProtocols: [LoopbackPair.applicationProtocol], trust: .certificates([other]))
            let error = await failure {
                try await QUICConnection.connect(to: "127.0.0.1", port: pair.port, configuration: client)
            }
            guard case .connectFailed("127.0.0.1", let attempts)? = error as? QUICError,
                case .transport(let code, _, _, byPeer: false)? = attempts.first?.reason
            else {
                Issue.record("unexpected: \(String(describing: error))")
                return
            }
            #expect(code.tlsAlert != nil)
        }
    }

    @Test("Certificates and keys can be read from files, and a bad one is named")
    func files() throws {
        let made = try SelfSignedCertificate.make(names: ["localhost"])
        try withTemporaryFile(made.certificate.pem) { certificate in
            try withTemporaryFile(made.key.pem) { key in
                let identity = try Identity.files(certificates: certificate, key: key)
                #expect(identity.certificates == [made.certificate])
                guard case .certificates([made.certificate]) = try TrustPolicy.file(certificate) else {
                    Issue.record("another certificate")
                    return
                }
                #expect(throws: TLSConfigurationError.self) {
                    try Identity.files(certificates: key, key: certificate)
                }
            }
        }
        let missing = TLSConfigurationError(source: "/no/such/file", problem: "No such file or directory")
        #expect(throws: missing) { try TrustPolicy.file("/no/such/file") }
    }

    @Test("Keys can be replaced while data flows (RFC 9001 section 6)")
    func keyUpdate() async throws {
        try await LoopbackPair.run(serve: echo) { pair in
            let connection = try await pair.connect()
            for round in 1...3 {
                await connection.updateKeys()
                let stream = try await connection.openStream()
                try await stream.write(pattern(20_000), finish: true)
                #expect(Array(buffer: try await stream.collect(upTo: 20_000)) == pattern(20_000))
                #expect(await connection.statistics.keyUpdates <= UInt64(round))
            }
            #expect(await connection.statistics.keyUpdates >= 1)
        }
    }

    @Test("Datagrams go both ways (RFC 9221)")
    func datagrams() async throws {
        try await LoopbackPair.run {
            $0.transport.maxDatagramFrameSize = 1200
        } client: {
            $0.transport.maxDatagramFrameSize = 1200
        } serve: { connection in
            for await datagram in connection.datagrams { try await connection.sendDatagram(datagram) }
        } _: { pair in
            let connection = try await pair.connect()
            #expect(try #require(await connection.maxDatagramSize) > 1000)
            var answers = connection.datagrams.makeAsyncIterator()
            for size in [0, 1, 500, 1000] {
                try await connection.sendDatagram(ByteBuffer(bytes: pattern(size)))
                #expect(await answers.next() == ByteBuffer(bytes: pattern(size)))
            }
            let error = await failure {
                try await connection.sendDatagram(ByteBuffer(repeating: 0, count: 1200))
            }
            guard case .datagramTooLarge(let limit)? = error as? QUICError else {
                Issue.record("unexpected: \(String(describing: error))")
                return
            }
            #expect(1000..<1200 ~= limit)
        }
    }

    @Test("A peer that wants no datagrams is sent none (RFC 9221 section 3)")
    func datagramsNotAccepted() async throws {
        try await LoopbackPair.run { connection in
            _ = try await connection.closed
        } _: { pair in
            let connection = try await pair.connect()
            #expect(await connection.maxDatagramSize == nil)
            await #expect(throws: QUICError.datagramsNotAccepted) {
                try await connection.sendDatagram(ByteBuffer(string: "hello?"))
            }
        }
    }

    @Test("What a task does runs on the connection's event loop")
    func executor() async throws {
        try await withEventLoops(1) { group in
            let loop = group.next()
            try await LoopbackPair.run(serve: echo) { pair in
                try await QUICConnection.connect(
                    to: "127.0.0.1", port: pair.port, configuration: pair.client, eventLoopGroup: group
                ) { connection in
                    #expect(loop.inEventLoop)
                    let stream = try await connection.openStream()
                    try await stream.write(ByteBuffer(string: "ping"), finish: true)
                    _ = try await stream.collect(upTo: 10)
                    #expect(loop.inEventLoop)
                }
            }
        }
    }
}
