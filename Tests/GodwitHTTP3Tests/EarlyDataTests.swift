import Godwit
import GodwitHTTP3
import HTTPTypes
import NIOCore
import Testing

@Suite("Requests before the handshake is complete", .timeLimit(.minutes(15)))
struct EarlyDataTests {
    // Holds: 9114-10.9-1
    @Test(
        "A safe request goes out as early data, any other waits for the handshake (RFC 8470 section 4)"
    )
    func safeMethods() async throws {
        try await HTTP3Pair.run(handler: tellWhen) { pair in
            let resumption = try await resumption(from: pair)
            try await pair.withClient(resumption: resumption) { client in
                async let post = answer(client.send(.test(.post), body: .bytes([1])))
                async let get = answer(client.send(.test(.get)))
                let answers = try await (get, post)
                #expect(answers == ("early", "late"))
                #expect(try await client.quic.handshakeCompleted().earlyDataAccepted)
            }
        }
    }

    // Holds: 9114-10.9-1
    @Test(
        "Upon 425 the client comes again after the handshake (RFC 8470 section 5.2)"
    )
    func tooEarly() async throws {
        try await HTTP3Pair.run {
            $0.earlyData = .noRequests
        } handler: {
            try await tellWhen($0, $1, $2)
        } _: { pair in
            let resumption = try await resumption(from: pair)
            try await pair.withClient(resumption: resumption) { client in
                let answered = try await answer(client.send(.test()))
                #expect(answered == "late")
                #expect(try await client.quic.handshakeCompleted().earlyDataAccepted)
            }
        }
    }

    // Holds: 9114-10.9-1
    @Test("A raw client's POST in early data gets 425, unless the handler opted in (RFC 8470 section 5.2)")
    func unsafeEarlyData() async throws {
        // Our own client never sends one, so what is held here is the server's choice alone.
        for (policy, expected) in [(HTTP3EarlyDataPolicy.safeRequests, 425), (.allRequests, 200)] {
            try await HTTP3Pair.run {
                $0.earlyData = policy
            } handler: {
                try await tellWhen($0, $1, $2)
            } _: { pair in
                let resumption = try await resumption(from: pair)
                try await QUICConnection.connect(
                    to: pair.host, port: pair.port, configuration: pair.client.quic,
                    resumption: resumption.quic,
                    offersEarlyData: true, eventLoopGroup: pair.group
                ) { connection in
                    let raw = RawClient(connection: connection)
                    let status = try await raw.status(of: raw.post)
                    #expect(status == expected)
                    #expect(try await connection.handshakeCompleted().earlyDataAccepted)
                }
            }
        }
    }

    // Holds: 9114-7.2.4.2-6, 9114-7.2.4.2-7, 9204-3.2.3-2
    @Test(
        "A server with other settings refuses early data, and nothing is lost (RFC 9114 section 7.2.4.2)"
    )
    func changedSettings() async throws {
        let keys = TicketKeys.random()
        let kept = try await HTTP3Pair.run(configuration: configuration(keys), handler: tellWhen) { pair in
            try await resumption(from: pair)
        }
        let changed = try configuration(keys) { $0.limits.fieldSectionSize = 20_000 }
        try await HTTP3Pair.run(configuration: changed, handler: tellWhen) { pair in
            try await pair.withClient(resumption: kept) { client in
                #expect(try await answer(client.send(.test())) == "late")
                let summary = try await client.quic.handshakeCompleted()
                #expect(summary.isResumed)
                #expect(!summary.earlyDataAccepted)
            }
        }
        try await HTTP3Pair.run(configuration: configuration(keys), handler: tellWhen) { pair in
            try await pair.withClient(resumption: kept) { client in
                let answered = try await answer(client.send(.test()))
                #expect(answered == "early")
            }
        }
    }

    @Test("Where no early data was sent the server's settings need not fit (RFC 9114 section 7.2.4.2)")
    func nothingEarly() async throws {
        let keys = TicketKeys.random()
        let kept = try await HTTP3Pair.run(configuration: configuration(keys), handler: tellWhen) { pair in
            try await resumption(from: pair)
        }
        let changed = try configuration(keys) {
            $0.limits.fieldSectionSize = 20_000
            $0.limits.qpackTableCapacity = 256
        }
        try await HTTP3Pair.run(configuration: changed, handler: tellWhen) { pair in
            let client = try await HTTP3Client.connect(
                to: pair.host, port: pair.port, configuration: pair.client, resumption: kept,
                offersEarlyData: false, eventLoopGroup: pair.group)
            #expect(try await client.quic.handshakeCompleted().isResumed)
            #expect(try await answer(client.send(.test())) == "late")
            // Comes once the server's settings have.
            let renewed = try #require(await client.resumptions.first { _ in true })
            #expect(renewed.settings.maximumFieldSectionSize == 20_000)
            #expect(try await answer(client.send(.test())) == "late")
            await client.close()
        }
    }

    @Test("What is kept for a later connection has the server's settings (RFC 9114 section 7.2.4.2)")
    func settings() async throws {
        try await HTTP3Pair.run {
            $0.limits.fieldSectionSize = 12_345
            $0.isExtendedConnectEnabled = true
        } handler: {
            try await tellWhen($0, $1, $2)
        } _: { pair in
            let resumption = try await resumption(from: pair)
            #expect(resumption.settings.maximumFieldSectionSize == 12_345)
            #expect(resumption.settings.isConnectProtocolEnabled)
        }
    }

    private func configuration(
        _ keys: TicketKeys, _ change: (inout HTTP3ServerConfiguration) -> Void = { _ in }
    ) throws -> HTTP3ServerConfiguration {
        var tls = TLSServerConfiguration(
            applicationProtocols: ["h3"], credentials: ServerCredentials([TestCertificate.shared.identity]))
        tls.ticketKeys = keys
        tls.earlyData = ReplayFilter(refusesFirstWindow: false)
        var configuration = try HTTP3ServerConfiguration(tls: tls)
        change(&configuration)
        return configuration
    }

    private func resumption(from pair: HTTP3Pair) async throws -> HTTP3Resumption {
        try await pair.withClient { client in
            #expect(try await answer(client.send(.test())) == "late")
            return try #require(await client.resumptions.first { _ in true })
        }
    }

    private func answer(_ message: (HTTPResponse, HTTP3Body)) async throws -> String {
        String(buffer: try await message.1.collect(upTo: 100))
    }
}

/// Answers whether the request came in early data.
@Sendable
private func tellWhen(
    _ request: HTTPRequest, _ body: HTTP3Body, _ response: HTTP3ResponseWriter
) async throws {
    try await response.respond(.ok, body: await response.context.isEarlyData ? "early" : "late")
}
