import Foundation
import GodwitHTTP3
import NIOCore
import NIOPosix
import Testing

@testable import MHQKit

/// A server that an operator has move.
@Suite struct OperatorSocketTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(
        _ configure: @Sendable (inout WebServerOptions) throws -> Void = { _ in },
        _ body: @Sendable (RunningServer, OperatedServer.Ask) async throws -> Void
    ) async throws {
        try await OperatedServer.run(control: folder["control"], configure, body)
    }

    @Test("A server moves as its operator says, and its client with it")
    func move() async throws {
        try await run { server, ask in
            let to = "127.0.0.2:\(server.port)"
            try await server.withFollower { client in
                #expect(try await client.ask("/bytes/10").status == 200)
                let id = await client.quic.originalDestinationID
                let prepared = try await ask(
                    #"{"command":"prepare","strategy":"combined","destinations":["\#(to)"],"details":true}"#)
                #expect(prepared.epoch == MigrationEpoch(rawValue: 1) && prepared.ready == 1)
                #expect(prepared.outcomes == ["\(id)": "ready (combined)"])
                #expect(try await ask(#"{"command":"status"}"#).state == "prepared")
                #expect(try await ask(#"{"command":"hold","epoch":1,"release":true}"#).isDone)
                #expect(try await ask(#"{"command":"status"}"#).state == "held")
                let moved = try await ask(#"{"command":"switch","epoch":1,"addresses":["\#(to)"]}"#)
                #expect(moved.isDone && moved.address == to)
                #expect(try await client.ask("/bytes/20").content.count == 20)
                #expect(await client.quic.remoteAddress == NetworkAddress(to))
                #expect(try await ask(#"{"command":"status"}"#).state == "serving")
            }
        }
    }

    // Holds: W5
    @Test("The pool changes as the operator says, its client hears of it, and the server moves there")
    func pool() async throws {
        try await run { server, ask in
            let to = "127.0.0.2:\(server.port)"
            try await server.withFollower { client in
                #expect(try await client.ask("/bytes/10").status == 200)
                var events = client.quic.migrationEvents.makeAsyncIterator()
                let forbidden = try await ask(#"{"command":"pool","addresses":["192.0.2.1:4433"]}"#)
                #expect(forbidden.exitCode == ExitCode.noPermission)
                for _ in 0..<2 {
                    let answer = try await ask(#"{"command":"pool","addresses":["\#(to)"]}"#)
                    #expect(answer.isDone && answer.pool == [to])
                }
                while let event = await events.next(), event != .told(NetworkAddress(to)!) {}
                #expect(try await ask(#"{"command":"status"}"#).pool == [to])
                #expect(try await ask(#"{"command":"prepare","strategy":"pool"}"#).ready == 1)
                #expect(try await ask(#"{"command":"hold","epoch":1,"release":true}"#).isDone)
                let held = try await ask(#"{"command":"pool","addresses":[]}"#)
                #expect(held.exitCode == ExitCode.unavailable)
                #expect(try await ask(#"{"command":"switch","epoch":1,"addresses":["\#(to)"]}"#).isDone)
                #expect(try await client.ask("/bytes/20").content.count == 20)
                #expect(await client.quic.remoteAddress == NetworkAddress(to))
                #expect(try await ask(#"{"command":"pool","addresses":[]}"#).isDone)
            }
        }
    }

    // Holds: W24
    @Test("A pool that is not among the allowed destinations is refused before anything is served")
    func forbiddenPool() async throws {
        let failure = await #expect(throws: Failure.self) {
            try await run {
                _ = $0.migrationPool.insert(NetworkAddress("192.0.2.1:4433")!)
            } _: { _, _ in
            }
        }
        #expect(failure?.exitCode == ExitCode.noPermission)
        #expect(
            failure?.message
                == "--pool: 192.0.2.1:4433: not among the allowed destinations (--allow-destination)")
    }

    @Test(
        "The version that the thesis's client begins with is spoken where that was asked for, and its client moves along",
        arguments: [true, false])
    func thesisVersion(isOn: Bool) async throws {
        try await run {
            $0.speaksThesisVersion = isOn
        } _: { (server, ask) async throws -> Void in
            let to = "127.0.0.2:\(server.port)"
            @Sendable func connect() async throws {
                try await server.withFollower {
                    $0.quic.migration = ClientMigrationSettings(ClientMigrationNegotiation(suite: .basic))
                    $0.quic.transport.versions = [.mvfst]
                } _: { (client) async throws -> Void in
                    #expect(try await client.ask("/bytes/10").status == 200)
                    let line = #"{"command":"prepare","strategy":"explicit","destinations":["\#(to)"]}"#
                    #expect(try await ask(line).ready == 1)
                    #expect(try await ask(#"{"command":"hold","epoch":1,"release":true}"#).isDone)
                    #expect(try await ask(#"{"command":"switch","epoch":1,"addresses":["\#(to)"]}"#).isDone)
                    #expect(try await client.ask("/bytes/20").content.count == 20)
                    #expect(await client.quic.remoteAddress == NetworkAddress(to))
                }
            }
            if isOn {
                try await connect()
            } else {
                await #expect(throws: (any Error).self) { try await connect() }
            }
        }
    }

    // Holds: W22
    @Test("Clients that can't follow are served until the hold, and sent away then")
    func leftBehind() async throws {
        try await run { server, ask in
            try await server.withClient { client in
                #expect(try await client.ask("/bytes/10").status == 200)
                let line = #"{"command":"prepare","strategy":"symmetric"}"#
                #expect(try await ask(line).summary == "1 without the extension")
                #expect(try await client.ask("/bytes/20").status == 200)
                #expect(try await ask(#"{"command":"hold","epoch":1}"#).isDone)
                await client.waitUntilUnusable()
                // Either side may be first: the client has been told by GOAWAY that it may go.
                guard case .application(code: 0x100, _, _) = try await client.quic.closed else {
                    Issue.record("unexpected: \(try await client.quic.closed)")
                    return
                }
            }
            #expect(try await ask(#"{"command":"cancel","epoch":1}"#).isDone)
        }
    }

    // Holds: W24
    @Test("What can't be done is refused with a reason, and what was done is answered again")
    func refusals() async throws {
        try await run { server, ask in
            let forbidden = try await ask(
                #"{"command":"prepare","strategy":"best","destinations":["192.0.2.1:4433"]}"#)
            #expect(
                forbidden.exitCode == ExitCode.noPermission && forbidden.error.hasPrefix("192.0.2.1:4433: "))
            #expect(try await ask("nonsense").exitCode == ExitCode.dataError)
            #expect(try await ask(#"{"command":"hold","epoch":1}"#).exitCode == ExitCode.unavailable)
            for _ in 0..<2 {
                let answer = try await ask(#"{"command":"prepare","strategy":"symmetric","epoch":7}"#)
                #expect(answer.isDone && answer.summary == "no connections")
            }
            for _ in 0..<2 { #expect(try await ask(#"{"command":"hold","epoch":7}"#).isDone) }
            let away = try await ask(#"{"command":"switch","epoch":7,"addresses":["192.0.2.1:4433"]}"#)
            #expect(away.exitCode == ExitCode.noPermission)
            for _ in 0..<2 { #expect(try await ask(#"{"command":"cancel","epoch":7}"#).isDone) }
            #expect(try await ask(#"{"command":"switch","epoch":7}"#).exitCode == ExitCode.unavailable)
        }
    }

    // Holds: W24
    @Test("The socket is for one user, one server, and lines of some length")
    func socket() async throws {
        let path = folder["control"]
        try await run { server, ask in
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o600)
            let failure = await #expect(throws: Failure.self) { try await run { _, _ in } }
            #expect(failure?.message == "--control: \(path): another server listens there")
            let long = try await ask(String(repeating: "x", count: OperatorRequest.longest + 10))
            #expect(long.exitCode == ExitCode.dataError)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: Failure.self) { try OperatorClient(path: path).ask("{}") }
    }

    private static let mayBecomeAnother =
        geteuid() == 0 && ["/usr/bin/setpriv", "/usr/bin/python3"].allSatisfy(access)

    private static func access(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

    // Holds: W24
    @Test(
        "Another user is refused by the kernel's word on who it is, even if the file lets everybody in",
        .enabled(if: mayBecomeAnother, "only root becomes another user, by setpriv"))
    func anotherUser() async throws {
        let path = folder["control"]
        try await run { _, ask in
            chmod(folder.path, 0o755)
            chmod(path, 0o666)
            let script = """
                import socket, sys
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[1])
                s.sendall(b'{"command":"status"}\\n')
                sys.stdout.write(s.makefile().readline())
                """
            @Sendable func answer(user: String) throws -> String {
                let (process, output) = (Process(), Pipe())
                process.executableURL = URL(filePath: "/usr/bin/setpriv")
                process.arguments = [
                    "--reuid=\(user)", "--clear-groups", "/usr/bin/python3", "-c", script, path,
                ]
                process.standardOutput = output
                try process.run()
                let data = output.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                return String(decoding: data, as: UTF8.self)
            }
            let refused = try await blocking { try OperatorReport(line: answer(user: "65534")) }
            #expect(refused.exitCode == ExitCode.noPermission && refused.state == nil)
            let root = try await blocking { try OperatorReport(line: answer(user: "0")) }
            #expect(root.state == "serving")
        }
    }

    // Holds: W24
    @Test("The server's own user and root may command it, and nobody else")
    func users() {
        #expect(OperatorSocket.mayCommand(user: geteuid()) && OperatorSocket.mayCommand(user: 0))
        #expect(!OperatorSocket.mayCommand(user: 65534) && !OperatorSocket.mayCommand(user: .max))
    }

    @Test("An operator ends a server")
    func shutdown() async throws {
        let path = folder["control"]
        var options = WebServerOptions()
        options.listen = [try ListenAddress("127.0.0.1:0", option: "--listen")]
        (options.control, options.servesTCP) = (path, false)
        let server = try await WebServer.start(options)
        let (signals, _) = AsyncStream.makeStream(of: WebServerSignal.self)
        async let code = server.run(signals: signals)
        let answer = try await blocking {
            try OperatorClient(path: path, timeout: .seconds(60)).ask(#"{"command":"shutdown"}"#)
        }
        #expect(try OperatorReport(line: answer).isDone)
        #expect(try await code == 0)
    }

    @Test("The thesis's commands are obeyed where its interface was asked for")
    func thesis() async throws {
        let report = folder["report.json"]
        try await run {
            $0.management = try ListenAddress("127.0.0.1:0", option: "--management-port")
            $0.managementReport = report
        } _: { server, _ in
            let operation = ThesisOperation(
                service: OperatorService(server: server.server.http3, logger: server.server.logger) {},
                reportFile: report)
            #expect(await operation.obey("x") == "Bad request. Error: the request is no JSON object")
            #expect(
                await operation.obey(#"{"action":"onNetworkSwitch"}"#)
                    == "Bad request. Error: no migration was announced")
            let command =
                #"{"action":"onImminentServerMigration","protocol":"Explicit","#
                + #""address":"127.0.0.2:\#(server.port)","notifyMigrationReady":true}"#
            for _ in 0..<2 { #expect(await operation.obey(command) == "OK") }
            let epoch = try #require(await operation.takeWaiting())
            #expect(await operation.isReady(epoch))
            for _ in 0..<2 { #expect(await operation.obey(#"{"action":"onNetworkSwitch"}"#) == "OK") }
            #expect(await operation.obey(#"{"action":"shutdown"}"#) == "OK")
            let text = try String(contentsOfFile: report, encoding: .utf8)
            #expect(text.hasPrefix(#"{"migrationNotificationTime":"#))
            #expect(text.hasSuffix("\"numberOfClientsReadyForMigration\":0}\n"))
        }
    }
}
