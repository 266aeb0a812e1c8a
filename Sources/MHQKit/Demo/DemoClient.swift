import Godwit
import GodwitHTTP3
import GodwitSimulator
import HTTPTypes
import NIOCore
import Synchronization

/// A client of a demo: it downloads, uploads and does small requests, all at once and without a pause but
/// those that keep it from being a benchmark.
final class DemoClient: Sendable {
    let tally = DemoTally()
    let tap: DemoTap
    let http3: HTTP3Client
    let eventLoop: any EventLoop
    private let number: Int
    private let traffic: DemoTraffic
    private let nextExchange: Atomic<UInt64>
    private let isStopping = Atomic<Bool>(false)

    /// Between one small request and the next, from the start of one to that of the other.
    private static let pace = Duration.milliseconds(20)

    private init(
        _ http3: HTTP3Client, on eventLoop: any EventLoop, _ number: Int, _ tap: DemoTap,
        _ traffic: DemoTraffic
    ) {
        self.http3 = http3
        self.eventLoop = eventLoop
        self.number = number
        self.tap = tap
        self.traffic = traffic
        // Numbers of exchanges tell clients apart, too.
        nextExchange = Atomic(UInt64(number) << 32)
    }

    /// Connects.
    static func connect(
        to address: NetworkAddress, _ number: Int, _ configuration: HTTP3ClientConfiguration,
        capture: DatagramCapture?, _ traffic: DemoTraffic, on group: any EventLoopGroup
    ) async throws -> DemoClient {
        let tap = DemoTap(capture: capture)
        var configuration = configuration
        configuration.quic.tap = tap
        // A single address, so that a capture tells where datagrams left from.
        configuration.quic.localAddress = NetworkAddress("127.0.0.1:0")
        configuration.quic.resolver = DemoResolver(ip: address.ip)
        // The work may begin late on a busy machine.
        configuration.quic.transport.keepAliveInterval = .seconds(5)
        let eventLoop = group.next()
        let http3 = try await HTTP3Client.connect(
            to: "localhost", port: address.port, configuration: configuration, eventLoopGroup: eventLoop)
        // Only then can the server tell the client of its moves.
        try await http3.quic.handshakeConfirmed()
        return DemoClient(http3, on: eventLoop, number, tap, traffic)
    }

    /// Works until ``stop()``, or until something goes wrong.
    func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            let executor = http3.quic.executor
            tasks.addTask(executorPreference: executor) {
                await self.repeatedly { try await self.download() }
            }
            tasks.addTask(executorPreference: executor) { await self.repeatedly { try await self.upload() } }
            tasks.addTask(executorPreference: executor) { await self.keepAsking() }
        }
    }

    /// Has work end when what is under way is done.
    func stop() { isStopping.store(true, ordering: .relaxed) }

    // MARK: Work

    private func repeatedly(_ work: () async throws -> Void) async {
        while !isStopping.load(ordering: .relaxed) {
            do { try await work() } catch { return tally.noteFault(error) }
        }
    }

    private func keepAsking() async {
        var next = ContinuousClock.now
        await repeatedly {
            try await self.askOnce()
            next = max(next + Self.pace, .now)
            try? await Task.sleep(until: next)
        }
    }

    /// Does one small request.
    ///
    /// - Returns: how long it took.
    @discardableResult
    func askOnce() async throws -> TimeAmount {
        let exchange = newExchange()
        let start = NIODeadline.now()
        var check = DemoCheck(traffic.pattern(exchange, from: .server))
        let (response, body) = try await http3.send(request("small", exchange), options: Self.urgent)
        try await take(body, response, &check)
        let span = NIODeadline.now() - start
        try check.end(at: traffic.smallSize)
        tally.noteServiceTime(sentAt: start, span)
        tally.noteAnswer(bytes: check.count, from: tap.latest)
        return span
    }

    private func download() async throws {
        let exchange = newExchange()
        var check = DemoCheck(traffic.pattern(exchange, from: .server))
        let (response, body) = try await http3.send(request("download", exchange))
        try await take(body, response, &check)
        try check.end(at: traffic.downloadSize)
        tally.noteAnswer(bytes: check.count, from: tap.latest)
    }

    private func upload() async throws {
        let exchange = newExchange()
        let (traffic, pattern) = (traffic, traffic.pattern(exchange, from: .client))
        let content = HTTP3Content.writing(length: traffic.uploadSize) { writer in
            try await traffic.send(traffic.uploadSize, of: pattern, to: writer)
        }
        let (response, body) = try await http3.send(request("upload", exchange, .post), body: content)
        let answer = String(buffer: try await body.collect(upTo: 100))
        tally.noteProgress()
        // The server has checked every byte, and says how many were right.
        guard response.status == .ok, answer == "\(traffic.uploadSize)" else {
            throw DemoFault("the server got \(answer) bytes of \(traffic.uploadSize)")
        }
        tally.noteAnswer(bytes: traffic.uploadSize, from: tap.latest)
    }

    private func take(_ body: HTTP3Body, _ response: HTTPResponse, _ check: inout DemoCheck) async throws {
        guard response.status == .ok else { throw DemoFault("the server answered \(response.status)") }
        for try await bytes in body {
            tally.noteProgress()
            try check.take(bytes)
        }
    }

    private func newExchange() -> UInt64 { nextExchange.add(1, ordering: .relaxed).newValue }

    private func request(_ what: String, _ exchange: UInt64, _ method: HTTPRequest.Method = .get)
        -> HTTPRequest
    {
        HTTPRequest(method: method, scheme: "https", authority: "localhost", path: "/\(what)/\(exchange)")
    }

    private static let urgent: HTTP3RequestOptions = {
        var options = HTTP3RequestOptions()
        options.priority = HTTP3Priority(urgency: 0)
        return options
    }()
}

/// Knows where `localhost` is in a demo.
private struct DemoResolver: QUICNameResolver {
    let ip: IPAddress
    func addresses(of host: String) async throws -> [IPAddress] { [ip] }
}
