import GodwitTestSupport
import HTTPTypes
import NIOCore
import Testing

@testable import GodwitHTTP3

@Suite("Content and the rules about it", .timeLimit(.minutes(15)))
struct ContentTests {
    @Test("The answer to HEAD has the length of the content and none of it (RFC 9110 section 9.3.2)")
    func head() async throws {
        try await HTTP3Pair.run { request, body, response in
            if request.path == "/whole" { return try await response.respond(.ok, body: "content") }
            let writer = try await response.send(.ok, fields: [.contentLength: "7"])
            try await writer.write(Array("content".utf8))
            try await writer.finish()
        } _: { pair in
            try await pair.withClient { client in
                for path in ["/whole", "/pieces"] {
                    let (response, body) = try await client.send(.test(.head, path))
                    #expect(response.status == .ok)
                    #expect(response.headerFields[.contentLength] == "7")
                    #expect(try await body.collect(upTo: 100).readableBytes == 0)
                }
            }
        }
    }

    @Test(
        "Status 204 and 304 have no content, and 204 no length (RFC 9110 sections 6.4.1 and 8.6)",
        arguments: [204, 304])
    func contentless(status: Int) async throws {
        try await HTTP3Pair.run { request, body, response in
            let refused = await failure {
                let writer = try await response.send(.init(code: status), fields: [.contentLength: "7"])
                try await writer.write(Array("content".utf8))
            }
            #expect(refused as? HTTP3Failure == .contentNotAllowed(status: status))
        } _: { pair in
            try await pair.withClient { client in
                let (response, body) = try await client.send(.test())
                #expect(response.status.code == status)
                #expect(response.headerFields[.contentLength] == (status == 204 ? nil : "7"))
                #expect(try await body.collect(upTo: 100).readableBytes == 0)
            }
        }
    }

    @Test(
        "A handler can't send more than it said, and the client knows of it (RFC 9114 section 4.1.2)"
    )
    func tooMuch() async throws {
        let refused = Report<HTTP3Failure?>()
        try await HTTP3Pair.run { request, body, response in
            let writer = try await response.send(.ok, fields: [.contentLength: "3"])
            refused.send(await failure { try await writer.write(Array("four".utf8)) } as? HTTP3Failure)
        } _: { pair in
            try await pair.withClient { client in
                // The reset may overtake the head.
                let error = await failure { try await client.send(.test()).1.collect(upTo: 100) }
                #expect((error as? HTTP3Failure)?.peerCode == .internalError)
                #expect(await refused.next() == .notSent(.contentLengthMismatch))
            }
        }
    }

    @Test("A handler that throws before it answers leaves a 500, afterwards a reset (H3_INTERNAL_ERROR)")
    func throwing() async throws {
        struct Broken: Error {}
        let log = LogRecorder()
        try await HTTP3Pair.run {
            $0.logger = log.logger
        } handler: { request, body, response in
            if request.path == "/late" { _ = try await response.send(.ok) }
            throw Broken()
        } _: { pair in
            try await pair.withClient { client in
                let (early, _) = try await client.send(.test(.get, "/early"))
                #expect(early.status == .internalServerError)
                let late = await failure {
                    let (response, body) = try await client.send(.test(.get, "/late"))
                    #expect(response.status == .ok)
                    _ = try await body.collect(upTo: 100)
                }
                #expect((late as? HTTP3Failure)?.peerCode == .internalError)
            }
        }
        #expect(log.lines.count { $0.hasPrefix("error a request's handler failed") } == 2)
    }

    @Test("A handler that returns without an answer leaves a 500; what it has begun is finished")
    func returning() async throws {
        try await HTTP3Pair.run { request, body, response in
            guard request.path == "/begun" else { return }
            try await response.send(.ok).write(Array("begun".utf8))
        } _: { pair in
            try await pair.withClient { client in
                let (nothing, _) = try await client.send(.test())
                #expect(nothing.status == .internalServerError)
                let (begun, body) = try await client.send(.test(.get, "/begun"))
                #expect(begun.status == .ok)
                #expect(String(buffer: try await body.collect(upTo: 100)) == "begun")
            }
        }
    }

