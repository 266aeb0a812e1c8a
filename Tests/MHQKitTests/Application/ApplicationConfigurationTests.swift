import Foundation
import Godwit
import GodwitHTTP3
import GodwitWire
import Testing

@testable import MHQKit

@Suite struct ApplicationConfigurationTests {
    private func client(_ text: String) throws -> ApplicationClientConfiguration {
        try ApplicationClientConfiguration(ConfigurationReader(file: "client.json", text: text))
    }

    private func server(_ text: String) throws -> ApplicationServerConfiguration {
        try ApplicationServerConfiguration(ConfigurationReader(file: "server.json", text: text))
    }

    @Test("Absent members have the values of the published example of a client")
    func clientDefaults() throws {
        let settings = try client("{}")
        #expect(settings.server == NetworkAddress("127.0.0.1:6666"))
        #expect(settings.keyLog == "./keys.txt")
        #expect(settings.interval == 10_000)
        #expect(settings.body == .fromDistribution)
        #expect(settings.seed == 1)
        #expect(settings.migration.suite(.thesis) == [.explicit, .symmetric, .synchronizedSymmetric])
        let experiment = settings.experiment
        #expect(experiment.id == 1)
        #expect(experiment.serverManagement == NetworkAddress("127.0.0.1:7777"))
        #expect(experiment.containerMigration == NetworkAddress("127.0.0.1:8080"))
        #expect(experiment.migrationProtocol == .proactiveExplicit)
        #expect(experiment.destination == NetworkAddress("127.0.1.1:6666"))
        #expect(experiment.noticeAfter == 1)
        #expect(experiment.triggerAfter == 2)
        #expect(experiment.shutdownAfter == 4)
        #expect(settings.warnings.isEmpty)
    }

    @Test("Absent members have the values of the published example of a server")
    func serverDefaults() throws {
        let settings = try server("{}")
        #expect(settings.host == IPAddress("127.0.0.1"))
        #expect(settings.port == 6666)
        #expect(settings.managementPort == 7777)
        #expect(settings.workerThreads == 0)
        #expect(settings.pool.count == 4)
        #expect(settings.migration.suite(.thesis) == .basic)
        #expect(settings.migration.suite(.godwit) == .all)
        #expect(settings.inflation == 0)
    }

    @Test("Connections have as many threads as they are given, and no more than there are cores")
    func threads() throws {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        for (number, threads) in [(0, cores), (1, 1), (cores, cores), (cores + 1, cores), (1000, cores)] {
            #expect(try server(#"{"numberOfWorkerThreads": \#(number)}"#).eventLoops == threads)
        }
    }

    @Test("The examples that ship say what counts without them")
    func shippedExamples() throws {
        let (server, client) = (try server(ShippedExample.server), try client(ShippedExample.client))
        #expect(server == (try self.server("{}")))
        #expect(client == (try self.client("{}")))
    }

    @Test("The version that the thesis's client begins with is off by default")
    func thesisVersion() throws {
        #expect(try !server("{}").speaksThesisVersion)
        #expect(try server(#"{"thesisVersion": true}"#).speaksThesisVersion)
    }

