import GodwitHTTP3
import GodwitTestSupport
import HTTPTypes
import NIOCore
import Testing

@Suite("Tunnels, datagrams and priorities", .timeLimit(.minutes(15)))
struct TunnelTests {
    // Holds: 9220-3-4, 9220-3-5, 9220-3-6
    @Test("Extended CONNECT makes a stream a tunnel for another protocol (RFC 9220 section 3)")
    func extendedConnect() async throws {
        try await HTTP3Pair.run {
            $0.isExtendedConnectEnabled = true
        } handler: { request, body, response in
            #expect(request.isExtendedConnect)
            #expect(request.extendedConnectProtocol == "echo")
            let writer = try await response.send(.ok)
            for try await chunk in body { try await writer.write(chunk) }
        } _: { pair in
            try await pair.withClient { client in
                let tunnel = try await client.begin(.tunnel)
                let (response, body) = try await tunnel.response()
                #expect(response.status == .ok)
                try await tunnel.writer.write(Array("hello".utf8))
                var answers = body.makeAsyncIterator()
                let answer = try await answers.next()
                #expect(answer.map { String(buffer: $0) } == "hello")
                try await tunnel.writer.finish()
                let end = try await answers.next()
                #expect(end == nil)
            }
        }
    }

    @Test("A client does not send extended CONNECT to a server that has not enabled it (RFC 8441 section 3)")
    func notEnabled() async throws {
        try await HTTP3Pair.run { request, body, response in
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                let error = await failure { try await client.begin(.tunnel) }
                #expect(error as? HTTP3Failure == .notSent(.notEnabledByPeer))
            }
        }
    }

    @Test("Datagrams go both ways beside a tunnel (RFC 9297 section 2.1)")
    func datagrams() async throws {
        try await HTTP3Pair.run {
            $0.isExtendedConnectEnabled = true
            $0.areDatagramsEnabled = true
        } client: {
            $0.areDatagramsEnabled = true
        } handler: { request, body, response in
            _ = try await response.send(.ok)
            for await datagram in response.datagrams {
                var answer = ByteBuffer(string: "echo ")
                answer.writeImmutableBuffer(datagram)
                try await response.datagrams.send(answer)
                return
            }
        } _: { pair in
            try await pair.withClient { client in
                let tunnel = try await client.begin(.tunnel)
                _ = try await tunnel.response()
                #expect(try #require(await tunnel.datagrams.maximumSize) > 1000)
                try await tunnel.datagrams.send(ByteBuffer(string: "hello"))
                let answer = await tunnel.datagrams.first { _ in true }
                #expect(answer.map { String(buffer: $0) } == "echo hello")
            }
        }
    }

    @Test("A client says how urgent a response is, with the request and later (RFC 9218 sections 4 and 7)")
    func priorities() async throws {
        let (seen, goOn) = (Report<HTTP3Priority>(), Report<Void>())
        try await HTTP3Pair.run { request, body, response in
            seen.send(await response.context.priority)
            _ = await goOn.next()
            seen.send(await response.context.priority)
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                var options = HTTP3RequestOptions()
                options.priority = HTTP3Priority(urgency: 1, isIncremental: true)
                let request = try await client.begin(.test(), options: options)
                try await request.writer.finish()
                #expect(await seen.next() == HTTP3Priority(urgency: 1, isIncremental: true))
                try await request.setPriority(HTTP3Priority(urgency: 6))
                // The control stream is read before the stream of a request that was sent later.
                async let second = client.send(.test())
                #expect(await seen.next() == .default)
                goOn.send()
                goOn.send()
                #expect(await seen.next() == HTTP3Priority(urgency: 6))
                _ = try await (request.response(), second)
            }
        }
    }
}

extension HTTPRequest {
    fileprivate static var tunnel: HTTPRequest {
        var request = HTTPRequest(method: .connect, scheme: "https", authority: "localhost", path: "/tunnel")
        request.extendedConnectProtocol = "echo"
        return request
    }
}
