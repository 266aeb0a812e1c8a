import Godwit
import GodwitHTTP3
import GodwitTestSupport
import HTTPTypes
import NIOCore
import Testing

@Suite("What a server bears from its clients", .timeLimit(.minutes(15)))
struct LimitTests {
    @Test(
        "A header section above the limit costs its request and no more (RFC 9114 section 4.2.2)"
    )
    func fieldSection() async throws {
        let log = LogRecorder()
        try await HTTP3Pair.run {
            $0.limits.fieldSectionSize = 1000
            $0.logger = log.logger
        } handler: { request, body, response in
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                let (small, _) = try await client.send(.test())
                #expect(small.status == .ok)
                // Past the check of our own client, which keeps to what the server has announced.
                let error = await failure { try await client.send(large) } as? HTTP3Failure
                guard case .notSent(.fieldSectionTooLarge(let size, 1000))? = error else {
                    return #expect(Bool(false), "\(error as Any)")
                }
                #expect(size > 1000)
            }
            try await RawClient.connect(to: pair) { raw in
                let refusal = try await raw.status(of: raw.get(fieldSize: 2000))
                #expect(refusal == 431)
                #expect(try await raw.status(of: raw.get(fieldSize: 10)) == 200)
            }
        }
        #expect(log.names(limit: "fieldSectionSize"))
    }

    private var large: HTTPRequest { .test(fields: [.userAgent: String(repeating: "x", count: 1000)]) }

    @Test(
        "Content announced as too large never reaches the handler (RFC 9110 section 15.5.14)"
    )
    func contentSize() async throws {
        let log = LogRecorder()
        try await HTTP3Pair.run {
            $0.limits.contentSize = 10
            $0.logger = log.logger
        } handler: { request, body, response in
            #expect(request.headerFields[.contentLength] != "11")
            for try await _ in body {}
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                let (fits, _) = try await client.send(.test(.post), body: .bytes(pattern(10)))
                #expect(fits.status == .ok)
                let (announced, _) = try await client.send(.test(.post), body: .bytes(pattern(11)))
                #expect(announced.status.code == 413)
                let streamed = HTTP3Content.writing { try await $0.write(pattern(11)) }
                let (unannounced, _) = try await client.send(.test(.post), body: streamed)
                #expect(unannounced.status.code == 413)
            }
        }
        #expect(log.names(limit: "contentSize"))
    }

    @Test(
        "A header section that comes too slowly is a request that nobody has seen (RFC 9114 section 4.1.1)"
    )
    func headerTime() async throws {
        let log = LogRecorder()
        try await HTTP3Pair.run {
            $0.limits.requestHeaderTime = .milliseconds(20)
            $0.logger = log.logger
        } handler: { request, body, response in
            #expect(Bool(false), "no request came")
        } _: { pair in
            try await RawClient.connect(to: pair) { raw in
                let stream = try await raw.connection.openStream()
                try await stream.write([0x01])
                let thrown = await failure { try await stream.collect(upTo: 100) }
                let expected = QUICError.streamResetByPeer(code: HTTP3ErrorCode.requestRejected.rawValue)
                #expect(thrown as? QUICError == expected, "\(String(describing: thrown))")
            }
        }
        #expect(log.names(limit: "requestHeaderTime"))
    }

    @Test("A client that stops in the middle of its content gets 408 (RFC 9110 section 15.5.9)")
    func contentTime() async throws {
        let log = LogRecorder()
        try await HTTP3Pair.run {
            $0.limits.contentIdleTime = .milliseconds(20)
            $0.logger = log.logger
        } handler: { request, body, response in
            for try await _ in body {}
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                let request = try await client.begin(.test(.post))
                try await request.writer.write([1])
                #expect(try await request.response().0.status.code == 408)
            }
        }
        #expect(log.names(limit: "contentIdleTime"))
    }

    @Test("A client that takes nothing of an answer loses it")
    func sendingTime() async throws {
        let log = LogRecorder()
        let begun = Report<Void>()
        let ended = Report<HTTP3Failure?>()
        try await HTTP3Pair.run {
            $0.limits.sendingIdleTime = .milliseconds(20)
            $0.limits.sendBuffer = 16 << 10
            $0.logger = log.logger
        } client: {
            $0.quic.transport.initialStreamWindow = 16 << 10
        } handler: { request, body, response in
            let writer = try await response.send(.ok)
            // A client that has not read the head when the time is over would not see the response at all.
            _ = await begun.next()
            ended.send(await failure { try await writer.write(pattern(200_000)) } as? HTTP3Failure)
        } _: { pair in
            try await pair.withClient { client in
                let (_, body) = try await client.send(.test())
                begun.send()
                #expect(await ended.next() == .timedOut(.sending))
                #expect(await failure { for try await _ in body {} } is HTTP3Failure)
            }
        }
        #expect(log.names(limit: "sendingIdleTime"))
    }

    @Test("A client that opens requests and cancels them at once is cut off (RFC 9114 section 10.5)")
    func rapidReset() async throws {
        let log = LogRecorder()
        let begun = Report<Void>()
        try await HTTP3Pair.run {
            $0.limits.cancelledRequests = 3
            $0.limits.cancelledRequestsPerSecond = 0
            $0.logger = log.logger
        } handler: { request, body, response in
            begun.send()
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
        } _: { pair in
            try await RawClient.connect(to: pair) { raw in
                for _ in 0..<4 {
                    let stream = try await raw.connection.openStream()
                    try await stream.write(raw.get(fieldSize: 1))
                    // What is not on its way yet when a stream is reset is never sent.
                    await begun.next()
                    await stream.reset(code: HTTP3ErrorCode.requestCancelled.rawValue)
                    await stream.stopSending(code: HTTP3ErrorCode.requestCancelled.rawValue)
                }
                guard case .application(let code, _, byPeer: true) = try await raw.connection.closed else {
                    return #expect(Bool(false), "the server did not close the connection")
                }
                #expect(HTTP3ErrorCode(rawValue: code) == .excessiveLoad)
            }
        }
        #expect(log.names(limit: "cancelledRequests"))
    }

    @Test("No more clients are served at once than there may be (RFC 9000 section 5.2.2)")
    func connections() async throws {
        let log = LogRecorder()
        try await HTTP3Pair.run {
            $0.limits.connections = 1
            $0.logger = log.logger
        } handler: { request, body, response in
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                _ = try await client.send(.test())
                let error = await failure { try await pair.withClient { _ in } }
                guard case .connectFailed(_, let attempts)? = error as? QUICError else {
                    return #expect(Bool(false), "there was a second connection")
                }
                #expect(attempts.count == 1)
            }
        }
        #expect(log.names(limit: "connections"))
    }

    @Test("No more handlers run for a client than it may have (RFC 9114 section 4.1.1)")
    func runningHandlers() async throws {
        let log = LogRecorder()
        let (began, goOn) = (Report<Void>(), Report<Void>())
        try await HTTP3Pair.run {
            $0.limits.runningHandlers = 1
            $0.logger = log.logger
        } handler: { request, body, response in
            began.send()
            _ = await goOn.next()
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                async let first = client.send(.test())
                _ = await began.next()
                let error = await failure { try await client.send(.test()) } as? HTTP3Failure
                #expect(error == .rejected(stream: StreamID(rawValue: 4)))
                #expect(error?.isSafeToRetry == true)
                goOn.send()
                let answer = try await first.0
                #expect(answer.status == .ok)
            }
        }
        #expect(log.names(limit: "runningHandlers"))
    }

    @Test("A client that breaks the rules is told which (RFC 9114 section 4.1)")
    func brokenRule() async throws {
        try await HTTP3Pair.run { request, body, response in
            try await response.respond(.ok)
        } _: { pair in
            try await RawClient.connect(to: pair) { raw in
                let stream = try await raw.connection.openStream()
                // A DATA frame before any HEADERS.
                try await stream.write([0x00, 0x01, 0x61])
                guard case .application(let code, _, byPeer: true) = try await raw.connection.closed else {
                    return #expect(Bool(false), "the server did not close the connection")
                }
                #expect(HTTP3ErrorCode(rawValue: code) == .frameUnexpected)
            }
        }
    }

    @Test("A client waits no longer for an answer than it was told, nor for more of it")
    func clientTimes() async throws {
        let ended = Report<Void>()
        try await HTTP3Pair.run { request, body, response in
            if request.path == "/begun" { try await response.send(.ok).write([1]) }
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
            ended.send()
        } _: { pair in
            var pair = pair
            pair.client.limits.responseHeaderTime = .milliseconds(20)
            pair.client.limits.contentIdleTime = .milliseconds(20)
            try await pair.withClient { client in
                let silent = await failure { try await client.send(.test()) }
                // Whether the server has heard of it by then depends on how fast the machine is.
                #expect(silent as? HTTP3Failure == .timedOut(.responseHeaders))
                var options = HTTP3RequestOptions()
                options.responseHeaderTime = .seconds(60)
                let (_, body) = try await client.send(.test(.get, "/begun"), options: options)
                #expect(await failure { for try await _ in body {} } as? HTTP3Failure == .timedOut(.content))
                _ = await ended.next()
            }
        }
    }
}
