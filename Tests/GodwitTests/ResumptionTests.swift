import GodwitTestSupport
import GodwitWire
import NIOCore
import NIOPosix
import Testing

@testable import Godwit

@Suite("Later connections to the same server", .timeLimit(.minutes(15)))
struct ResumptionTests {
    @Test(
        "A session is resumed without certificates being checked anew over the network (RFC 9001 section 4.5)"
    )
    func resumption() async throws {
        try await LoopbackPair.run(serve: echo) { pair in
            let resumption = try await ticket(from: pair)
            let connection = try await pair.connect(resumption: resumption)
            #expect(try await connection.handshakeCompleted().isResumed)
        }
    }

    @Test("Early data arrives before the handshake is complete, and can be told apart (RFC 9001 section 4.6)")
    func earlyData() async throws {
        let seen = Report<Bool>()
        try await LoopbackPair.run { connection in
            for await stream in connection.incomingStreams {
                seen.send(stream.isEarlyData)
                try await echo(stream)
            }
        } _: { pair in
            let resumption = try await ticket(from: pair)
            #expect(await seen.next() == false)
            try await QUICConnection.connect(
                to: "127.0.0.1", port: pair.port, configuration: pair.client, resumption: resumption,
                offersEarlyData: true
            ) { connection in
                #expect(await connection.isEarlyData)
                try await expectEcho(connection, "early")
                #expect(await seen.next() == true)
                #expect(try await connection.handshakeCompleted().earlyDataAccepted)
                try await expectEcho(connection, "late")
                #expect(await seen.next() == false)
            }
        }
    }

    @Test(
        "Early data that the server does not take is sent again after the handshake (RFC 9001 section 4.6.2)")
    func rejectedEarlyData() async throws {
        let certificate = TestCertificate.shared
        var tls = certificate.server
        tls.earlyData = ReplayFilter(refusesFirstWindow: true)
        let keys = TicketKeys.random()
        tls.ticketKeys = keys
        let configuration = try QUICServerConfiguration(tls: tls)
        try await LoopbackPair.run(server: { $0.server = configuration.server }, serve: echo) { pair in
            let resumption = try await ticket(from: pair)
            let connection = try await pair.connect(resumption: resumption, offersEarlyData: true)
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "early"), finish: true)
            #expect(String(buffer: try await stream.collect(upTo: 100)) == "early")
            let summary = try await connection.handshakeCompleted()
            #expect(summary.isResumed)
            #expect(!summary.earlyDataAccepted)
        }
    }

    @Test("What is kept for later survives being stored")
    func storing() async throws {
        try await LoopbackPair.run(serve: echo) { pair in
            let resumption = try await ticket(from: pair)
            #expect(!resumption.addressToken.isEmpty)
            #expect(resumption.remoteAddress == pair.listener.localAddress)
        }
    }

    // Holds: 9000-8.1.3-5
    @Test("What a server gave to be known by again is shown to no other (RFC 9000 section 8.1.3)")
    func foreignToken() async throws {
        try await LoopbackPair.run(serve: echo) { pair in
            let resumption = try await ticket(from: pair)
            #expect(try await token(for: "127.0.0.1", resumption, pair) == resumption.addressToken)
            for other in ["localhost", "server.test"] {
                #expect(try await token(for: other, resumption, pair).isEmpty)
            }
        }
    }

    /// The token in the first packet of a connection to a server of this name, which does not answer.
    private func token(
        for name: String, _ resumption: QUICResumption, _ pair: LoopbackPair
    ) async throws -> [UInt8] {
        let socket = try SocketDescriptor(bindingTo: NetworkAddress("127.0.0.1:0")!, sharing: .never)
        defer { socket.close() }
        var client = pair.client
        client.resolver = FixedAddresses(["127.0.0.1"])
        let attempt = Task { [client] in
            try await QUICConnection.connect(
                to: name, port: socket.localAddress.port, configuration: client, resumption: resumption)
        }
        defer { attempt.cancel() }
        let datagram = try await NIOThreadPool.singleton.runIfActive { try socket.receive().bytes }
        let header = datagram.withUnsafeBytes { PacketHeader.decode($0, connectionIDLength: 0) }
        guard case .long(let header)? = header else { throw UnexpectedPacket() }
        return Array(datagram[header.tokenRange])
    }

    private struct UnexpectedPacket: Error {}

    private func ticket(from pair: LoopbackPair) async throws -> QUICResumption {
        let connection = try await pair.connect()
        let stream = try await connection.openStream()
        try await stream.write(ByteBuffer(string: "first"), finish: true)
        _ = try await stream.collect(upTo: 100)
        let resumption = try #require(await connection.resumptionTickets.first { _ in true })
        await connection.close()
        return resumption
    }
}
