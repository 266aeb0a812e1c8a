import Foundation
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers
import Testing

@testable import GodwitTestbed

/// The container's side is a process like server and clients, and has to do with others by datagrams alone.
@Suite("The container's side", .serialized, .timeLimit(.minutes(10)))
struct ContainerSideTests {
    private let folder: ProgramRun.Folder

    init() throws { folder = try ProgramRun.Folder() }

    // MARK: By itself

    /// A network, a server's management and a driver for a container's side that has `sleep` for a server.
    private final class Neighbours: Sendable {
        struct Heard {
            var request: NetworkRequest
            var time: ContinuousClock.Instant
            /// Whether the server stood still meanwhile.
            var wasStill: Bool
        }

        let heard = NIOLockedValueBox<[Heard]>([])
        let announced = NIOLockedValueBox<[String]>([])
        let configuration: ContainerConfiguration
        private let desks: NIOLockedValueBox<[CommandDesk]> = NIOLockedValueBox([])
        let side = NIOLockedValueBox<pid_t>(0)

        init(moves: Int) throws {
            let place = try #require(NetworkAddress("127.0.0.1:0"))
            let sockets = try (0..<3).map { _ in try DatagramSocket(boundTo: place) }
            let phases = ContainerPhases(
                dump: 0.1, dumpTransfer: 0.2, restore: 0.1, dumpSize: 0, dumpSent: 0, stall: 0.1)
            configuration = ContainerConfiguration(
                server: ["/bin/sleep", "600"], commands: sockets[2].localAddress,
                network: sockets[0].localAddress,
                places: ["there again", "there"].map {
                    ContainerConfiguration.Place(
                        server: place, management: sockets[1].localAddress, networkSwitch: $0)
                }, place: 0, moves: Array(repeating: phases, count: moves))
            let network = CommandDesk(sockets[0]) { self.note($0, from: $1) }
            let management = CommandDesk(sockets[1]) { text, caller in
                self.announced.withLockedValue { $0.append(text) }
                caller.answer("OK")
            }
            desks.withLockedValue { $0 = [network, management] }
        }

        var server: ListedProcess? { ListedProcess.children(of: side.withLockedValue { $0 }).first }

        private func note(_ text: String, from caller: CommandDesk.Caller) {
            guard let request = NetworkRequest(text) else { return }
            let now = ContinuousClock.now
            let isStill = server?.standsStill == true
            heard.withLockedValue { $0.append(Heard(request: request, time: now, wasStill: isStill)) }
            caller.answer("OK")
        }

        func awaitMove(_ count: Int) async throws {
            while heard.withLockedValue({ $0.filter { $0.request.step == .end }.count }) < count {
                try await Task.sleep(for: .milliseconds(5))
            }
        }

        /// Somebody else each time, as far as ports tell.
        func orders() throws -> (Conversation, DatagramSocket) {
            let socket = try DatagramSocket(boundTo: try #require(NetworkAddress("127.0.0.1:0")))
            return (Conversation(with: configuration.commands, over: socket), socket)
        }

        func end() { for desk in desks.withLockedValue(\.self) { desk.end() } }
    }

    @Test("An order by datagram moves the server step by step, and an order that comes again does not")
    func move() async throws {
        let neighbours = try Neighbours(moves: 2)
        let path = "\(folder.path)/container.json"
        try neighbours.configuration.write(to: path)
        let side = try ProgramRun(["experiment", "container", path], in: folder)
        neighbours.side.withLockedValue { $0 = side.identifier }

        let (first, socket) = try neighbours.orders()
        #expect(await first.ask(ManagementMessage.migrate, attempts: 300) == "OK", "\(side.complaint)")
        for _ in 0..<2 { socket.send(ManagementMessage.migrate, to: neighbours.configuration.commands) }
        try await neighbours.awaitMove(1)
        #expect(await first.ask(ManagementMessage.migrate) == "OK")
        let (second, _) = try neighbours.orders()
        #expect(await second.ask(ManagementMessage.migrate) == "OK")
        try await neighbours.awaitMove(2)

        let heard = neighbours.heard.withLockedValue(\.self)
        try check(heard.prefix(6), from: 0)
        try check(heard.dropFirst(6), from: 1)
        #expect(neighbours.announced.withLockedValue(\.self) == ["there", "there again"])
        // It ends in order, and its server with it.
        let server = try #require(neighbours.server)
        side.signal(SIGTERM)
        #expect(try await side.laterStatus() == 0)
        #expect(ListedProcess(server.number)?.words != server.words)
        neighbours.end()
    }

