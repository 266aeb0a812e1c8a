import GodwitHTTP3
import GodwitTestSupport
import HTTPTypes
import Logging
import NIOCore
import ServiceLifecycle
import Testing

@Suite("Servers that shut down", .timeLimit(.minutes(15)))
struct ShutdownTests {
    @Test(
        "A server that drains answers what is under way and takes nothing new (RFC 9114 section 5.2)"
    )
    func draining() async throws {
        let (began, goOn) = (Report<Void>(), Report<Void>())
        try await HTTP3Pair.run { request, body, response in
            began.send()
            _ = await goOn.next()
            try await response.respond(.ok, body: "in time")
        } _: { pair in
            try await pair.withClient { client in
                async let first = client.send(.test())
                _ = await began.next()
                async let shutdown: Void = pair.server.shutdown(gracePeriod: .seconds(60))
                await client.waitUntilUnusable()
                #expect(await failure { try await client.send(.test()) } as? HTTP3Failure == .goingAway)
                goOn.send()
                let answer = try await first.1.collect(upTo: 100)
                #expect(String(buffer: answer) == "in time")
                guard case .application(let code, _, _) = try await client.quic.closed else {
                    return #expect(Bool(false), "the connection was not closed by HTTP/3")
                }
                #expect(HTTP3ErrorCode(rawValue: code) == .noError)
                await shutdown
            }
        }
    }

    @Test("What is not answered in the grace period is cut off, and its handler cancelled")
    func gracePeriod() async throws {
        let began = Report<Void>()
        try await HTTP3Pair.run { request, body, response in
            began.send()
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
        } _: { pair in
            try await pair.withClient { client in
                let task = Task { try await client.send(.test()) }
                _ = await began.next()
                await pair.server.shutdown(gracePeriod: .milliseconds(10))
                guard case .connectionClosed? = await failure(of: { try await task.value }) as? HTTP3Failure
                else {
                    return #expect(Bool(false), "the request did not fail")
                }
            }
        }
    }

    @Test("Cancelling a server's run closes its connections and cancels its handlers")
    func cancelledRun() async throws {
        let began = Report<Void>()
        try await withEventLoops(1) { group in
            let server = try await HTTP3Server.bind(
                to: NetworkAddress("127.0.0.1:0")!, certificate: TestCertificate.shared.identity,
                eventLoopGroup: group)
            let running = Task {
                try await server.run { request, body, response in
                    began.send()
                    while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
                }
            }
            let client = try await HTTP3Client.connect(
                to: "127.0.0.1", port: server.localAddress.port,
                configuration: HTTP3ClientConfiguration(
                    trust: .certificates([TestCertificate.shared.certificate])),
                eventLoopGroup: group)
            let request = Task { try await client.send(.test()) }
            _ = await began.next()
            running.cancel()
            #expect(await failure { try await running.value } is CancellationError)
            #expect(await failure { try await request.value } is HTTP3Failure)
            await server.shutdown(gracePeriod: .zero)
        }
    }

    @Test("A server is a service: it drains when its group is shut down")
    func service() async throws {
        let (began, goOn) = (Report<Void>(), Report<Void>())
        try await withEventLoops(1) { group in
            let server = try await HTTP3Server.bind(
                to: NetworkAddress("127.0.0.1:0")!, certificate: TestCertificate.shared.identity,
                eventLoopGroup: group)
            let service = HTTP3Service(server, gracePeriod: .seconds(60)) { request, body, response in
                began.send()
                _ = await goOn.next()
                try await response.respond(.ok, body: "in time")
            }
            let services = ServiceGroup(services: [service], logger: Logger(label: "test"))
            async let running: Void = services.run()
            let client = try await HTTP3Client.connect(
                to: "127.0.0.1", port: server.localAddress.port,
                configuration: HTTP3ClientConfiguration(
                    trust: .certificates([TestCertificate.shared.certificate])),
                eventLoopGroup: group)
            async let answer = client.send(.test())
            _ = await began.next()
            await services.triggerGracefulShutdown()
            await client.waitUntilUnusable()
            goOn.send()
            let content = try await answer.1.collect(upTo: 100)
            #expect(String(buffer: content) == "in time")
            try await running
        }
    }

    @Test("A client that shuts down lets its requests end first")
    func client() async throws {
        let (began, goOn) = (Report<Void>(), Report<Void>())
        try await HTTP3Pair.run { request, body, response in
            began.send()
            _ = await goOn.next()
            try await response.respond(.ok, body: pattern(100_000))
        } _: { pair in
            try await pair.withClient { client in
                async let answer = client.send(.test()).1.collect(upTo: 100_000)
                _ = await began.next()
                async let shutdown: Void = client.shutdown()
                await client.waitUntilUnusable()
                goOn.send()
                let content = try await answer
                #expect(content == pattern(100_000))
                await shutdown
            }
        }
    }
}
