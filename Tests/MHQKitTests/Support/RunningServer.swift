import Foundation
import GodwitHTTP3
import GodwitTestSupport
import HTTPTypes
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

@testable import MHQKit

/// A server on the loopback interface, and what a client needs to know of it.
struct RunningServer: Sendable {
    let server: WebServer
    let signals: AsyncStream<WebServerSignal>.Continuation
    private let wasEnded = NIOLockedValueBox(false)

    init(server: WebServer, signals: AsyncStream<WebServerSignal>.Continuation) {
        self.server = server
        self.signals = signals
    }

    var port: UInt16 { server.report.udp[0].port }
    var url: String { "https://127.0.0.1:\(port)" }
    var authorityFile: String { server.report.selfSignedFile ?? "" }

    /// Runs a server, and `body` beside it.
    ///
    /// - Returns: what `body` returns, and the server's exit code.
    @discardableResult
    static func run<Result: Sendable>(
        _ configure: @Sendable (inout WebServerOptions) throws -> Void = { _ in },
        _ body: @Sendable (RunningServer) async throws -> Result
    ) async throws -> (Result, exitCode: Int32) {
        try await takingTurn { try await runNow(configure, body) }
    }

    private static func runNow<Result: Sendable>(
        _ configure: @Sendable (inout WebServerOptions) throws -> Void,
        _ body: @Sendable (RunningServer) async throws -> Result
    ) async throws -> (Result, exitCode: Int32) {
        var options = WebServerOptions()
        options.listen = [try ListenAddress("127.0.0.1:0", option: "--listen")]
        options.gracePeriod = .zero
        // Nobody is slow here but the machine, beside other tests.
        options.limits.handshakeTime = .seconds(120)
        options.limits.requestHeaderTime = .seconds(120)
        options.limits.contentIdleTime = .seconds(120)
        options.limits.sendingIdleTime = .seconds(120)
        try configure(&options)
        let server = try await WebServer.start(options)
        let (stream, signals) = AsyncStream.makeStream(of: WebServerSignal.self)
        async let exitCode = server.run(signals: stream)
        let running = RunningServer(server: server, signals: signals)
        do {
            let result = try await body(running)
            running.end()
            return (result, try await exitCode)
        } catch {
            running.end()
            _ = try? await exitCode
            throw error
        }
    }

    /// Has the server drain, as the first SIGTERM does. A second one would cut it off.
    func end() {
        let isFirst = wasEnded.withLockedValue { wasEnded in
            defer { wasEnded = true }
            return !wasEnded
        }
        if isFirst { signals.yield(.end(SIGTERM)) }
    }

    /// Runs `body` with a client that trusts the server.
    func withClient<Result: Sendable>(
        host: String = "127.0.0.1", authorityFile: String? = nil,
        _ body: @Sendable (HTTP3Client) async throws -> Result
    ) async throws -> Result {
        let trust = try TrustPolicy.file(authorityFile ?? self.authorityFile)
        return try await connect(HTTP3ClientConfiguration(trust: trust), to: host, body)
    }

    /// Runs `body` with a client that trusts the server and follows it.
    func withFollower<Result: Sendable>(
        _ configure: (inout HTTP3ClientConfiguration) -> Void = { _ in },
        _ body: @Sendable (HTTP3Client) async throws -> Result
    ) async throws -> Result {
        var configuration = try HTTP3ClientConfiguration(trust: .file(authorityFile))
        configuration.quic.migration = ClientMigrationSettings(ClientMigrationNegotiation())
        configure(&configuration)
        return try await connect(configuration, to: "127.0.0.1", body)
    }

    private func connect<Result: Sendable>(
        _ configuration: HTTP3ClientConfiguration, to host: String,
        _ body: @Sendable (HTTP3Client) async throws -> Result
    ) async throws -> Result {
        try await withEventLoops(1) { group in
            try await HTTP3Client.connect(
                to: host, port: port, configuration: configuration, eventLoopGroup: group, body)
        }
    }
}

/// An answer with all of its content.
struct Answer: Sendable {
    var status: Int
    var fields: HTTPFields
    var content: [UInt8]

    var text: String { String(decoding: content, as: UTF8.self) }
}

extension HTTP3Client {
    /// Sends a request and takes the whole answer.
    func ask(
        _ path: String, method: HTTPRequest.Method = .get, _ fields: HTTPFields = [:],
        body: HTTP3Content = .none
    ) async throws -> Answer {
        let request = HTTPRequest(
            method: method, scheme: "https", authority: "localhost", path: path, headerFields: fields)
        let (response, body) = try await send(request, body: body)
        let content = try await body.collect(upTo: 100 << 20)
        return Answer(
            status: response.status.code, fields: response.headerFields,
            content: Array(content.readableBytesView))
    }
}

extension GetRun {
    /// Does what the options say, without signals.
    static func run(_ options: GetOptions) async throws -> Int32 {
        let (signals, _) = AsyncStream.makeStream(of: Int32.self)
        return try await GetRun(options).run(signals: signals)
    }
}
