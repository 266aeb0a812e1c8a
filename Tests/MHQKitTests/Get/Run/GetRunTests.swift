import Foundation
import GodwitHTTP3
import NIOPosix
import Testing

@testable import MHQKit

/// `mhq get` against `mhq serve`.
@Suite struct GetRunTests {
    private let folder: TemporaryFolder
    private let big = pattern(700_000)

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("root/big", big)
        try folder.write("root/a.txt", "hello")
        try folder.write("root/b.txt", "world")
    }

    /// Gets things from a server with the folder.
    private func get(_ paths: String..., configure: @Sendable (inout GetOptions) -> Void) async throws
        -> Int32
    {
        try await RunningServer.run {
            $0.root = folder["root"]
        } _: { server in
            var options = GetOptions()
            options.urls = paths.map { server.url + $0 }
            options.authorityFile = server.authorityFile
            configure(&options)
            return try await GetRun.run(options)
        }.0
    }

    @Test("Files arrive whole, several at once")
    func files() async throws {
        let code = try await get("/big", "/a.txt", "/b.txt") {
            $0.outputs = [folder["x"], folder["y"], folder["z"]]
            $0.parallel = 3
        }
        #expect(code == 0)
        #expect(try folder.read("x") == big)
        #expect(try folder.text("y") == "hello")
        #expect(try folder.text("z") == "world")
        #expect(folder.names == ["root", "x", "y", "z"])
    }

    @Test("An error is content like any other, unless told otherwise")
    func errorStatus() async throws {
        #expect(try await get("/none") { $0.outputs = [folder["x"]] } == 0)
        #expect(try folder.text("x") == "404 Not Found\n")
        let code = try await get("/none", "/a.txt") {
            $0.outputs = [folder["y"], folder["z"]]
            $0.failsOnErrorStatus = true
        }
        #expect(code == GetExitCode.errorStatus)
        #expect(folder.names == ["root", "x", "z"])
    }

    @Test("What is sent with POST and PUT comes back from /echo")
    func uploads() async throws {
        let file = folder["root/big"]
        #expect(
            try await get("/echo") {
                $0.data = file
                $0.outputs = [folder["x"]]
            } == 0)
        #expect(
            try await get("/echo") {
                $0.upload = file
                $0.outputs = [folder["y"]]
            } == 0)
        #expect(try folder.read("x") == big)
        #expect(try folder.read("y") == big)
    }

    @Test("The header section alone")
    func head() async throws {
        let code = try await get("/a.txt") {
            $0.isHead = true
            $0.outputs = [folder["x"]]
        }
        #expect(code == 0)
        let text = try folder.text("x")
        #expect(text.hasPrefix("HTTP/3 200\n"))
        #expect(text.contains("\ncontent-length: 5\n"))
        #expect(text.hasSuffix("\n\n"))
    }

    @Test("A server that nobody vouches for is not trusted")
    func untrusted() async throws {
        let other = try SelfSignedCertificate.make(names: ["127.0.0.1"]).certificate.pem
        let authority = try folder.write("other.pem", other)
        let code = try await get("/a.txt") {
            $0.authorityFile = authority
            $0.outputs = [folder["x"]]
        }
        #expect(code == GetExitCode.certificate)
        #expect(folder.names == ["other.pem", "root"])
        #expect(
            try await get("/a.txt") {
                ($0.authorityFile, $0.isInsecure) = (nil, true)
                $0.outputs = [folder["x"]]
            } == 0)
    }

    @Test("Where there is no server, the time for a connection is all it takes")
    func noServer() async throws {
        var options = GetOptions()
        // Nobody listens at the discard port.
        options.urls = ["https://127.0.0.1:9/"]
        options.outputs = [folder["x"]]
        options.connectTime = .milliseconds(200)
        #expect(try await GetRun.run(options) == GetExitCode.timeout)
        #expect(folder.names == ["root"])
    }

    @Test("A transfer that takes too long is given up, and leaves nothing")
    func timeLimit() async throws {
        let code = try await get("/bytes/1000000000000") {
            $0.outputs = [folder["x"]]
            $0.timeLimit = .milliseconds(300)
        }
        #expect(code == GetExitCode.timeout)
        #expect(folder.names == ["root"])
    }

    @Test("A signal ends everything, and leaves nothing half-written")
    func signal() async throws {
        try await RunningServer.run { server in
            var options = GetOptions()
            options.urls = [server.url + "/bytes/1000000000000"]
            options.outputs = [folder["x"]]
            options.authorityFile = server.authorityFile
            let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
            async let code = GetRun(options).run(signals: signals)
            for _ in 0..<2000 where folder.names.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(folder.names.count == 2)
            continuation.yield(SIGINT)
            #expect(try await code == GetExitCode.interrupted)
            #expect(folder.names == ["root"])
        }
    }

    @Test("A session that was kept makes the next run resume, with early data if it may (RFC 8446)")
    func sessions() async throws {
        try await RunningServer.run {
            $0.root = folder["root"]
        } _: { server in
            var options = GetOptions()
            options.urls = [server.url + "/a.txt"]
            options.authorityFile = server.authorityFile
            options.outputs = [folder["x"]]
            options.sessionFile = folder["session"]
            #expect(try await GetRun.run(options) == 0)
            let kept = try SessionFile(path: folder["session"]).read()
            #expect(kept.map(\.0) == [HTTP3Origin(host: "127.0.0.1", port: server.port)])
            let report = try await Self.report(of: options)
            #expect(report.connection?.isResumed == true)
            #expect(report.connection?.earlyDataAccepted == true)
            options.offersEarlyData = false
            let careful = try await Self.report(of: options)
            #expect(careful.connection?.isResumed == true)
            #expect(careful.connection?.earlyDataAccepted == false)
            #expect(!careful.usedEarlyData)
        }
    }

    /// What is reported of the one transfer that the options say; the session file is used, but not written.
    private static func report(of options: GetOptions) async throws -> TransferReport {
        var options = options
        options.reportsJSON = true
        let sessions = SessionStore(try SessionFile(path: options.sessionFile ?? "").read())
        let plan = try TransferPlan(options)
        var configuration = try HTTP3ClientConfiguration(trust: .file(options.authorityFile ?? ""))
        configuration.limits.connectTime = .seconds(5)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let connections = OriginConnections(
            configuration, group, sessions, offersEarlyData: options.offersEarlyData, isForOne: false)
        let state = TransferState(name: "x", start: .now)
        let report = await Fetch(plan.transfers[0], of: plan, over: connections, state, nil).run()
        await connections.end()
        try await group.shutdownGracefully()
        return report
    }
}
