import Foundation
import Godwit
import Testing

@testable import MHQKit

/// Both ends of the application as the processes that people start.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ApplicationProcessTests {
    private let folder: TemporaryFolder
    private let port = FreePort.next()
    private let managementPort = FreePort.next()

    init() throws { folder = try TemporaryFolder() }

    private func writeServer(host: String = "127.0.0.1") throws {
        try folder.write(
            "server.json",
            """
            {"host": "\(host)", "port": \(port), "managementPort": \(managementPort), "numberOfWorkerThreads": 1}
            """)
    }

    private func writeClient(_ experiment: Int, host: String = "127.0.0.1") throws {
        try folder.write(
            "client.json",
            """
            {"serverHost": "\(host)", "serverPort": \(port), "keyLogging": {"enable": false},
             "requestPattern": {"sporadic": false, "backToBack": true},
             "experiment": {"id": \(experiment), "serverManagementPort": \(managementPort),
                            "shutdownAfterRequest": 7}}
            """)
    }

    /// Has the server end.
    private func shutDown() async -> String? {
        await ManagementClient.ask(
            ManagementMessage.shutdown, at: NetworkAddress("127.0.0.1:\(managementPort)")!)
    }

    // MARK: The command line

    /// How people say the same.
    struct Form: Sendable, CustomTestStringConvertible {
        var server: [String]
        var client: [String]
        var host = "127.0.0.1"
        var isVerbose = true
        var testDescription: String { server.joined(separator: " ") }

        init(_ words: String, host: String = "127.0.0.1", isVerbose: Bool = true) {
            func arguments(_ role: String) -> [String] {
                words.replacing("ROLE", with: role).split(separator: " ").map(String.init)
            }
            (server, client) = (arguments("server"), arguments("client"))
            (self.host, self.isVerbose) = (host, isVerbose)
        }
    }

    static let forms = [
        Form("--mode=ROLE --config=ROLE.json --v=1 --logtostderr"),
        Form("--mode ROLE --config ROLE.json --v 1 --logtostderr"),
        Form("-mode=ROLE -config=ROLE.json -v=1 -logtostderr"),
        Form("--v=0 --config=ROLE.json --mode=ROLE", host: "0.0.0.0", isVerbose: false),
        Form("ROLE --config ROLE.json", isVerbose: false),
    ]

    @Test("Both ends take the thesis's command line, serve and end", arguments: forms)
    func commandLine(_ form: Form) async throws {
        try writeServer(host: form.host)
        try writeClient(0, host: "localhost")
        let server = try ProgramProcess(form.server, in: folder)
        let client = try ProgramProcess(form.client, in: folder)
        #expect(await client.exitCode == 0)
        #expect(await server.exitCode == 0)
        let times = try folder.text("service_times.json")
        #expect(times.contains(#""serverAddresses":["127.0.0.1:\#(port)"]"#), "\(times)")
        let report = try folder.text(ApplicationServer.reportName)
        #expect(report.contains(#""migrationNotificationTime":null"#))
        #expect(server.messages.contains(" info ") == form.isVerbose, "\(server.messages)")
        let isWarned = server.messages.contains("the management port is open to others")
        #expect(isWarned == (form.host == "0.0.0.0"), "\(server.messages)")
    }

    @Test("A host that nobody knows ends the client with one line")
    func unknownHost() async throws {
        // No name has a part as long as that, so nobody is asked.
        let name = String(repeating: "x", count: 70)
        try writeClient(0, host: name)
        let client = try ProgramProcess(["--mode=client", "--config=client.json"], in: folder)
        #expect(await client.exitCode == ExitCode.noHost)
        #expect(
            client.messages.hasPrefix(
                #"mhq: client.json: serverHost: could not resolve the host "\#(name)": "#))
        #expect(client.messages.split(separator: "\n").count == 1)
    }

    @Test("A server whose folder can't be written ends when it is told, and names the file")
    func unwritableFolder() async throws {
        let text = #"{"port": \#(port), "managementPort": \#(managementPort), "numberOfWorkerThreads": 1}"#
        let settings = try ApplicationServerConfiguration(
            ConfigurationReader(file: "server.json", text: text))
        let server = ApplicationServer(settings, policy: .thesis, folder: "/nowhere")
        let (signals, _) = AsyncStream.makeStream(of: WebServerSignal.self)
        async let serving: Void = server.run(signals: signals)
        #expect(await shutDown() == "OK")
        var failure: Failure?
        do { try await serving } catch let problem as Failure { failure = problem }
        #expect(failure?.exitCode == ExitCode.cannotCreate)
        #expect(failure?.message == "/nowhere/\(ApplicationServer.reportName): No such file")
    }

    // MARK: Handovers

    /// 127.0.0.1:5555 as the kernel writes it.
    private static let handoverSocket = "0100007F:15B3"

    private func order(_ accessPoint: String) -> String {
        #"{"action":"handover","address":"127.0.0.3:0","accessPoint":"\#(accessPoint)","#
            + #""accessPointGateway":"127.0.0.9","otherAccessPointSubnet":"127.1.0.0/16","tcScript":""}"#
    }

    /// Waits until the client has sockets: that of handovers is the first if there is one.
    private func sockets(of client: ProgramProcess) async throws -> [String] {
        for _ in 0..<1000 {
            let sockets = client.sockets
            if !sockets.isEmpty { return sockets }
            try await Task.sleep(for: .milliseconds(10))
        }
        return []
    }

    @Test("Nobody is listened to for orders unless it was asked for, and then on loopback alone")
    func gate() async throws {
        try writeServer()
        try writeClient(5)
        let stubs = try StubCommands()
        for name in ["nmcli", "ip"] { try stubs.add(name) }
        let server = try ProgramProcess(["server", "--config", "server.json"], in: folder)
        let closed = try ProgramProcess(["client", "--config", "client.json"], in: folder, path: stubs.path)
        let before = try await sockets(of: closed)
        #expect(!before.isEmpty && !before.contains { $0.hasSuffix(":15B3") }, "\(before)")
        closed.terminate()
        _ = await closed.exitCode
        let open = try ProgramProcess(
            ["client", "--config", "client.json", "--allow-handover-commands"], in: folder, path: stubs.path)
        var listening: [String] = []
        for _ in 0..<3000 where listening.isEmpty {
            listening = try await sockets(of: open).filter { $0.hasSuffix(":15B3") }
            if listening.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(listening == [Self.handoverSocket])
        let address = NetworkAddress("127.0.0.1:5555")!
        #expect(
            await ManagementClient.ask(order("-a"), at: address)
                == "Bad request. Error: accessPoint: '-a' looks like an option")
        #expect(stubs.calls == [])
        #expect(await ManagementClient.ask(order("far away; touch x"), at: address) == "OK")
        #expect(
            Set(stubs.calls) == [
                "nmcli|dev|wifi|connect|far away; touch x", "ip|route|replace|127.1.0.0/16|via|127.0.0.9",
            ])
        #expect(await shutDown() == "OK")
        #expect(await server.exitCode == 0)
        #expect(await open.exitCode == 0)
        #expect(!folder.names.contains("x") && !stubs.folder.names.contains("x"))
    }
}
