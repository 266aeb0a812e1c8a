import Foundation
import Godwit
import NIOCore
import NIOPosix

/// The client side of the interop runner's contract.
public struct InteropClient: Sendable {
    let contract: InteropContract

    /// A client that does what the contract says.
    public init(_ contract: InteropContract) { self.contract = contract }

    /// Downloads everything.
    /// - Returns: 127 for an unsupported test case.
    public func run() async throws -> Int32 {
        guard InteropServer.testCases.contains(contract.testCase) else { return InteropContract.unsupported }
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

    private func configuration() throws -> QUICClientConfiguration {
        var tls = TLSClientConfiguration(applicationProtocols: ["hq-interop"])
        tls.trust = try trust()
        if contract.testCase == "chacha20" { tls.cipherSuites = [.chaCha20Poly1305] }
        if let path = contract.keyLogFile {
            let log = try KeyLog(path: path)
            tls.keyLog = { log.write($0) }
        }
        var configuration = try QUICClientConfiguration(tls: tls)
        configuration.qlogFolder = contract.qlogFolder
        configuration.transport.handshakeTimeout = .seconds(60)
        if contract.testCase == "v2" {
            configuration.transport.versions = [.v2, .v1]
            configuration.transport.initialVersion = .v1
        }
        return configuration
    }

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
        let updatesKeys = contract.testCase == "keyupdate"
        try await connect(to: requests[0]) { connection in
            if updatesKeys { await connection.updateKeys() }
            try await fetch(requests, over: connection)
        }
    }

    /// The first file in a first connection; the others in a second that resumes it.
    private func resume(earlyData: Bool) async throws {
        let first = contract.requests[0]
        let resumption = try await connect(to: first) { connection in
            try await fetch([first], over: connection)
            for await resumption in connection.resumptionTickets { return resumption }
            throw Failure(ExitCode.protocolError, "the server gave no session ticket")
        }
        let rest = Array(contract.requests.dropFirst())
        try await connect(to: rest[0], resumption: resumption, offersEarlyData: earlyData) { connection in
            try await fetch(rest, over: connection)
        }
    }

    private func connect<Result: Sendable>(
        to request: InteropRequest, resumption: QUICResumption? = nil, offersEarlyData: Bool = false,
        _ body: @Sendable (QUICConnection) async throws -> Result
    ) async throws -> Result {
        try await QUICConnection.connect(
            to: request.host, port: request.port, configuration: try configuration(), resumption: resumption,
            offersEarlyData: offersEarlyData, body)
    }

    // MARK: HTTP/0.9

    private func fetch(_ requests: [InteropRequest], over connection: QUICConnection) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for request in requests {
                group.addTask { try await fetch(request, over: connection) }
            }
            try await group.waitForAll()
        }
    }

    private func fetch(_ request: InteropRequest, over connection: QUICConnection) async throws {
        let stream = try await connection.openStream()
        try await stream.write(ByteBuffer(string: "GET \(request.path)\r\n"), finish: true)
        let path = contract.downloads + "/" + request.fileName
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw Failure(ExitCode.cannotCreate, "\(path): cannot be written") }
        defer { try? file.close() }
        for try await chunk in stream { try file.write(contentsOf: Data(chunk.readableBytesView)) }
    }
}
