import Godwit
import GodwitTestSupport
import NIOCore
import Testing

@Suite("Streams that end early", .timeLimit(.minutes(15)))
struct CancellationTests {
    @Test("Cancelling a task that reads asks the peer to stop (RFC 9000 section 3.5)")
    func cancelledReader() async throws {
        let seen = Report<(any Error)?>()
        try await LoopbackPair.run(client: { $0.cancellationCode = 42 }) { connection in
            for await stream in connection.incomingStreams {
                let bytes = [UInt8](repeating: 0, count: 1 << 16)
                seen.send(await failure { while true { try await stream.write(bytes) } })
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "go"))
            let reading = Task { while try await stream.read(upTo: 1000) != nil {} }
            reading.cancel()
            await #expect(throws: CancellationError.self) { try await reading.value }
            #expect(await seen.next() as? QUICError == .streamStoppedByPeer(code: 42))
        }
    }

    @Test("Cancelling a task that waits for bytes wakes it up")
    func cancelledWaitingReader() async throws {
        let seen = Report<(any Error)?>()
        let mayWrite = Report<Void>()
        try await LoopbackPair.run(client: { $0.cancellationCode = 43 }) { connection in
            for await stream in connection.incomingStreams {
                try await stream.write(ByteBuffer(string: "one"))
                await mayWrite.next()
                let bytes = [UInt8](repeating: 0, count: 1 << 16)
                seen.send(await failure { while true { try await stream.write(bytes) } })
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "go"))
            let hasRead = Report<Void>()
            let reading = Task {
                while try await stream.read() != nil { hasRead.send() }
            }
            await hasRead.next()
            reading.cancel()
            await #expect(throws: CancellationError.self) { try await reading.value }
            mayWrite.send()
            #expect(await seen.next() as? QUICError == .streamStoppedByPeer(code: 43))
        }
    }

    @Test("Cancelling a task that writes resets the stream (RFC 9000 section 3.1)")
    func cancelledWriter() async throws {
        let seen = Report<(any Error)?>()
        try await LoopbackPair.run(client: { $0.cancellationCode = 44 }) { connection in
            for await stream in connection.incomingStreams {
                _ = try await stream.read(upTo: 10)
                // Reads no more until it hears of the reset, so that the writer is sure to wait.
                seen.send(await failure { try await stream.write(ByteBuffer(string: "started")) })
                seen.send(await failure { while try await stream.read() != nil {} })
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            let writing = Task { while true { try await stream.write(pattern(1 << 16)) } }
            #expect(await seen.next()! == nil)
            writing.cancel()
            await #expect(throws: CancellationError.self) { try await writing.value }
            #expect(await seen.next() as? QUICError == .streamResetByPeer(code: 44))
        }
    }

    @Test("A reset and a request to stop carry the application's code (RFC 9000 section 19.4 and 19.5)")
    func codes() async throws {
        let (taken, seen) = (Report<Void>(), Report<(any Error)?>())
        try await LoopbackPair.run { connection in
            for await stream in connection.incomingStreams {
                taken.send()
                seen.send(await failure { while try await stream.read() != nil {} })
                seen.send(await failure { while true { try await stream.write(pattern(1000)) } })
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "half a mess"))
            await taken.next()
            await stream.reset(code: 1 << 40)
            #expect(await seen.next() as? QUICError == .streamResetByPeer(code: 1 << 40))
            await stream.stopSending(code: 5)
            #expect(await seen.next() as? QUICError == .streamStoppedByPeer(code: 5))
            let error = await failure { try await stream.write(ByteBuffer(string: "more")) }
            #expect(error as? QUICError == .streamUnusable(.sendingReset))
        }
    }

    @Test("How a stream ended is still told when it is over in both directions (RFC 9000 section 3.2)")
    func bothEnded() async throws {
        try await LoopbackPair.run { connection in
            for await stream in connection.incomingStreams {
                let isEcho = try await stream.read(upTo: 4) == ByteBuffer(string: "echo")
                if isEcho {
                    try await stream.write(ByteBuffer(string: "echo"), finish: true)
                } else {
                    await stream.reset(code: 46)
                    await stream.stopSending(code: 47)
                }
            }
        } _: { pair in
            let connection = try await pair.connect()
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "x"))
            let stopped = await failure { while true { try await stream.write(pattern(1000)) } }
            #expect(stopped as? QUICError == .streamStoppedByPeer(code: 47))
            // The answer to the request to stop is acknowledged along with what follows it.
            for _ in 0..<3 {
                let echo = try await connection.openStream()
                try await echo.write(ByteBuffer(string: "echo"), finish: true)
                #expect(try await echo.collect(upTo: 10) == ByteBuffer(string: "echo"))
            }
            let reset = await failure { try await stream.read() }
            #expect(reset as? QUICError == .streamResetByPeer(code: 46))
        }
    }

    @Test("A stream that nobody holds any more is reset, and the peer asked to stop")
    func dropped() async throws {
        let (taken, seen) = (Report<Void>(), Report<(any Error)?>())
        try await LoopbackPair.run(client: { $0.cancellationCode = 45 }) { connection in
            for await stream in connection.incomingStreams {
                taken.send()
                seen.send(await failure { while try await stream.read() != nil {} })
                seen.send(await failure { while true { try await stream.write(pattern(1000)) } })
            }
        } _: { pair in
            let connection = try await pair.connect()
            do {
                let stream = try await connection.openStream()
                try await stream.write(ByteBuffer(string: "unfinished"))
                await taken.next()
                withExtendedLifetime(stream) {}
            }
            #expect(await seen.next() as? QUICError == .streamResetByPeer(code: 45))
            #expect(await seen.next() as? QUICError == .streamStoppedByPeer(code: 45))
        }
    }

    @Test("What was finished is delivered although nobody holds the stream or the connection any more")
    func finishedAndDropped() async throws {
        let seen = Report<[UInt8]>()
        try await LoopbackPair.run { connection in
            for await stream in connection.incomingStreams {
                seen.send(Array(buffer: try await stream.collect(upTo: 1 << 20)))
            }
        } _: { pair in
            let bytes = pattern(300_000)
            try await pair.connect().openUnidirectionalStream().write(bytes, finish: true)
            #expect(await seen.next() == bytes)
        }
    }
}
