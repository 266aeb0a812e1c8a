import GodwitHTTP3
import HTTPTypes
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// One after the other, connections on which requests are answered, reset, cancelled and left to stall.
struct SoakClient: Sendable {
    let port: UInt16
    let configuration: HTTP3ClientConfiguration
    let group: MultiThreadedEventLoopGroup
    let deadline: ContinuousClock.Instant
    let seed: UInt64

    private enum Act: CaseIterable {
        case get
        case getSeveral
        case echo
        /// The body of an answer is let go of behind its first piece.
        case cancelAnswer
        /// The content of a request breaks off.
        case resetRequest
        /// Nobody reads a large answer.
        case stallAnswer
        /// The content of a request does not come.
        case stallRequest
        /// The connection is closed while an answer is coming.
        case leave
    }

    /// Goes on until the deadline; what is under way then is given up.
    func run(_ outcome: NIOLockedValueBox<SoakOutcome>) async {
        var generator = SoakGenerator(seed: seed)
        // Not all at the same moment.
        await pause(Double.random(in: 0...10, using: &generator))
        while ContinuousClock.now < deadline {
            do {
                try await connect(&generator, outcome)
            } catch {
                outcome.withLockedValue { $0.note(surprise: error) }
                await pause(1)
            }
        }
    }

    private func pause(_ seconds: Double) async {
        let end = min(deadline, ContinuousClock.now + .seconds(seconds))
        try? await Task.sleep(until: end, clock: .continuous)
    }

    private func connect(
        _ generator: inout SoakGenerator, _ outcome: NIOLockedValueBox<SoakOutcome>
    ) async throws {
        let client = try await HTTP3Client.connect(
            to: "127.0.0.1", port: port, configuration: configuration, eventLoopGroup: group)
        outcome.withLockedValue { $0.connections += 1 }
        for _ in 0..<Int.random(in: 1...12, using: &generator) where ContinuousClock.now < deadline {
            let act = Self.acts.randomElement(using: &generator) ?? .get
            try await perform(act, client, Double.random(in: 0.5...4, using: &generator), outcome)
            if act == .leave { break }
            await pause(Double.random(in: 0...3, using: &generator))
        }
        await client.close()
    }

    /// What is common is there more often.
    private static let acts: [Act] = Act.allCases + [.get, .get, .getSeveral, .echo, .cancelAnswer]

    private func perform(
        _ act: Act, _ client: HTTP3Client, _ patience: Double, _ outcome: NIOLockedValueBox<SoakOutcome>
    ) async throws {
        outcome.withLockedValue {
            $0.requests += act == .getSeveral ? 8 : 1
            switch act {
            case .get, .getSeveral, .echo: break
            case .leave, .cancelAnswer, .resetRequest, .stallAnswer, .stallRequest: $0.givenUp += 1
            }
        }
        switch act {
        case .get: try await get(client)
        case .getSeveral: try await getSeveral(client)
        case .echo: try await echo(client)
        case .cancelAnswer: try await cancelAnswer(client)
        case .resetRequest: try await resetRequest(client)
        case .stallAnswer: try await stallAnswer(client, patience)
        case .stallRequest: try await stallRequest(client, patience)
        case .leave: _ = try await client.send(request("/bytes/5000000"))
        }
    }

    // MARK: Acts

    private func request(_ path: String, _ method: HTTPRequest.Method = .get) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "https", authority: "localhost:\(port)", path: path)
    }

    private func get(_ client: HTTP3Client) async throws {
        let (response, body) = try await client.send(request("/bytes/1000"))
        let content = try await body.collect(upTo: 1 << 20)
        guard response.status == .ok, content.readableBytes == 1000 else { throw WrongAnswer() }
    }

    private func getSeveral(_ client: HTTP3Client) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<8 { tasks.addTask { try await get(client) } }
            try await tasks.waitForAll()
        }
    }

    private func echo(_ client: HTTP3Client) async throws {
        let sent = ByteBuffer(repeating: 0x5a, count: 20_000)
        let (_, body) = try await client.send(request("/echo", .post), body: .bytes(sent))
        guard try await body.collect(upTo: 1 << 20) == sent else { throw WrongAnswer() }
    }

    private func cancelAnswer(_ client: HTTP3Client) async throws {
        let (_, body) = try await client.send(request("/bytes/5000000"))
        for try await _ in body { break }
    }

    private func resetRequest(_ client: HTTP3Client) async throws {
        let broken = HTTP3Content.writing(length: 100_000) { writer in
            try await writer.write(ByteBuffer(repeating: 1, count: 10_000))
            throw WrongAnswer()
        }
        do {
            let (_, body) = try await client.send(request("/echo", .post), body: broken)
            for try await _ in body {}
        } catch is WrongAnswer {
        } catch is HTTP3Failure {
            // The server may have been told before the client has read.
        }
    }

    private func stallAnswer(_ client: HTTP3Client, _ patience: Double) async throws {
        let (_, body) = try await client.send(request("/bytes/50000000"))
        await pause(patience)
        _ = body
    }

    private func stallRequest(_ client: HTTP3Client, _ patience: Double) async throws {
        let begun = try await client.begin(request("/echo", .post))
        try await begun.writer.write(ByteBuffer(repeating: 2, count: 100))
        await pause(patience)
        await begun.cancel()
    }
}

/// An answer is not what was asked for; or the reason for which content breaks off.
struct WrongAnswer: Error {}

/// The same numbers for the same seed.
struct SoakGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
