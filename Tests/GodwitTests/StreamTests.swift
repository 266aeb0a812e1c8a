import Godwit
import GodwitTestSupport
import NIOCore
import Testing

@Suite("Streams over the loopback interface", .timeLimit(.minutes(15)))
struct StreamTests {
    @Test("A request is answered, and the connection closed")
    func request() async throws {
        try await LoopbackPair.run(serve: echo) { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            try await stream.write(Array("ping".utf8), finish: true)
            #expect(String(buffer: try await stream.collect(upTo: 100)) == "ping")
            await connection.close(code: 7, reason: "done")
            let reason = try await connection.closed
            #expect(reason == .application(code: 7, reason: "done", byPeer: false))
        }
    }

    @Test("Megabytes go both ways at once and arrive as they were sent")
    func bulk() async throws {
        try await LoopbackPair.run(serve: echo) { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            let bytes = pattern(2 << 20)
            async let writing: Void = stream.write(bytes, finish: true)
            let answer = try await stream.collect(upTo: bytes.count)
            try await writing
            #expect(Array(buffer: answer) == bytes)
        }
    }

    @Test(
        "Hundreds of streams share a connection, and wait where the peer allows no more (RFC 9000 section 4.6)"
    )
    func manyStreams() async throws {
        try await LoopbackPair.run {
            $0.transport.maxIncomingBidirectionalStreams = 10
        } serve: { connection in
            await echo(connection)
        } _: { pair in
            let connection = try await pair.connect()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let stream = try await connection.openStream()
                        let bytes = pattern(1000, seed: UInt64(index + 1))
                        try await stream.write(bytes, finish: true)
                        let answer = try await stream.collect(upTo: 1000)
                        #expect(Array(buffer: answer) == bytes)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("One direction ends while the other goes on (RFC 9000 section 3)")
    func halfClose() async throws {
        try await LoopbackPair.run { connection in
            for await stream in connection.incomingStreams {
                // Nothing is answered before all has come.
                let question = try await stream.collect(upTo: 1000)
                try await stream.write(ByteBuffer(string: "you said: "))
                try await stream.write(question, finish: true)
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "one, "))
            try await stream.write(ByteBuffer(string: "two"))
            try await stream.finish()
            #expect(String(buffer: try await stream.collect(upTo: 1000)) == "you said: one, two")
            let error = await failure { try await stream.write(ByteBuffer(string: "three")) }
            #expect(error as? QUICError == .streamUnusable(.sendingEnded))
        }
    }

    @Test("Streams can flow one way, from either side (RFC 9000 section 2.1)")
    func unidirectional() async throws {
        try await LoopbackPair.run { connection in
            for await stream in connection.incomingStreams {
                let bytes = try await stream.collect(upTo: 1000)
                let answer = try await connection.openUnidirectionalStream()
                try await answer.write(bytes, finish: true)
                try await answer.waitUntilDelivered()
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openUnidirectionalStream()
            #expect(stream.id.direction == .unidirectional)
            try await stream.write(ByteBuffer(string: "there"), finish: true)
            let error = await failure { try await stream.read() }
            #expect(error as? QUICError == .streamUnusable(.sendOnly))
            var incoming = connection.incomingStreams.makeAsyncIterator()
            let answer = try #require(await incoming.next())
            #expect(String(buffer: try await answer.collect(upTo: 1000)) == "there")
        }
    }

    @Test("A writer waits while the peer's application does not read (RFC 9000 section 4)")
    func backpressure() async throws {
        let (mayRead, hasWritten) = (Report<Void>(), Report<Void>())
        try await LoopbackPair.run {
            $0.transport.initialStreamWindow = 32 << 10
            $0.transport.maxStreamWindow = 32 << 10
        } client: {
            $0.transport.streamSendBuffer = 64 << 10
        } serve: { connection in
            await withDiscardingTaskGroup { group in
                for await stream in connection.incomingStreams {
                    group.addTask {
                        // What fails here the client finds missing.
                        guard stream.id.direction == .unidirectional else {
                            return (try? await echo(stream)) ?? ()
                        }
                        await mayRead.next()
                        _ = try? await stream.collect(upTo: 1 << 20)
                    }
                }
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stalled = try await connection.openUnidirectionalStream()
            let writing = Task {
                try await stalled.write([UInt8](repeating: 1, count: 1 << 20), finish: true)
                hasWritten.send()
            }
            // However long this takes, the stalled stream cannot get on.
            for _ in 0..<20 {
                let stream = try await connection.openStream()
                try await stream.write(pattern(1000), finish: true)
                _ = try await stream.collect(upTo: 1000)
            }
            let sent = await connection.statistics.bytesSent
            #expect(sent < 512 << 10)
            mayRead.send()
            try await writing.value
            await hasWritten.next()
            try await stalled.waitUntilDelivered()
        }
    }
}