    @Test("Content that nobody reads stays with the client, but for 4 KB (RFC 9114 section 4.1)")
    func backpressure() async throws {
        let (arrived, goOn) = (Report<Exchange>(), Report<Void>())
        try await HTTP3Pair.run { request, body, response in
            if request.method == .post {
                arrived.send(body.exchange)
                _ = await goOn.next()
                let count = try await body.collect(upTo: 1 << 20).readableBytes
                return try await response.respond(.ok, body: "\(count)")
            }
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                async let upload = client.send(.test(.post), body: .bytes(pattern(300_000)))
                let exchange = try #require(await arrived.next())
                for _ in 0..<3 { _ = try await client.send(.test()).1.collect(upTo: 0) }
                let received = await exchange.onLoop { exchange.inbound.received }
                #expect(received <= HTTP3ConnectionDriver.headPiece)
                goOn.send()
                let answer = try await upload.1.collect(upTo: 100)
                #expect(String(buffer: answer) == "300000")
            }
        }
    }

    @Test("A handler that writes faster than the client reads has to wait for it (RFC 9000 section 4)")
    func writingWaits() async throws {
        let written = Report<Int>()
        try await HTTP3Pair.run {
            $0.limits.sendBuffer = 16 << 10
        } client: {
            $0.quic.transport.initialStreamWindow = 16 << 10
            $0.quic.transport.maxStreamWindow = 16 << 10
        } handler: { request, body, response in
            let writer = try await response.send(.ok)
            for number in 1...100 {
                try await writer.write(pattern(10_000))
                written.send(number)
            }
        } _: { pair in
            try await pair.withClient { client in
                let (_, body) = try await client.send(.test())
                #expect(await written.next() == 1)
                // Both windows together hold less than a twentieth of it; so what comes whole has waited.
                #expect(try await body.collect(upTo: 2_000_000).readableBytes == 1_000_000)
            }
        }
    }

    @Test(
        "Collecting takes no more than it was told, and the answer is 413 then (RFC 9110 section 15.5.14)"
    )
    func collectLimit() async throws {
        try await HTTP3Pair.run { request, body, response in
            let content = try await body.collect(upTo: 5)
            try await response.respond(.ok, body: content)
        } _: { pair in
            try await pair.withClient { client in
                let (fits, body) = try await client.send(.test(.post), body: .bytes(Array("12345".utf8)))
                #expect(fits.status == .ok)
                #expect(String(buffer: try await body.collect(upTo: 5)) == "12345")
                let (large, _) = try await client.send(.test(.post), body: .bytes(Array("123456".utf8)))
                #expect(large.status.code == 413)
                let streamed = HTTP3Content.writing { try await $0.write(Array("123456".utf8)) }
                let (unannounced, _) = try await client.send(.test(.post), body: streamed)
                #expect(unannounced.status.code == 413)
            }
        }
    }

    // Holds: 9114-4.1-9
    @Test(
        "A handler that needs no content answers at once, and the client stops sending (RFC 9114 section 4.1)"
    )
    func earlyAnswer() async throws {
        try await HTTP3Pair.run { request, body, response in
            try await response.respond(.ok, body: "enough")
        } _: { pair in
            try await pair.withClient { client in
                let stopped = Report<HTTP3Failure?>()
                let endless = HTTP3Content.writing { writer in
                    let error = await failure { while true { try await writer.write(pattern(1000)) } }
                    stopped.send(error as? HTTP3Failure)
                }
                let (response, body) = try await client.send(.test(.post), body: endless)
                #expect(response.status == .ok)
                #expect(String(buffer: try await body.collect(upTo: 100)) == "enough")
                #expect(await stopped.next()??.peerCode == .noError)
            }
        }
    }

    @Test("A frame's header that comes apart from its content keeps nobody waiting, wherever the pieces part")
    func headerAlone() async throws {
        let hasBegin = Report<Void>()
        try await HTTP3Pair.run { request, body, response in
            let writer = try await response.send(.ok)
            try await writer.write(pattern(Int(request.path?.dropFirst() ?? "") ?? 0))
            // The transport keeps what comes now where the first piece ends, and shows less of it at once where
            // its memory does.
            await hasBegin.next()
            try await writer.write(pattern(35))
            try await writer.finish()
        } _: { pair in
            try await pair.withClient { client in
                for size in 970...1024 {
                    let (_, body) = try await client.send(.test(.get, "/\(size)"))
                    var received = 0
                    for try await piece in body {
                        received += piece.readableBytes
                        if received == size { hasBegin.send() }
                    }
                    #expect(received == size + 35)
                }
            }
        }
    }
}
