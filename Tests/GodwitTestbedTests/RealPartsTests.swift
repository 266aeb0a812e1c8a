import Foundation
import GodwitMigration
import GodwitWire
import MHQKit
import Testing

@testable import GodwitTestbed

@Suite struct RealPartsTests {
    private func configuration(
        _ id: Int, _ protocolName: PlanProtocol, client: Int = 0
    ) throws -> (ApplicationServerConfiguration, ApplicationClientConfiguration, ExperimentPlan) {
        let plan = try PlanLibrary.plan(id, isQuick: true)
        let run = try #require(plan.runs.last { $0.migrationProtocol == protocolName })
        let (server, own) = try configurations(plan, run, client: client)
        return (server, own, plan)
    }

    private func configurations(
        _ plan: ExperimentPlan, _ run: RunSpecification, client: Int = 0
    ) throws -> (ApplicationServerConfiguration, ApplicationClientConfiguration) {
        let roles = RoleConfiguration(plan: plan, run: run, network: PaperNetwork(plan))
        func reader(_ members: [String: Any]) throws -> ConfigurationReader {
            let text = String(decoding: try JSONSerialization.data(withJSONObject: members), as: UTF8.self)
            return try ConfigurationReader(file: "configuration.json", text: text)
        }
        return (
            try ApplicationServerConfiguration(reader(roles.server())),
            try ApplicationClientConfiguration(reader(roles.client(client)))
        )
    }

    @Test("The application understands all of what its processes are told", arguments: 0...6)
    func understood(_ id: Int) throws {
        let plan = try PlanLibrary.plan(id, isQuick: true)
        for name in plan.protocols {
            let (server, client, _) = try configuration(id, name)
            #expect(client.warnings == [])
            #expect(server.warnings == [])
            #expect(client.experiment.id == id)
            #expect(client.migration.suite(.thesis) == server.migration.suite(.thesis))
            #expect(server.pool.count == name.poolSize)
        }
    }

    @Test(
        "A client of the first experiment announces after the ninth response and asks for the move after the tenth"
    )
    func firstExperiment() throws {
        let (server, client, plan) = try configuration(1, .poolOfAddresses3)
        #expect(client.server == plan.addresses.server(plan.addresses.source))
        #expect(client.experiment.destination == plan.addresses.server(plan.addresses.destination))
        #expect(client.experiment.noticeAfter == 9)
        #expect(client.experiment.triggerAfter == 10)
        #expect(client.experiment.containerMigration.port == plan.addresses.commandPort)
        #expect(client.interval == 500)
        #expect(server.pool == plan.addresses.pool(3))
        #expect(server.migration.suite(.thesis) == [.poolOfAddresses])
    }

    @Test("In the third experiment the last client alone gives notice and ends everything")
    func thirdExperiment() throws {
        let plan = try PlanLibrary.plan(3, isQuick: true)
        let clients = try #require(plan.clients.last)
        let first = try configuration(3, .symmetric, client: 0).1.experiment
        let last = try configuration(3, .symmetric, client: clients - 1).1.experiment
        #expect((first.noticeAfter, first.shutdownAfter) == (0, 0))
        #expect((last.noticeAfter, last.shutdownAfter) == (2, 3))
    }

    @Test(
        "Clients of the fourth experiment have seeds of their own, and end after as many responses as the plan says"
    )
    func fourthExperiment() throws {
        let seeds = try (0..<3).map { try configuration(4, .symmetric, client: $0).1.seed }
        #expect(Set(seeds).count == 3)
        let (_, client, plan) = try configuration(4, .symmetric)
        #expect(client.experiment.responsesAfterMigration == plan.steps.responsesAfterMove)
        #expect(client.body == .fromDistribution)
    }

