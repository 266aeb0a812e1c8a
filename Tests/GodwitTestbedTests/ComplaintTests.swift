import Foundation
import GodwitMigration
import MHQKit
import Testing

@testable import GodwitTestbed

/// What the program says when it can't do what it is asked for: one line, and an exit code of sysexits(3).
@Suite(.serialized) struct ComplaintTests {
    /// Runs the program, which has to refuse.
    private func check(
        _ arguments: [String], in folder: ProgramRun.Folder, code: Int32, _ words: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (status, complaint) = try ProgramRun.run(arguments, in: folder)
        let lines = complaint.split(separator: "\n")
        #expect(status == code, "\(complaint)", sourceLocation: sourceLocation)
        #expect((64...78).contains(status), sourceLocation: sourceLocation)
        #expect(lines.count == 1, "\(complaint)", sourceLocation: sourceLocation)
        #expect(complaint.hasPrefix("mhq: "), "\(complaint)", sourceLocation: sourceLocation)
        #expect(complaint.contains(words), "\(complaint)", sourceLocation: sourceLocation)
    }

    @Test("A wrong configuration is named, with its member", arguments: ["server", "client"])
    func configuration(_ mode: String) throws {
        let folder = try ProgramRun.Folder()
        let member = mode == "server" ? "port" : "serverPort"
        let file = try folder.write("{\"\(member)\": 70000}", to: "wrong.json")
        try check(
            ["--mode=\(mode)", "--config=\(file)"], in: folder, code: ExitCode.configuration,
            "wrong.json: \(member): is no whole number from")
        let broken = try folder.write("{\"\(member)\": ", to: "broken.json")
        try check(
            ["--mode=\(mode)", "--config=\(broken)"], in: folder, code: ExitCode.configuration,
            "broken.json: is not JSON")
        try check(
            [mode, "--config", "\(folder.path)/nowhere.json"], in: folder, code: ExitCode.noInput,
            "nowhere.json")
    }