    // Holds: W24
    @Test(
        "Without a list clients are sent to what is named and to no wider a scope than the host's (7.8.6)",
        arguments: [
            ("127.0.0.1", ["127.0.1.1:6666", "[::1]:6666"], ["192.168.1.105:6666", "203.0.113.1:6666"]),
            ("192.168.1.104", ["192.168.1.105:6666", "10.0.0.1:1"], ["127.0.0.9:6666", "203.0.113.1:6666"]),
            ("0.0.0.0", ["192.168.1.105:6666", "127.0.0.9:6666"], ["203.0.113.1:6666", "8.8.8.8:53"]),
            ("203.0.113.7", ["203.0.113.7:1", "198.51.100.1:6666"], ["203.0.113.8:6666", "10.0.0.1:1"]),
        ])
    func destinations(host: String, allowed: [String], forbidden: [String]) throws {
        let pool = #""serverMigration": {"addressPool": ["198.51.100.1:6666"]}"#
        let settings = try server(#"{"host": "\#(host)", \#(pool)}"#)
        for text in allowed {
            #expect(settings.allowedDestinations.contains(NetworkAddress(text)!), "\(text)")
        }
        for text in forbidden {
            #expect(!settings.allowedDestinations.contains(NetworkAddress(text)!), "\(text)")
        }
        let warnings = settings.warnings.filter {
            $0.hasPrefix("serverMigration.allowedDestinations: is absent")
        }
        #expect(warnings.count == (host.hasPrefix("127") || host.hasPrefix("192") ? 0 : 1))
    }

    // Holds: W24
    @Test(
        "A list of where clients may be sent counts alone, for the pool as well (Specs/server-migration.md 7.7)"
    )
    func namedDestinations() throws {
        let list = #""allowedDestinations": ["203.0.113.0/24"]"#
        let settings = try server(#"{"serverMigration": {\#(list), "poolOfAddresses": false}}"#)
        #expect(settings.allowedDestinations == AllowedDestinations([AddressPrefix("203.0.113.0/24")!]))
        #expect(settings.warnings.isEmpty)
        let message =
            #"server.json: serverMigration.addressPool[0]: "127.0.0.1:6666" is not within "#
            + "serverMigration.allowedDestinations"
        #expect(throws: Failure(ExitCode.configuration, message)) {
            try server(#"{"serverMigration": {\#(list)}}"#)
        }
    }

    @Test("Comments are no part of a configuration, and texts are no comments")
    func comments() throws {
        let settings = try client(
            #"""
            {
              /* two
                 lines */ "keyLogging": {"enable": true, "file": "/*keys*/ \"//.txt"}, // the rest
              "seed": 7 /**/
            }
            """#)
        #expect(settings.keyLog == "/*keys*/ \"//.txt")
        #expect(settings.seed == 7)
    }

    @Test("Members that are not known are named, and count for nothing")
    func unknownMembers() throws {
        let settings = try client(#"{"sed": 1, "experiment": {"identity": 3}}"#)
        let names: [Substring] = settings.warnings.map { $0.prefix { $0 != ":" } }
        #expect(names == ["experiment.identity", "sed"])
        #expect(settings.experiment.id == 1)
    }

    @Test("An empty pool switches Pool of Addresses off, with a warning")
    func emptyPool() throws {
        let settings = try server(#"{"serverMigration": {"addressPool": []}}"#)
        #expect(!settings.migration.suite(.thesis).contains(.poolOfAddresses))
        #expect(settings.warnings.count == 1)
    }

    @Test("The constants of the thesis's endpoints are those that were measured unless it says otherwise")
    func thesisTiming() throws {
        #expect(try client("{}").thesis == ThesisTiming(initialRoundTrip: 25, probeMargin: 108))
        let text = #"{"thesis": {"initialRoundTrip": 30, "probeMargin": 90.5}}"#
        #expect(try server(text).thesis == ThesisTiming(initialRoundTrip: 30, probeMargin: 90.5))
        #expect(
            throws: Failure(
                ExitCode.configuration, "client.json: thesis.probeMargin: is no number from 0.001 to 60000.0")
        ) { try client(#"{"thesis": {"probeMargin": -1}}"#) }
    }

    @Test("Endpoints have those constants under the thesis's policy, and ours under our own")
    func endpointTiming() throws {
        let thesis = #""thesis": {"initialRoundTrip": 33.5, "probeMargin": 77}"#
        let (server, client) = (
            try server("{\(thesis)}"), try client("{\(thesis), \"keyLogging\": {\"enable\": false}}")
        )
        for policy in [MigrationPolicy.thesis, .godwit] {
            let ends = [
                try ApplicationServer(server, policy: policy).serverConfiguration().quic.transport,
                try ApplicationClient(client, policy: policy)
                    .clientConfiguration(SeedSequence(master: 1)).quic.transport,
            ]
            for transport in ends {
                #expect((transport.initialRTT == .milliseconds(33.5)) == (policy == .thesis))
                #expect((transport.timerGranularity == .milliseconds(77)) == (policy == .thesis))
            }
        }
    }

    @Test("Extra memory counts only when it is switched on")
    func inflation() throws {
        let off = #"{"memoryFootprintInflation": {"enable": false, "additionalBytes": 5}}"#
        #expect(try server(off).inflation == 0)
        let on = #"{"memoryFootprintInflation": {"enable": true, "additionalBytes": 5}}"#
        #expect(try server(on).inflation == 5)
    }

    @Test("Extra memory is zeros unless it says otherwise, random, or both page by page")
    func contents() throws {
        func contents(_ word: String) throws -> MemoryContents {
            try server(#"{"memoryFootprintInflation": {"enable": true, "contents": "\#(word)"}}"#)
                .inflationContents
        }
        #expect(try server("{}").inflationContents == .zero)
        for one in MemoryContents.allCases { #expect(try contents(one.rawValue) == one) }
        #expect(
            throws: Failure(
                ExitCode.configuration,
                #"server.json: memoryFootprintInflation.contents: "ones" is none of zero, random, mixed"#)
        ) { try contents("ones") }
        let pages = MemoryContents.allCases.map { one in
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8 * 4096, alignment: 4096)
            defer { memory.deallocate() }
            one.fill(memory, seed: 1)
            return (0..<8).map { page in memory[(page * 4096)..<(page * 4096 + 4096)].contains { $0 != 0 } }
        }
        #expect(pages[0].allSatisfy { !$0 })
        #expect(pages[1].allSatisfy { $0 })
        #expect(pages[2] == [true, false, true, false, true, false, true, false])
    }

    @Test(
        "What is wrong in a server's configuration is said in one line that names it",
        arguments: [
            (
                #"{"serverMigration": {"addressPool": ["10.0.0.2:1", "10.0.0.1:99999"]}}"#,
                #"server.json: serverMigration.addressPool[1]: "10.0.0.1:99999" is not an IP:PORT"#
            ),
            (#"{"port": 70000}"#, "server.json: port: is no whole number from 0 to 65535"),
            (#"{"host": "here"}"#, #"server.json: host: "here" is no IP address"#),
            (#"{"seed": -1}"#, "server.json: seed: is no whole number from 0 to 18446744073709551615"),
            (#"{"serverMigration": true}"#, "server.json: serverMigration: is no object"),
            ("[]", "server.json: is no JSON object"),
        ])
    func badServer(_ text: String, _ message: String) throws {
        #expect(throws: Failure(ExitCode.configuration, message)) { try server(text) }
    }

    @Test(
        "What is wrong in a client's configuration is said in one line that names it",
        arguments: [
            (
                #"{"requestPattern": {"sporadic": false, "backToBack": false}}"#,
                "client.json: requestPattern: neither sporadic nor backToBack is true"
            ),
            (
                #"{"requestBody": {"fixed": false, "fromDistribution": false}}"#,
                "client.json: requestBody: neither fixed nor fromDistribution is true"
            ),
            (#"{"experiment": {"id": 7}}"#, "client.json: experiment.id: is no whole number from 0 to 6"),
            (
                #"{"serverMigration": {"enable": 1}}"#,
                "client.json: serverMigration.enable: is neither true nor false"
            ),
        ])
    func badClient(_ text: String, _ message: String) throws {
        #expect(throws: Failure(ExitCode.configuration, message)) { try client(text) }
    }

    @Test("A text that is no JSON is refused on one line", arguments: ["", "{", "{\"a\": }", "/* {}"])
    func noJSON(_ text: String) throws {
        let failure = #expect(throws: Failure.self) { try client(text) }
        #expect(failure?.exitCode == ExitCode.configuration)
        #expect(failure?.message.contains("\n") == false)
        #expect(failure?.message.hasPrefix("client.json: is not JSON") == true)
    }

    @Test("A file that is not there is refused by name")
    func missingFile() {
        let failure = #expect(throws: Failure.self) { try ConfigurationReader.open("/nowhere/client.json") }
        #expect(failure?.exitCode == ExitCode.noInput)
    }

    /// The shapes of the configurations that the thesis published: which members each has, and of what kind.
    static let clientShapes: [(id: Int, pattern: String, others: String)] = [
        (0, #"{"sporadic": false, "backToBack": true}"#, "\"shutdownAfterRequest\": 7"),
        (
            1, #"{"sporadic": true, "sporadicInterval": 5000, "backToBack": false}"#,
            "\"shutdownAfterRequest\": 12"
        ),
        (2, #"{"sporadic": false, "backToBack": true}"#, "\"shutdownAfterRequest\": 0"),
        (
            3, #"{"sporadic": true, "sporadicInterval": 2000, "backToBack": false}"#,
            "\"shutdownAfterRequest\": 100"
        ),
        (
            5, #"{"sporadic": false, "sporadicInterval": 2000, "backToBack": true}"#,
            "\"shutdownAfterRequest\": 0"
        ),
        (
            6, #"{"sporadic": false, "sporadicInterval": 2000, "backToBack": true}"#,
            "\"shutdownAfterRequest\": 0"
        ),
    ]

    @Test("Each published shape of a client's configuration is taken whole", arguments: clientShapes)
    func publishedClients(_ shape: (id: Int, pattern: String, others: String)) throws {
        let settings = try client(
            """
            {"serverHost": "192.168.1.104", "serverPort": 6666,
             "serverMigration": {"enable": true, "explicit": true, "poolOfAddresses": true,
                                 "symmetric": true, "synchronizedSymmetric": true},
             "keyLogging": {"enable": false, "file": "./keys.txt"}, "requestPattern": \(shape.pattern),
             "requestBody": {"fixed": true, "fromDistribution": false}, "seed": 1,
             "experiment": {"id": \(shape.id), "serverManagementPort": 7777,
                            "containerMigrationScriptHost": "0.0.0.0", "containerMigrationScriptPort": 0,
                            "serverMigrationProtocol": "reactiveExplicit", "serverMigrationHost": "8.8.8.8",
                            "serverMigrationPort": 8888, "notifyImminentMigrationAfterRequest": 0,
                            "triggerMigrationAfterRequest": 0, \(shape.others)}}
            """)
        #expect(settings.warnings.isEmpty)
        #expect(settings.experiment.id == shape.id)
        #expect(settings.keyLog == nil)
        #expect(settings.body == .fixed)
    }

    @Test(
        "Only Explicit has the client look for the server where the configuration says that it goes",
        arguments: ApplicationProtocol.allCases)
    func ending(_ name: ApplicationProtocol) throws {
        let text = """
            {"experiment": {"serverMigrationProtocol": "\(name.rawValue)", "serverMigrationHost": "192.0.2.5"}}
            """
        let settings = try client(text).experiment
        let (here, there) = (IPAddress("192.0.2.4")!, IPAddress("192.0.2.5")!)
        let (atHere, atThere) = (NetworkAddress(ip: here, port: 7777), NetworkAddress(ip: there, port: 7777))
        let isNamed = name.managementName == "Explicit"
        #expect(settings.managements(remote: here, isTriggered: false) == [atHere])
        #expect(
            settings.managements(remote: here, isTriggered: true)
                == (isNamed ? [atThere, atHere] : [atHere, atThere]))
        #expect(settings.managements(remote: there, isTriggered: true) == [atThere])
    }

    @Test("The command line of the thesis's program is taken in all its forms")
    func commandLines() {
        let wanted = ["server", "--config", "a.json"]
        #expect(ThesisArguments.translated(["--mode", "server", "--config", "a.json"]) == wanted)
        #expect(
            ThesisArguments.translated(["-mode=server", "--logtostderr", "--config", "a.json"]) == wanted)
        #expect(
            ThesisArguments.translated(["--mode=client", "--config=a.json"]) == ["client", "--config=a.json"])
        #expect(
            ThesisArguments.translated(["--v=2", "--mode=client", "--config=a.json"])
                == ["client", "--log-level", "debug", "--config=a.json"])
        #expect(
            ThesisArguments.translated(["-mode=client", "-config=a.json", "-v=1"])
                == ["client", "--config=a.json", "--log-level", "info"])
        #expect(ThesisArguments.translated(["-mode", "server", "-config", "a.json"]) == wanted)
        #expect(ThesisArguments.translated(["server", "-h", "-"]) == ["server", "-h", "-"])
        #expect(ThesisArguments.translated(["get", "--mode", "x"]) == ["get", "--mode", "x"])
        #expect(ThesisArguments.translated([]).isEmpty)
    }
}