    private func check(_ heard: ArraySlice<Neighbours.Heard>, from here: Int) throws {
        let requests = heard.map(\.request)
        #expect(requests.map(\.step) == [.begin, .hold, .leave, .arrive, .release, .end])
        #expect(requests.map(\.place) == [here, here, here, 1 - here, 1 - here, here])
        #expect(requests.map(\.number) == (0..<6).map { 6 * here + $0 + 1 })
        #expect(requests.allSatisfy { $0.flaws == [] })
        #expect(heard.map(\.wasStill) == [false, false, true, true, true, false])
        let (order, thaw) = (try #require(requests.first?.time), try #require(requests.last?.time))
        // Half a second, and as much more as a machine with much else to do may take.
        #expect(thaw - order >= 0.5)
        let times = heard.map(\.time)
        #expect(try #require(times.last) - times[1] >= .seconds(0.5))
    }

    @Test("A side whose server ends with a failure ends with the same")
    func failure() async throws {
        var configuration = try Neighbours(moves: 1).configuration
        configuration.server = ["/bin/false"]
        let path = "\(folder.path)/container.json"
        try configuration.write(to: path)
        let run = try ProgramRun(["experiment", "container", path], in: folder)
        #expect(try await run.laterStatus() == 1)
    }

    // MARK: In a run

    /// The fourth experiment under way: its driver, and the process of the container's side.
    private func crowd(_ backend: BackendName) async throws -> (ProgramRun, ListedProcess) {
        let plan = try RealResults.plan(4, [.symmetric])
        let path = try folder.write(plan.text, to: "plan.json")
        let run = try ProgramRun(
            RealResults.words(plan, path, backend: backend), in: folder, path: ProgramRun.networkTools)
        let isCrowded = await run.comes {
            ListedProcess.children(of: run.identifier).count { $0.words.contains("client") } == 2
        }
        try #require(isCrowded, "\(run.complaint)")
        let side = ListedProcess.children(of: run.identifier).filter { $0.words.contains("container") }
        #expect(side.count == 1)
        return (run, try #require(side.first))
    }

    private func roles(_ backend: BackendName) async throws {
        let (run, side) = try await crowd(backend)
        #expect(side.words.suffix(3) == ["experiment", "container", "container.json"])
        let servers = ListedProcess.children(of: side.number)
        #expect(servers.count == 1 && servers.allSatisfy { $0.words.contains("server") })
        // The driver itself has neither the server nor a hand on it: what moves it is an order to the other process.
        #expect(!ListedProcess.children(of: run.identifier).contains { $0.words.contains("server") })
        #expect(try await run.laterStatus() == 0, "\(run.complaint)")
        let rows = try ResultFile("\(place(backend))/experiment4_service_times.csv").rows
        #expect(rows.count == 2)
        for row in rows { #expect(try row.texts("serverAddresses").last == "192.168.1.105:6666") }
        for number in [side.number] + servers.map(\.number) { #expect(!isLeft(number, of: run)) }
    }

    /// Where its results are.
    private func place(_ backend: BackendName) throws -> String {
        "\(folder.path)/out/godwit/\(backend.rawValue)/\(try RealResults.plan(4).series[0].folder)"
    }

    private func isLeft(_ process: pid_t, of run: ProgramRun) -> Bool {
        Leftovers.processes(in: run.runsFolder).contains(process)
    }

    @Test(
        "Server, clients and the container's side are processes, and an order over the network moves the server"
    )
    func roles() async throws { try await roles(.loopback) }

    @Test("In namespaces they are as well", .enabled(if: geteuid() == 0, "needs root"))
    func rolesInNamespaces() async throws { try await roles(.namespaces) }

    @Test("When the container's side is killed its server ends at once, and the run fails its checks")
    func killed() async throws {
        let (run, side) = try await crowd(.loopback)
        let server = try #require(ListedProcess.children(of: side.number).first)
        kill(side.number, SIGKILL)
        #expect(await run.comes { !isLeft(server.number, of: run) })
        // Clients would wait for it for minutes.
        for client in ListedProcess.children(of: run.identifier) where client.words.contains("client") {
            kill(client.number, SIGKILL)
        }
        #expect(try await run.laterStatus() == 1)
        #expect(Leftovers.processes(in: run.runsFolder).isEmpty)
        let rows = try ResultFile("\(place(.loopback))/godwit_details.csv").rows
        #expect(!rows.isEmpty)
        for row in rows {
            let flaws = try #require(row["flaws"])
            #expect(flaws.contains("the server's process ended with \(128 + SIGKILL)"), "\(flaws)")
            // Before the order, or in the middle of the move.
            let others = ["the server was not moved: no answer", "a move came to no end"]
            #expect(others.contains { flaws.contains($0) }, "\(flaws)")
        }
    }
}