    @Test("So is what is wrong in the configuration of the container's side")
    func container() throws {
        let folder = try ProgramRun.Folder()
        func run(_ path: String) -> [String] { ["experiment", "container", path] }
        try check(run("/nowhere.json"), in: folder, code: ExitCode.noInput, "/nowhere.json: can't be read")
        let place = #"{"server": "127.0.0.1:1", "management": "127.0.0.1:2", "networkSwitch": ""}"#
        func text(_ server: String = #"["/bin/true"]"#, commands: String = "127.0.0.1:0") -> String {
            #"{"server": \#(server), "commands": "\#(commands)", "network": "127.0.0.1:3", "#
                + #""places": [\#(place), \#(place)], "place": 0, "moves": []}"#
        }
        let wrong: [(text: String, code: Int32, words: String)] = [
            ("{", ExitCode.configuration, "container.json: is not JSON"),
            ("{}", ExitCode.configuration, "container.json: server: is missing"),
            (text("[]"), ExitCode.configuration, "container.json: server: names no program"),
            (text(commands: "here"), ExitCode.configuration, "container.json: commands: is not known"),
            (text(commands: "192.0.2.1:1"), ExitCode.system, "192.0.2.1:1: "),
            (text(#"["/nowhere"]"#), ExitCode.system, "/nowhere: "),
        ]
        for (text, code, words) in wrong {
            try check(run(try folder.write(text, to: "container.json")), in: folder, code: code, words)
        }
    }

    @Test("A wrong plan is named, with what is wrong in it")
    func plan() throws {
        let folder = try ProgramRun.Folder()
        let text = try PlanLibrary.plan(0, isQuick: true).text
        let wrong = try folder.write(text.replacing("quicBaseline", with: "teleport"), to: "wrong.json")
        func run(_ words: String...) -> [String] { ["experiment", "run", "--out", "out"] + words }
        try check(
            run("--plan", wrong), in: folder, code: ExitCode.dataError,
            "wrong.json: protocols[0]: is not known")
        try check(run("--plan", "/nowhere.json"), in: folder, code: ExitCode.noInput, "/nowhere.json")
        try check(run("--replay", wrong), in: folder, code: ExitCode.dataError, "is no environment file")
        try check(run("--replay", "/nowhere.json"), in: folder, code: ExitCode.noInput, "/nowhere.json")
        try check(run("7"), in: folder, code: ExitCode.usage, "a number from 0 to 6")
        try check(run("1", "--policy", "other"), in: folder, code: ExitCode.usage, "--policy: 'other'")
        try check(run("1", "--backend", "other"), in: folder, code: ExitCode.usage, "--backend: 'other'")
        try check(run("1", "--repetitions", "0"), in: folder, code: ExitCode.usage, "--repetitions")
        try check(run("1", "--whatever"), in: folder, code: ExitCode.usage, "--whatever")
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/out"))
    }

    @Test("Numbers that no run can be done with are refused, in a plan, an option and an environment file")
    func numbers() throws {
        let folder = try ProgramRun.Folder()
        let plan = try PlanLibrary.plan(0, isQuick: true)
        func run(_ words: String...) -> [String] { ["experiment", "run", "--out", "out"] + words }
        let stuck = try folder.write(
            plan.text.replacing("\"rate\" : 13", with: "\"rate\" : 0"), to: "stuck.json")
        try check(
            run("--plan", stuck), in: folder, code: ExitCode.dataError,
            "stuck.json: networks.wan.source.toServer.rate: is no number")
        let early = try folder.write(
            plan.text.replacing("\"delay\" : 122", with: "\"delay\" : -122"), to: "early.json")
        try check(
            run("--plan", early), in: folder, code: ExitCode.dataError,
            "early.json: networks.wan.source.toServer.delay: is no number")
        let misspelt = try folder.write(
            plan.text.replacing("\"drain\"", with: "\"drian\" : 1, \"drain\""), to: "misspelt.json")
        try check(
            run("--plan", misspelt), in: folder, code: ExitCode.dataError,
            "misspelt.json: steps.drian: no plan has that")
        for seed in ["0", "18446744073709551615"] {
            try check(
                run("4", "--quick", "--seed", seed), in: folder, code: ExitCode.usage,
                "--seed: is no number from 1 to 1,000,000,000,000,000")
        }
        try check(
            run("4", "--repetitions", "100000"), in: folder, code: ExitCode.usage,
            "--repetitions: there are more than")
        var record = EnvironmentRecord(plan, policy: "thesis", backend: "simulated", commandLine: [])
        record.plan.firstSeed = 0
        try record.write(to: "\(folder.path)/record.json")
        try check(
            run("--replay", "\(folder.path)/record.json"), in: folder, code: ExitCode.dataError,
            "record.json: plan.firstSeed: is no number")
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/out"))
    }

    @Test("Options that another one leaves no room for are refused, and not passed over")
    func choices() throws {
        let folder = try ProgramRun.Folder()
        let plan = try PlanLibrary.plan(0, isQuick: true)
        let file = try folder.write(plan.text, to: "plan.json")
        let record = "\(folder.path)/record.json"
        try EnvironmentRecord(plan, policy: "thesis", backend: "simulated", commandLine: [])
            .write(to: record)
        let replay = ["experiment", "run", "--out", "out", "--replay", record]
        let others = [
            ("the id", ["0"]), ("--plan", ["--plan", file]), ("--policy", ["--policy", "godwit"]),
            ("--backend", ["--backend", "simulated"]), ("--seed", ["--seed", "1"]),
            ("--repetitions", ["--repetitions", "1"]), ("--quick", ["--quick"]),
        ]
        for (name, words) in others {
            try check(
                replay + words, in: folder, code: ExitCode.usage,
                "--replay: the file says all, so \(name) must not be given with it")
        }
        try check(
            ["experiment", "run", "--out", "out", "--plan", file, "--quick"], in: folder,
            code: ExitCode.usage, "--quick: is about plans that ship")
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/out"))
    }

    @Test("Runs that failed their checks are told of, also by who finds them done")
    func failedChecks() throws {
        let folder = try ProgramRun.Folder()
        var plan = try PlanLibrary.plan(0, isQuick: true)
        plan.repetitions = 1
        let writer = try ResultWriter(folder: "\(folder.path)/out/godwit/simulated", plan: plan)
        var outcome = SimulatedRun(plan.runs[0], of: plan, .godwit).perform()
        outcome.flaws = ["something, that must not happen"]
        try writer.add(outcome, of: plan.runs[0])
        _ = consume writer
        let run = ["experiment", "run", "0", "--quick", "--repetitions", "1", "--out", "out"]
        for _ in 0..<2 {
            let (status, complaint) = try ProgramRun.run(run, in: folder)
            #expect(status == 1, "\(complaint)")
            #expect(
                complaint.hasSuffix(
                    "experiment 0, godwit: 1 run failed its checks: see flaws in godwit_details.csv, in the "
                        + "folders of out/godwit/simulated\n"), "\(complaint)")
        }
        let record = "\(folder.path)/out/godwit/simulated/environment_experiment0.json"
        #expect(try EnvironmentRecord.read(record).failedChecks == 1)
    }

    @Test("A folder that can't be written, that somebody else writes, or that has other results is refused")
    func folders() throws {
        let folder = try ProgramRun.Folder()
        func run(_ out: String, _ seed: Int = 1) -> [String] {
            ["experiment", "run", "0", "--quick", "--repetitions", "1", "--seed", "\(seed)", "--out", out]
        }
        let file = try folder.write("", to: "file")
        try check(run(file), in: folder, code: ExitCode.cannotCreate, "--out")
        var plan = try PlanLibrary.plan(0, isQuick: true)
        plan.repetitions = 1
        let writer = try ResultWriter(folder: "\(folder.path)/out/godwit/simulated", plan: plan)
        try check(run("out"), in: folder, code: ExitCode.unavailable, "another mhq is writing")
        _ = consume writer
        try check(run("out", 2), in: folder, code: ExitCode.configuration, "by another plan or seed")
    }

    @Test("A port in use is named")
    func ports() throws {
        let folder = try ProgramRun.Folder()
        let (socket, port) = try Self.takePort()
        defer { close(socket) }
        let taken = try folder.write(
            "{\"port\": \(port), \"managementPort\": 0, \"serverMigration\": {\"poolOfAddresses\": false}}",
            to: "taken.json")
        try check(["server", "--config", taken], in: folder, code: ExitCode.system, "port")
        let management = try folder.write(
            "{\"port\": 0, \"managementPort\": \(port), \"serverMigration\": {\"poolOfAddresses\": false}}",
            to: "management.json")
        try check(["server", "--config", management], in: folder, code: ExitCode.system, "managementPort")
    }

    /// A UDP port of the loopback interface that nobody else can have while its socket is open.
    private static func takePort() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001 as UInt32).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) + getsockname(descriptor, $0, &length)
            }
        }
        try #require(result == 0)
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static let inNamespaces = [
        "experiment", "run", "0", "--quick", "--backend", "namespaces", "--out", "out",
    ]

    @Test("A tool that is missing is named", .enabled(if: geteuid() == 0, "others are told of root first"))
    func tools() throws {
        let folder = try ProgramRun.Folder()
        // No program is found by its name in these tests.
        try check(
            Self.inNamespaces, in: folder, code: ExitCode.unavailable, "'namespaces' needs the command ip")
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/out"))
    }

    @Test("Namespaces without root are refused before anything is made", .enabled(if: ProgramRun.canBeNobody))
    func namespaces() throws {
        let folder = try ProgramRun.Folder()
        let (status, complaint) = try ProgramRun.run(Self.inNamespaces, in: folder, asNobody: true)
        #expect(status == ExitCode.noPermission, "\(complaint)")
        #expect(complaint == "mhq: --backend: 'namespaces' needs root; 'loopback' does not\n")
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/out"))
    }

    @Test("An address that the machine has not is named")
    func addresses() throws {
        let folder = try ProgramRun.Folder()
        let file = try folder.write(
            "{\"host\": \"192.0.2.1\", \"port\": 0, \"serverMigration\": {\"enable\": false}}",
            to: "elsewhere.json")
        try check(["server", "--config", file], in: folder, code: ExitCode.system, "port")
    }

    @Test("A right that is missing is named", .enabled(if: ProgramRun.canBeNobody))
    func rights() throws {
        let folder = try ProgramRun.Folder()
        let file = try folder.write(
            "{\"port\": 1, \"managementPort\": 0, \"serverMigration\": {\"poolOfAddresses\": false}}",
            to: "privileged.json")
        let (status, complaint) = try ProgramRun.run(
            ["server", "--config", file], in: folder, asNobody: true)
        #expect(status == ExitCode.noPermission, "\(complaint)")
        #expect(complaint.split(separator: "\n").count == 1)
        #expect(complaint.hasPrefix("mhq: port: "), "\(complaint)")
    }
}
