import GodwitCore
import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("A QUIC endpoint on a simulated host")
struct EndpointProgramTests {
    static let serverAddress = NetworkAddress("192.0.2.1:443")!
    static let clientAddress = NetworkAddress("198.51.100.1:50000")!

    /// Answers every stream with what it brought.
    final class EchoServer: EndpointApplication {
        var received: [StreamID: [UInt8]] = [:]

        func happened(
            _ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram
        ) {
            guard case .stream(.readable(let stream)) = event,
                let (bytes, isFinished) = try? connection.read(from: stream)
            else { return }
            received[stream, default: []] += bytes
            if isFinished { _ = try? connection.write(received[stream] ?? [], to: stream, fin: true) }
        }
    }

    /// Sends one message, and keeps the answer.
    final class EchoClient: EndpointApplication {
        var answer: [UInt8] = []
        var closed: ConnectionCloseReason?
        let message: [UInt8]

        init(_ message: [UInt8]) { self.message = message }

        func start(_ program: EndpointProgram) {
            _ = try? program.connect(to: EndpointProgramTests.serverAddress)
        }

        func happened(
            _ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram
        ) {
            switch event {
            case .handshakeCompleted:
                guard let stream = connection.openStream(.bidirectional) else { return }
                _ = try? connection.write(message, to: stream, fin: true)
            case .stream(.readable(let stream)):
                guard let (bytes, isFinished) = try? connection.read(from: stream) else { return }
                answer += bytes
                if isFinished { connection.close(code: 7) }
            case .closed(let reason): closed = reason
            default: break
            }
        }
    }

    private func network(
        _ client: EchoClient, link: LinkParameters, tracing: TraceDetail = []
    ) -> (SimulatedNetwork, HostID) {
        let network = SimulatedNetwork(seed: 7, tracing: tracing)
        let handshake = SimulatedHandshake(applicationProtocols: ["echo"])
        let up = network.addLink(link)
        let down = network.addLink(link)
        let server = network.addHost(
            "server", at: Self.serverAddress,
            running: EndpointProgram(EndpointSettings(handshake), serving: EchoServer()))
        network.addHost(
            "client", at: Self.clientAddress, egress: up, ingress: down,
            running: EndpointProgram(EndpointSettings(handshake), running: client))
        return (network, server)
    }

    @Test("An application of two handlers talks over a lossy network")
    func echo() {
        let client = EchoClient([UInt8](repeating: 5, count: 10_000))
        let (network, server) = network(client, link: LinkParameters(delay: .milliseconds(20), loss: 0.05))
        network.addChecker(PacketNumberChecker())
        network.addChecker(AmplificationChecker(server: server))
        network.addChecker(BoundsChecker())
        network.run(for: .seconds(30))
        #expect(client.answer == client.message)
        #expect(client.closed == .application(code: 7, reason: "", byPeer: false))
        #expect(network.finish().isEmpty)
    }

    @Test("A server that froze, and whose clock is three days off afterwards, goes on where it was")
    func freeze() {
        let client = EchoClient([UInt8](repeating: 6, count: 100_000))
        let link = LinkParameters(delay: .milliseconds(20), rate: .megabitsPerSecond(1))
        let (network, server) = network(client, link: link)
        network.schedule(at: .zero + .milliseconds(300)) { $0.freeze(server) }
        network.schedule(at: .zero + .seconds(3)) {
            $0.thaw(server, clockJump: .seconds(-3 * 86_400))
        }
        network.run(for: .seconds(40))
        #expect(client.answer == client.message)
    }

    @Test("What a user's application does is part of the trace, and repeats")
    func repeats() {
        let hashes = (0..<2).map { _ in
            let client = EchoClient([UInt8](repeating: 5, count: 3000))
            let (network, _) = network(client, link: LinkParameters(delay: .milliseconds(5), loss: 0.2))
            network.run(for: .seconds(10))
            return network.trace.hash
        }
        #expect(hashes[0] == hashes[1])
    }
}
