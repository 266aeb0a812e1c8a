import GodwitHTTP3
import GodwitTestSupport
import HTTPTypes
import NIOCore
import Testing

@Suite("Requests that are given up", .timeLimit(.minutes(15)))
struct CancellationTests {
    @Test("Cancelling the task that waits for an answer cancels the handler (RFC 9114 section 4.1.1)")
    func cancelledSend() async throws {
        let (began, ended) = (Report<Void>(), Report<HTTP3Failure?>())
        try await HTTP3Pair.run(handler: cancellable(began, ended)) { pair in
            try await pair.withClient { client in
                let task = Task { try await client.send(.test()) }
                _ = await began.next()
                task.cancel()
                let thrown = await failure { try await task.value }
                #expect(thrown is CancellationError, "\(String(describing: thrown))")
                #expect(await ended.next()??.peerCode == .requestCancelled)
            }
        }
    }

    @Test("Letting go of a response before its end cancels the handler (RFC 9114 section 4.1.1)")
    func droppedBody() async throws {
        let (began, ended) = (Report<Void>(), Report<HTTP3Failure?>())
        try await HTTP3Pair.run { request, body, response in
            let writer = try await response.send(.ok)
            await waitForCancellation(began)
            ended.send(await failure { try await writer.write([1]) } as? HTTP3Failure)
        } _: { pair in
            try await pair.withClient { client in
                let (response, _) = try await client.send(.test())
                #expect(response.status == .ok)
                #expect(await ended.next()??.peerCode == .requestCancelled)
            }
        }
    }

    @Test("A client that goes away cancels the handlers of its requests")
    func closedConnection() async throws {
        let (began, ended) = (Report<Void>(), Report<HTTP3Failure?>())
        try await HTTP3Pair.run(handler: cancellable(began, ended)) { pair in
            let answer = try await pair.withClient { client in
                let task = Task { try await client.send(.test()) }
                _ = await began.next()
                return task
            }
            guard case .connectionClosed(let reason)? = await ended.next() as? HTTP3Failure else {
                return #expect(Bool(false), "the handler was not told")
            }
            #expect(reason == .application(code: 0x100, reason: "", byPeer: true))
            guard case .connectionClosed? = await failure(of: { try await answer.value }) as? HTTP3Failure
            else {
                return #expect(Bool(false), "the request did not fail")
            }
        }
    }

    @Test("A server that gives a request up says so with its code, and the client which it was")
    func serverCancels() async throws {
        try await HTTP3Pair.run { request, body, response in
            await response.cancel(.excessiveLoad)
        } _: { pair in
            try await pair.withClient { client in
                let error = await failure { try await client.send(.test()) }
                #expect(error as? HTTP3Failure == .reset(stream: StreamID(rawValue: 0), code: .excessiveLoad))
                #expect("\(error!)" == "the peer reset stream 0 with H3_EXCESSIVE_LOAD")
            }
        }
    }

    // Holds: 9114-4.1.1-2
    @Test("A client rejects no request, whatever its caller says (RFC 9114 section 4.1.1)")
    func clientRejectsNothing() async throws {
        let (begun, told) = (Report<Void>(), Report<HTTP3ErrorCode?>())
        try await HTTP3Pair.run { _ in
        } client: {
            $0.quic.transport.streamSendBuffer = 64 << 10
        } handler: { _, body, _ in
            var pieces = body.makeAsyncIterator()
            _ = try await pieces.next()
            await waitForCancellation(begun)
            let error = await failure { while try await pieces.next() != nil {} }
            told.send((error as? HTTP3Failure)?.peerCode)
        } _: { pair in
            try await pair.withClient { client in
                let request = try await client.begin(.test(.post))
                // More than the server takes at once: the end waits behind it.
                let content = ByteBuffer(repeating: 7, count: 1 << 20)
                async let sent = failure { try await request.writer.finish(content) }
                _ = await begun.next()
                await request.cancel(.requestRejected)
                #expect(await sent != nil)
                #expect(await told.next() == .requestCancelled)
            }
        }
    }

    @Test("When a request's content fails the request is given up, and the caller gets what it threw")
    func failingContent() async throws {
        struct Broken: Error, Equatable {}
        let (began, ended) = (Report<Void>(), Report<(any Error)?>())
        try await HTTP3Pair.run { request, body, response in
            began.send()
            ended.send(await failure { for try await _ in body {} })
        } _: { pair in
            try await pair.withClient { client in
                let content = HTTP3Content.writing { writer in
                    try await writer.write(Array("some".utf8))
                    _ = await began.next()
                    throw Broken()
                }
                #expect(await failure { try await client.send(.test(.post), body: content) } is Broken)
                #expect((await ended.next() as? HTTP3Failure)?.peerCode == .requestCancelled)
            }
        }
    }

    @Test("A handler on another thread than the connection's works as well")
    func otherExecutor() async throws {
        try await HTTP3Pair.run { request, body, response in
            let elsewhere = Elsewhere()
            try await elsewhere.echo(body, response)
        } _: { pair in
            let client = try await HTTP3Client.connect(
                to: pair.host, port: pair.port, configuration: pair.client, eventLoopGroup: pair.group)
            let (_, body) = try await client.send(.test(.post), body: .bytes(pattern(100_000)))
            #expect(try await body.collect(upTo: 100_000) == pattern(100_000))
            await client.close()
            guard
                case .connectionClosed? = await failure(of: { try await client.send(.test()) })
                    as? HTTP3Failure
            else {
                return #expect(Bool(false), "a closed client sent a request")
            }
        }
    }

    private actor Elsewhere {
        func echo(_ body: HTTP3Body, _ response: HTTP3ResponseWriter) async throws {
            let writer = try await response.send(.ok)
            for try await chunk in body { try await writer.write(chunk) }
            try await writer.finish()
        }
    }

    private func cancellable(_ began: Report<Void>, _ ended: Report<HTTP3Failure?>) -> HTTP3Server.Handler {
        { request, body, response in
            await waitForCancellation(began)
            ended.send(await failure { try await response.send(.ok) } as? HTTP3Failure)
        }
    }
}

/// Waits until it is cancelled.
private func waitForCancellation(_ began: Report<Void>) async {
    began.send()
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
}
