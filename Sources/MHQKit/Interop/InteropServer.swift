import Foundation
import Godwit
import GodwitHTTP3
import NIOCore
import NIOPosix

/// The server side of the interop runner's contract: HTTP/0.9 over QUIC (`hq-interop`), or HTTP/3.
public struct InteropServer: Sendable {
    static let testCases: Set<String> = [
        "", "handshake", "transfer", "longrtt", "chacha20", "multiplexing", "retry", "resumption", "zerortt",
        "blackhole", "keyupdate", "ecn", "amplificationlimit", "handshakeloss", "handshakecorruption",
        "transferloss", "transfercorruption", "ipv6", "v2", "rebind-port", "rebind-addr",
        "connectionmigration",
        "goodput", "crosstraffic", "multiconnect", "http3",
    ]

    let contract: InteropContract

    private static let maxStreams = 1000

    /// A server that does what the contract says.
    public init(_ contract: InteropContract) { self.contract = contract }

    /// Serves until the task is cancelled.
    /// - Returns: 127 for an unsupported test case.
    public func run() async throws -> Int32 {
        guard Self.testCases.contains(contract.testCase) else { return InteropContract.unsupported }
        if contract.applicationProtocol == InteropContract.http3ALPN {
            try await runHTTP3()
        } else {
            try await runHTTP09()
        }
        return 0
    }

    // MARK: Configuration

    private func tls() throws -> TLSServerConfiguration {
        var tls = TLSServerConfiguration(
            applicationProtocols: [contract.applicationProtocol],
            credentials: ServerCredentials([try identity()]))
        tls.ticketKeys = .random()
        if contract.testCase == "zerortt" { tls.earlyData = ReplayFilter(refusesFirstWindow: false) }
        if contract.testCase == "chacha20" { tls.cipherSuites = [.chaCha20Poly1305] }
        if let path = contract.keyLogFile {
            let log = try KeyLog(path: path)
            tls.keyLog = { log.write($0) }
        }
        return tls
    }

    private func configure(_ quic: inout QUICServerConfiguration) {
        quic.qlogFolder = contract.qlogFolder
        quic.transport.maxIncomingBidirectionalStreams = Self.maxStreams
        if contract.testCase == "v2" { quic.transport.versions = [.v2, .v1] }
        quic.server.retryPolicy = contract.testCase == "retry" ? .always : .never
        if contract.testCase == "connectionmigration", let preferred = contract.preferredAddress {
            if preferred.isIPv4 {
                quic.server.preferredIPv4Address = preferred
            } else {
                quic.server.preferredIPv6Address = preferred
            }
        }
    }

    private func identity() throws -> Identity {
        let certificate = contract.certificates + "/cert.pem"
        let key = contract.certificates + "/priv.key"
        guard let chain = try? String(contentsOfFile: certificate, encoding: .utf8) else {
            throw Failure(ExitCode.noInput, "\(certificate): cannot be read")
        }
        guard let secret = try? String(contentsOfFile: key, encoding: .utf8) else {
            throw Failure(ExitCode.noInput, "\(key): cannot be read")
        }
        return try Identity(
            certificatesPEM: chain, keyPEM: secret, certificateSource: certificate, keySource: key)
    }

    // MARK: HTTP/3

    private func runHTTP3() async throws {
        var configuration = try HTTP3ServerConfiguration(tls: tls())
        configure(&configuration.quic)
        configuration.limits.concurrentRequests = Self.maxStreams
        configuration.limits.runningHandlers = 2 * Self.maxStreams
        let server = try await HTTP3Server.bind(to: contract.listen, configuration: configuration)
        if let preferred = contract.preferredListen { try await server.quic.listen(alsoAt: preferred) }
        let site = Site(files: try FileStore(root: contract.www), seed: nil)
        try await server.run { request, body, response in
            try await site.answer(HTTP3Exchange(request, body, response))
        }
    }

    // MARK: HTTP/0.9

    private func runHTTP09() async throws {
        var configuration = try QUICServerConfiguration(tls: tls())
        configure(&configuration)
        let listener = try await QUICListener.bind(to: contract.listen, configuration: configuration)
        if let preferred = contract.preferredListen { try await listener.listen(alsoAt: preferred) }
        let root = contract.www
        try await listener.run { connection in
            try await withThrowingDiscardingTaskGroup { group in
                for try await stream in connection.incomingStreams {
                    group.addTask { await InteropServer.answer(stream, root: root) }
                }
            }
        }
    }

    private static func answer(_ stream: QUICStream, root: String) async {
        do {
            let request = try await stream.collect(upTo: 8192)
            guard let path = path(in: String(buffer: request)) else { return await stream.reset(code: 1) }
            try await send(root + path, over: stream)
        } catch {
            await stream.reset(code: 1)
        }
    }

    /// The path of a `GET`, nil when it is none or leads outside.
    private static func path(in request: String) -> String? {
        let words = request.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0] == "GET", words[1].hasPrefix("/") else { return nil }
        let parts = words[1].split(separator: "/")
        guard !parts.contains(".."), !parts.isEmpty else { return nil }
        return "/" + parts.joined(separator: "/")
    }

    private static func send(_ path: String, over stream: QUICStream) async throws {
        guard let file = FileHandle(forReadingAtPath: path) else { return await stream.reset(code: 2) }
        defer { try? file.close() }
        while let chunk = try file.read(upToCount: 256 << 10), !chunk.isEmpty {
            try await stream.write(ByteBuffer(bytes: chunk))
        }
        try await stream.finish()
    }
}
