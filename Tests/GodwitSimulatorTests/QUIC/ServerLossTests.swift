import GodwitCore
import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("A simulated server that loses its state")
struct ServerLossTests {
    static let serverAddress = NetworkAddress("192.0.2.1:443")!

    /// Asks for an answer every second, and again with a new connection once the old one is over.
    final class Asker: EndpointApplication {
        private(set) var ends: [ConnectionCloseReason] = []
        private(set) var summaries: [(isResumed: Bool, earlyDataAccepted: Bool)] = []
        private(set) var wasRefused = false
        private var connection: SimulatedConnection?
        private var ticket: ResumptionTicket?
        private(set) var nextDeadline: Instant?

        func start(_ program: EndpointProgram) { connect(program) }

        private func connect(_ program: EndpointProgram) {
            connection = try? program.connect(
                to: ServerLossTests.serverAddress, resumption: ticket, offersEarlyData: ticket != nil)
            nextDeadline = program.now + .seconds(1)
            ask()
        }

        private func ask() {
            guard let stream = connection?.openStream(.unidirectional) else { return }
            _ = try? connection?.write([1], to: stream, fin: true)
        }

        func handleDeadline(_ program: EndpointProgram) {
            nextDeadline = program.now + .seconds(1)
            ask()
        }

        func happened(
            _ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram
        ) {
            switch event {
            case .handshakeCompleted(let summary):
                summaries.append((summary.isResumed, summary.earlyDataAccepted))
            case .resumptionTicket(let ticket): self.ticket = ticket
            case .earlyDataRejected: wasRefused = true
            case .closed(let reason):
                ends.append(reason)
                if ends.count == 1 { connect(program) }
            default: break
            }
        }
    }

    final class Listener: EndpointApplication {
        private(set) var received = 0

        func happened(
            _ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram
        ) {
            guard case .stream(.readable(let stream)) = event else { return }
            received += (try? connection.read(from: stream).bytes.count) ?? 0
        }
    }

    private struct Scene {
        let network = SimulatedNetwork(seed: 7)
        let client = Asker()
        let server: EndpointProgram
        let host: HostID
        let settings: EndpointSettings

        init(server: EndpointSettings.EarlyData = .accepted) {
            var transport = TransportConfiguration()
            transport.idleTimeout = .seconds(20)
            var settings = EndpointSettings(
                SimulatedHandshake(applicationProtocols: ["echo"]), transport: transport)
            settings.earlyData = server
            self.settings = settings
            self.server = EndpointProgram(settings, serving: Listener())
            let link = network.addLink(LinkParameters(delay: .milliseconds(10)))
            host = network.addHost("server", at: serverAddress, running: self.server)
            // Of the second in which it started itself a server can't tell whose connections are.
            let interface = Interface(
                NetworkAddress("198.51.100.1:50000")!, egress: link, ingress: link)
            network.addHost(
                "client", interfaces: [interface], running: EndpointProgram(settings, running: client),
                startingAt: .zero + .milliseconds(1200))
        }

        /// The server is started again after three seconds.
        func restart(forgetting: Bool) -> (program: EndpointProgram, application: Listener) {
            let application = Listener()
            let program = EndpointProgram(settings, serving: application)
            if forgetting { program.forgetConnections(of: server) }
            network.schedule(at: .zero + .seconds(3)) { [host] in $0.restart(host, running: program) }
            return (program, application)
        }
    }

    @Test("A server that was started again leaves connections of before alone (RFC 9000 section 21.11)")
    func silence() {
        let scene = Scene()
        let (program, application) = scene.restart(forgetting: false)
        scene.network.run(for: .seconds(40))
        #expect(scene.client.ends == [.idleTimeout])
        #expect(program.statistics.statelessResetsSent == 0 && program.connectionCount == 1)
        #expect(application.received > 5)
    }

    @Test("A server that lost its connections says so (RFC 9000 section 10.3)")
    func reset() {
        let scene = Scene()
        let (program, application) = scene.restart(forgetting: true)
        scene.network.run(for: .seconds(3))
        scene.network.run(for: .seconds(2))
        #expect(scene.client.ends == [.statelessReset])
        scene.network.run(for: .seconds(5))
        #expect(program.statistics.statelessResetsSent >= 1 && program.connectionCount == 1)
        #expect(application.received >= 3)
    }

    @Test("What the next connection sends early is taken only by a server that knows what it has seen")
    func earlyData() {
        let scene = Scene()
        let (_, application) = scene.restart(forgetting: true)
        scene.network.run(for: .seconds(10))
        // Another process can't know which ClientHellos the first one saw (RFC 8446 section 8.2).
        #expect(scene.client.wasRefused && application.received > 0)
        #expect(scene.client.summaries.map(\.isResumed) == [false, true])
        #expect(scene.client.summaries.map(\.earlyDataAccepted) == [false, false])
    }

    @Test("A program that is started again draws other numbers, and has the keys of its host")
    func entropy() throws {
        final class Drawer: SimulatedProgram {
            var drawn: [UInt64] = []
            var nextDeadline: Instant? { nil }
            func start(on host: SimulatedHost, now: Instant) {
                var random = host.random(host.startCount == 1 ? "entropy" : "entropy \(host.startCount)")
                var keys = host.random("keys")
                drawn += [random.next(), keys.next()]
            }
            func receive(
                _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
                to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
            ) {}
            func transmit(
                into buffer: UnsafeMutableRawBufferPointer, now: Instant
            ) -> SimulatedTransmission? { nil }
            func handleDeadline(now: Instant) {}
        }
        let network = SimulatedNetwork(seed: 1)
        let drawer = Drawer()
        let host = network.addHost("drawer", at: Self.serverAddress, running: drawer)
        network.run(for: .seconds(1))
        network.restart(host, running: drawer)
        #expect(drawer.drawn[0] != drawer.drawn[2] && drawer.drawn[1] == drawer.drawn[3])
    }
}
