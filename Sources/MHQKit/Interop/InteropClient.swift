import Foundation
import Godwit
import GodwitHTTP3

/// The client side of the interop runner's contract.
public struct InteropClient: Sendable {
    /// What the client can do besides what the server can.
    private static let testCases = InteropServer.testCases.union([
        "versionnegotiation", "addresschange", "natrebinding",
    ])

    let contract: InteropContract

    /// A client that does what the contract says.
    public init(_ contract: InteropContract) { self.contract = contract }

    /// Downloads everything.
    /// - Returns: 127 for an unsupported test case.
    public func run() async throws -> Int32 {
        guard Self.testCases.contains(contract.testCase) else { return InteropContract.unsupported }
        guard !contract.requests.isEmpty else {
            throw Failure(ExitCode.usage, "REQUESTS: nothing to download")
        }
        do {
            try await runTestCase()
        } catch {
            await QlogFiles.flush()
            throw error
        }
        await QlogFiles.flush()
        return 0
    }

    private func runTestCase() async throws {
        switch contract.testCase {
        case "resumption": try await resume(earlyData: false)
        case "zerortt": try await resume(earlyData: true)
        case "multiconnect", "handshakeloss", "handshakecorruption":
            for request in contract.requests { try await download([request]) }
        default: try await download(contract.requests)
        }
    }

    // MARK: Configuration

    private func tls() throws -> TLSClientConfiguration {
        var tls = TLSClientConfiguration(applicationProtocols: [contract.applicationProtocol])
        tls.trust = try trust()
        if contract.testCase == "chacha20" { tls.cipherSuites = [.chaCha20Poly1305] }
        if let path = contract.keyLogFile {
            let log = try KeyLog(path: path)
            tls.keyLog = { log.write($0) }
        }
        return tls
    }

    private func configure(_ quic: inout QUICClientConfiguration) {
        quic.qlogFolder = contract.qlogFolder
        switch contract.testCase {
        case "v2":
            quic.transport.versions = [.v2, .v1]
            quic.transport.initialVersion = .v1
        case "versionnegotiation":
            quic.transport.versions = [.v1]
            quic.transport.initialVersion = .reserved(random: .random(in: 0...UInt32.max))
        default: break
        }
    }

    private static let handshakeTime = Duration.seconds(60)

    /// The runner's own authority where it left its certificate; its containers make do without.
    private func trust() throws -> TrustPolicy {
        let path = contract.certificates + "/ca.pem"
        guard let pem = try? String(contentsOfFile: path, encoding: .utf8) else {
            return .insecureNoVerification
        }
        return .certificates(try Certificate.list(pem: pem, source: path))
    }

    // MARK: Test cases

    private func download(_ requests: [InteropRequest]) async throws {
        let testCase = contract.testCase
        try await connect(to: requests[0]) { connection in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await fetch(requests, over: connection) }
                group.addTask { try await Self.disturb(connection.quic, testCase) }
                try await group.waitForAll()
            }
        }
    }

    /// What happens to the connection while it is in use.
    private static func disturb(_ connection: QUICConnection, _ testCase: String) async throws {
        switch testCase {
        case "keyupdate": await connection.updateKeys()
        case "natrebinding":
            // Before, the server has no reason to believe in another address (RFC 9000 section 9).
            try await connection.handshakeConfirmed()
            try await connection.rebind()
        case "addresschange": try await move(connection)
        default: break
        }
    }

    /// Moves to another port, as soon as the handshake is confirmed (RFC 9000 section 9).
    private static func move(_ connection: QUICConnection) async throws {
        try await connection.handshakeConfirmed()
        var local = await connection.localAddress
        local.port = 0
        do { try await connection.migrate(toLocal: local) } catch QUICError.migrationRefused {
            throw Failure(ExitCode.protocolError, "the server forbids to move")
        }
    }

    /// The first file in a first connection; the others in a second that resumes it.
    private func resume(earlyData: Bool) async throws {
        let first = contract.requests[0]
        let resumption = try await connect(to: first) { connection in
            try await fetch([first], over: connection)
            return try await connection.resumption()
        }
        let rest = Array(contract.requests.dropFirst())
        guard !rest.isEmpty else { return }
        try await connect(to: rest[0], resumption: resumption, offersEarlyData: earlyData) { connection in
            try await fetch(rest, over: connection)
        }
    }

    // MARK: Connections

    private func connect<Result: Sendable>(
        to request: InteropRequest, resumption: InteropConnection.Resumption? = nil,
        offersEarlyData: Bool = false, _ body: @Sendable (InteropConnection) async throws -> Result
    ) async throws -> Result {
        guard contract.applicationProtocol == InteropContract.http3ALPN else {
            return try await connectHTTP09(to: request, resumption, offersEarlyData, body)
        }
        var configuration = try HTTP3ClientConfiguration(tls: tls())
        configure(&configuration.quic)
        configuration.limits.connectTime = Self.handshakeTime
        var left: HTTP3Resumption?
        if case .http3(let resumption)? = resumption { left = resumption }
        return try await HTTP3Client.connect(
            to: request.host, port: request.port, configuration: configuration, resumption: left,
            offersEarlyData: offersEarlyData
        ) { try await body(.http3($0)) }
    }

    private func connectHTTP09<Result: Sendable>(
        to request: InteropRequest, _ resumption: InteropConnection.Resumption?, _ offersEarlyData: Bool,
        _ body: @Sendable (InteropConnection) async throws -> Result
    ) async throws -> Result {
        var configuration = try QUICClientConfiguration(tls: tls())
        configure(&configuration)
        configuration.transport.handshakeTimeout = Self.handshakeTime
        var left: QUICResumption?
        if case .http09(let resumption)? = resumption { left = resumption }
        return try await QUICConnection.connect(
            to: request.host, port: request.port, configuration: configuration, resumption: left,
            offersEarlyData: offersEarlyData
        ) { try await body(.http09($0)) }
    }

    private func fetch(_ requests: [InteropRequest], over connection: InteropConnection) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for request in requests {
                let path = contract.downloads + "/" + request.fileName
                group.addTask { try await connection.fetch(request, to: path) }
            }
            try await group.waitForAll()
        }
    }
}