    @Test("What waits to be read at an address is what the system's table says of it")
    func socketTable() throws {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
             120: 0100017F:1A0A 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 77 2 0 0
             121: 0200017F:1A0A 00000000:0000 07 00000000:00001000 00:00000000 00000000     0        0 78 2 0 0
             122: 00000000:1A0A 00000000:0000 07 00000000:00000040 00:00000000 00000000     0        0 79 2 0 0
             123: 0100017F:1E61 00000000:0000 07 00000000:00000007 00:00000000 00000000     0        0 80 2 0 0
            """
        let here = try #require(NetworkAddress("127.1.0.1:6666"))
        #expect(SocketTable.waiting(text, at: [here]) == 0x300)
        #expect(SocketTable.waiting(text, at: [here, NetworkAddress(ip: .anyIPv4, port: 6666)]) == 0x340)
        #expect(SocketTable.waiting("", at: [here]) == 0)
    }

    @Test("Processors are busy for the part of the time that they neither idle nor wait for a disk")
    func processorLoad() throws {
        let before = try #require(ProcessorLoad("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1 1"))
        let after = try #require(ProcessorLoad("cpu  160 10 110 710 110 0 0 0 0 0\n"))
        #expect(abs(after.part(since: before) - 0.8) < 1e-9)
        #expect(after.part(since: after) == 0)
        #expect(after.ticks(since: before) == 100)
        #expect(ProcessorLoad("intr 1 2 3") == nil)
    }

    @Test("Only what bears the number of a program that is gone is a leftover")
    func leftovers() {
        let own = ProcessInfo.processInfo.processIdentifier
        #expect(!Leftovers.isAbandoned("mhq-run-\(own)-1-front", prefix: "mhq-run-"))
        #expect(Leftovers.isAbandoned("mhq-run-\(Int32.max)-1-front", prefix: "mhq-run-"))
        #expect(!Leftovers.isAbandoned("mhq-run-", prefix: "mhq-run-"))
        #expect(!Leftovers.isAbandoned("mhq-run-0", prefix: "mhq-run-"))
        #expect(!Leftovers.isAbandoned("somebody-\(Int32.max)", prefix: "mhq-run-"))
    }

    @Test("The quick plans take less than fifteen minutes on two processors, all together")
    func quickPlans() throws {
        let seconds = try (0...6).reduce(0.0) { sum, id in
            let plan = try PlanLibrary.plan(id, isQuick: true)
            return sum
                + RunEstimate.total(of: plan.runs, in: plan, width: RealBackend.width(plan, cores: 2))
        }
        #expect(seconds < 14 * 60)
    }

    @Test("The first experiment in full takes hours, and the hour of the fifth an hour and more")
    func fullPlans() throws {
        let first = try PlanLibrary.plan(1, isQuick: false)
        #expect((55...85).contains(RunEstimate(first, first.runs[0]).seconds))
        let fifth = try PlanLibrary.plan(5, isQuick: false)
        #expect((3600...4000).contains(RunEstimate(fifth, fifth.runs[0]).seconds))
        let text = try Self.backend(first).announcement(of: first.runs, in: first)
        #expect(text?.hasSuffix("hours") == true)
    }

    private static func backend(
        _ plan: ExperimentPlan, _ shaping: LinkShaping = .userSpace(because: "it is on paper")
    ) throws -> RealBackend {
        try RealBackend(plan, program: "mhq", shaping) { PaperNetwork($0) }
    }

    @Test("What is announced when an experiment is resumed is what remains of it")
    func remaining() throws {
        let folder = try ProgramRun.Folder()
        let plan = try PlanLibrary.plan(3, isQuick: false)
        let backend = try Self.backend(plan)
        let count = plan.runs.count
        func announced() throws -> String? {
            let writer = try ResultWriter(folder: folder.path, plan: plan)
            for run in writer.missing.dropLast() { try writer.add(RunOutcome(), of: run) }
            return backend.announcement(of: writer.missing, in: plan)
        }
        let whole = RunEstimate.total(of: plan.runs, in: plan, width: 1)
        #expect(whole > 90)
        #expect(
            backend.announcement(of: plan.runs, in: plan)?.hasPrefix("\(count) runs in real time") == true)
        // Once while they are done, and once as one finds them who comes later.
        for _ in 0..<2 {
            let text = try #require(try announced())
            #expect(text.hasPrefix("1 run in real time") && text.hasSuffix(": about a minute"), "\(text)")
        }
    }

    @Test("Whoever waits, and whoever reads the figures later, is told what shapes the traffic")
    func shaping() throws {
        let plan = try PlanLibrary.plan(1, isQuick: true)
        let netem = try Self.backend(plan, .netem)
        #expect(netem.announcement(of: plan.runs, in: plan)?.contains("over netem, ") == true)
        #expect(netem.remarks(on: plan).contains { $0.contains("are those of netem") })
        let other = try Self.backend(plan, .userSpace(because: "tc: no such kind"))
        #expect(other.announcement(of: plan.runs, in: plan)?.contains("over a link in user space, ") == true)
        #expect(other.remarks(on: plan).contains { $0.hasSuffix("for want of netem (tc: no such kind)") })
    }

    @Test("An order to move that comes again is answered again, and carried out once")
    func repeatedOrders() async throws {
        let place = try #require(NetworkAddress("127.0.0.1:0"))
        let (socket, orders) = (try DatagramSocket(boundTo: place), MoveOrders())
        let desk = CommandDesk(socket) { orders.hear($0, from: $1) }
        let client = try DatagramSocket(boundTo: place)
        let conversation = Conversation(with: socket.localAddress, over: client)
        #expect(await conversation.ask("{}", patience: .seconds(30)) == "OK")
        for _ in 0..<2 { client.send(ManagementMessage.migrate, to: socket.localAddress) }
        for _ in 0..<2 { #expect(await conversation.listen(for: .seconds(30)) == "OK") }
        #expect(await conversation.ask(ManagementMessage.migrate, patience: .seconds(30)) == "OK")
        // Whoever speaks from elsewhere orders another move.
        let other = Conversation(with: socket.localAddress, over: try DatagramSocket(boundTo: place))
        #expect(await other.ask(ManagementMessage.migrate, patience: .seconds(30)) == "OK")
        #expect(await other.ask(ManagementMessage.shutdown, patience: .seconds(30)) == "OK")
        desk.end()
        var moves = 0
        for await _ in orders.moves { moves += 1 }
        #expect(moves == 2)
    }

    @Test("Whoever asked twice is told OK twice, and then what it waits for")
    func repeatedAnswers() async throws {
        let place = try #require(NetworkAddress("127.0.0.1:0"))
        let (server, client) = (try DatagramSocket(boundTo: place), try DatagramSocket(boundTo: place))
        let conversation = Conversation(with: server.localAddress, over: client)
        for text in ["OK", "OK", "migration ready"] { server.send(text, to: client.localAddress) }
        #expect(await conversation.listen(for: .seconds(300), past: "OK") == "migration ready")
        server.send("OK", to: client.localAddress)
        #expect(await conversation.listen(for: .milliseconds(100), past: "OK") == nil)
    }

    @Test("Processes get the plan's constants of the thesis's endpoints")
    func thesisTiming() throws {
        var plan = try PlanLibrary.plan(1, isQuick: true)
        plan.thesis = ThesisTiming(initialRoundTrip: 33.5, probeMargin: 77)
        let (server, client) = try configurations(plan, try #require(plan.runs.last))
        #expect(server.thesis == plan.thesis)
        #expect(client.thesis == plan.thesis)
    }

    @Test("How long it takes is said as people say it")
    func spans() {
        #expect(RealBackend.describe(seconds: 12) == "about a minute")
        #expect(RealBackend.describe(seconds: 200) == "about 3 minutes")
        #expect(RealBackend.describe(seconds: 3.26 * 3600) == "about 3.3 hours")
    }

    @Test("What costs the processor's time is measured alone, and many clients have few neighbours")
    func widths() throws {
        let widths = try (0...6).map { id in
            RealBackend.width(try PlanLibrary.plan(id, isQuick: false), cores: 2)
        }
        #expect(widths == [1, 8, 8, 1, 1, 8, 8])
        #expect(RealBackend.width(try PlanLibrary.plan(4, isQuick: false), cores: 1) == 1)
    }
}

/// A network that is on paper only.
struct PaperNetwork: TestNetwork {
    let fronts: [NetworkAddress]
    let nobody: [NetworkAddress]
    let clients: [IPAddress] = [.anyIPv4]
    let commands: NetworkAddress
    let names: [String: String] = [:]

    init(_ plan: ExperimentPlan) {
        let addresses = plan.addresses
        fronts = [addresses.server(addresses.source), addresses.server(addresses.destination)]
        nobody = addresses.nobody.map(addresses.server)
        commands = NetworkAddress(ip: fronts[0].ip, port: addresses.commandPort)
    }

    var servers: [NetworkAddress] { fronts }
    var host: IPAddress { .anyIPv4 }
    var handoverListener: IPAddress { .anyIPv4 }

    func management(at place: Int) -> NetworkAddress { fronts[place] }
    func makeLink(_ shape: LinkShape) throws -> any ServerLink { throw Self.paper }
    func openDesk() throws(Failure) -> DatagramSocket { throw Self.paper }
    func openOperator() throws(Failure) -> DatagramSocket { throw Self.paper }
    func openOrders() throws(Failure) -> DatagramSocket { throw Self.paper }
    func openClient() throws(Failure) -> DatagramSocket { throw Self.paper }
    func words(_ role: RunRole, _ program: [String]) -> [String] { program }
    func networkSwitch(to place: Int) -> String { "" }
    func leave(_ place: Int) {}
    func arrive(at place: Int) {}
    func leaveClientNetwork() {}
    func enterClientNetwork(_ index: Int) {}
    func remove() {}

    private static let paper = Failure(ExitCode.system, "it is on paper only")
}
