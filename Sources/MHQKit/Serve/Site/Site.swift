import HTTPTypes
import NIOConcurrencyHelpers
import NIOCore

/// What `mhq serve` has to offer: files, and a few resources to test with.
struct Site: Sendable {
    /// Nil if no files are served.
    let files: FileStore?
    private let sizes: NIOLockedValueBox<SizeGenerator>

    /// - Parameters:
    ///   - seed: makes the sizes of `/distribution` the same in each run, in the order of requests.
    init(files: FileStore?, seed: UInt64?) {
        self.files = files
        sizes = NIOLockedValueBox(SizeGenerator(seed: seed))
    }

    nonisolated(nonsending) func answer(_ exchange: some WebExchange) async throws {
        guard let target = exchange.request.path, exchange.request.method != .connect else {
            return try await exchange.refuse(.notImplemented)
        }
        // The server as a whole (RFC 9110 section 9.3.7).
        if target == "*" { return try await exchange.refuseMethod(allowing: "GET, HEAD, POST, OPTIONS") }
        switch Route(target: target) {
        case .echo: try await echo(exchange)
        case .distribution: try await answerDistribution(exchange)
        case .bytes(let count): try await answerBytes(count, exchange)
        case .unusableCount: try await exchange.refuse(.badRequest)
        case .file: try await answerFile(target, exchange)
        }
    }

    // MARK: Resources

    nonisolated(nonsending) private func echo(_ exchange: some WebExchange) async throws {
        let request = exchange.request
        guard request.method == .post || request.method == .put else {
            return try await exchange.refuseMethod(allowing: "POST, PUT, OPTIONS")
        }
        try await exchange.begin(.ok, EchoedFields.make(of: request.headerFields))
        while let chunk = try await exchange.nextContent() { try await exchange.write(chunk) }
        try await exchange.finish()
    }

    nonisolated(nonsending) private func answerDistribution(_ exchange: some WebExchange) async throws {
        switch exchange.request.method {
        case .get, .head:
            try await sendFiller(Int64(sizes.withLockedValue { $0.next() }), exchange)
        case .post:
            while try await exchange.nextContent() != nil {}
            try await exchange.respond(.ok, [:], ByteBuffer())
        default: try await exchange.refuseMethod(allowing: "GET, HEAD, POST, OPTIONS")
        }
    }

    nonisolated(nonsending) private func answerBytes(
        _ count: Int64, _ exchange: some WebExchange
    ) async throws {
        switch exchange.request.method {
        case .get, .head: try await sendFiller(count, exchange)
        default: try await exchange.refuseMethod(allowing: "GET, HEAD, OPTIONS")
        }
    }

    nonisolated(nonsending) func sendFiller(
        _ count: Int64, _ exchange: some WebExchange
    ) async throws {
        var fields: HTTPFields = [.contentType: ContentType.unknown]
        if count <= Filler.block.readableBytes, exchange.request.method != .head {
            return try await exchange.respond(.ok, fields, Filler.prefix(Int(count)))
        }
        fields[.contentLength] = String(count)
        guard exchange.request.method != .head else {
            return try await exchange.respond(.ok, fields, ByteBuffer())
        }
        try await exchange.begin(.ok, fields)
        var left = count
        while left > 0 {
            let chunk = Filler.prefix(Int(min(left, Int64(Filler.block.readableBytes))))
            try await exchange.write(chunk)
            left -= Int64(chunk.readableBytes)
        }
        try await exchange.finish()
    }

    // MARK: Files

    nonisolated(nonsending) private func answerFile(
        _ target: String, _ exchange: some WebExchange
    ) async throws {
        switch exchange.request.method {
        case .get, .head: break
        default: return try await exchange.refuseMethod(allowing: "GET, HEAD, OPTIONS")
        }
        guard let files else { return try await answerWithoutFiles(target, exchange) }
        let path: RequestPath
        do {
            path = try RequestPath(target: target)
        } catch {
            return try await exchange.refuse(error == .malformed ? .badRequest : .notFound)
        }
        try await FileAnswer(files: files, path: path).send(over: exchange)
    }

    nonisolated(nonsending) private func answerWithoutFiles(
        _ target: String, _ exchange: some WebExchange
    ) async throws {
        guard target == "/" else { return try await exchange.refuse(.notFound) }
        try await exchange.respond(
            .ok, [.contentType: "text/plain; charset=utf-8"], ByteBuffer(string: Self.welcome))
    }

    private static let welcome = """
        This is mhq serve. It serves the files of a folder with --root DIR.

        /echo          answers POST with what was posted
        /bytes/N       N bytes, each its offset modulo 251
        /distribution  as many bytes as web servers answer with
        """ + "\n"
}

/// Where sizes come from.
struct SizeGenerator: Sendable {
    private var random: any RandomNumberGenerator & Sendable

    init(seed: UInt64?) {
        random = seed.map { SeededGenerator(state: $0) } ?? SystemRandomNumberGenerator()
    }

    /// The size of an answer to GET.
    mutating func next() -> Int {
        var bits = Bits(value: random.next())
        return ResponseSizeDistribution.getResponses.next(using: &bits)
    }

    /// One number that was drawn already.
    private struct Bits: RandomNumberGenerator {
        let value: UInt64

        mutating func next() -> UInt64 { value }
    }
}

/// SplitMix64: the same seed gives the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
