import GodwitCore
import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("Datagrams of a simulated endpoint")
struct SimulatedDatagramTests {
    /// Sends one datagram as soon as it can, or notes why not.
    final class Sender: EndpointApplication {
        private(set) var error: DatagramError?
        private(set) var room: Int?

        func start(_ program: EndpointProgram) {
            _ = try? program.connect(to: EndpointProgramTests.serverAddress)
        }

        func happened(
            _ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram
        ) {
            guard case .handshakeCompleted = event else { return }
            room = connection.maxDatagramSize
            do throws(DatagramError) { try connection.sendDatagram([1, 2, 3]) } catch { self.error = error }
        }
    }

    final class Receiver: EndpointApplication {
        private(set) var datagrams: [[UInt8]] = []

        func happened(
            _ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram
        ) {
            guard case .datagramsReadable = event else { return }
            while let bytes = connection.readDatagram() { datagrams.append(bytes) }
        }
    }

    @Test("A datagram goes where they are taken and nowhere else (RFC 9221 section 3)", arguments: [0, 100])
    func datagrams(limit: Int) {
        let network = SimulatedNetwork(seed: 7)
        let (sender, receiver) = (Sender(), Receiver())
        var server = EndpointSettings(SimulatedHandshake(applicationProtocols: ["echo"]))
        let client = server
        server.transport.maxDatagramFrameSize = limit
        network.addHost(
            "server", at: EndpointProgramTests.serverAddress,
            running: EndpointProgram(server, serving: receiver))
        network.addHost(
            "client", at: EndpointProgramTests.clientAddress,
            running: EndpointProgram(client, running: sender))
        network.run(for: .seconds(1))
        #expect(receiver.datagrams == (limit == 0 ? [] : [[1, 2, 3]]))
        #expect(sender.error == (limit == 0 ? .unsupportedByPeer : nil))
        #expect(sender.room.map { $0 < limit } ?? (limit == 0))
    }
}
