import GodwitSimulator

/// Sends a message to an echo server over a network that loses a tenth of its packets, in virtual time: the run takes
/// milliseconds, and the same seed gives the same run.
@main
struct SimulatedEcho {
    static let serverAddress = NetworkAddress("192.0.2.1:443")!
    static let clientAddress = NetworkAddress("198.51.100.1:50000")!

    static func main() {
        let network = SimulatedNetwork(seed: 7)
        let handshake = SimulatedHandshake(applicationProtocols: ["echo"])
        let link = LinkParameters(delay: .milliseconds(40), loss: 0.1)
        let (up, down) = (network.addLink(link), network.addLink(link))
        let client = EchoClient(Array("is anybody there?".utf8))
        network.addHost(
            "server", at: serverAddress,
            running: EndpointProgram(EndpointSettings(handshake), serving: EchoServer()))
        network.addHost(
            "client", at: clientAddress, egress: up, ingress: down,
            running: EndpointProgram(EndpointSettings(handshake), running: client))
        network.run(for: .seconds(20))
        print(
            "after \(client.answeredAt?.description ?? "…") the server said: \(String(decoding: client.answer, as: UTF8.self))"
        )
    }
}

/// Answers every stream with what it brought.
final class EchoServer: EndpointApplication {
    private var received: [StreamID: [UInt8]] = [:]

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        guard case .stream(.readable(let stream)) = event, let part = try? connection.read(from: stream)
        else { return }
        received[stream, default: []] += part.bytes
        if part.isFinished { _ = try? connection.write(received[stream] ?? [], to: stream, fin: true) }
    }
}

/// Sends one message, and keeps the answer.
final class EchoClient: EndpointApplication {
    private(set) var answer: [UInt8] = []
    private(set) var answeredAt: TimeSpan?
    private let message: [UInt8]

    init(_ message: [UInt8]) { self.message = message }

    func start(_ program: EndpointProgram) { _ = try? program.connect(to: SimulatedEcho.serverAddress) }

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        switch event {
        case .handshakeCompleted:
            guard let stream = connection.openStream(.bidirectional) else { return }
            _ = try? connection.write(message, to: stream, fin: true)
        case .stream(.readable(let stream)):
            guard let part = try? connection.read(from: stream) else { return }
            answer += part.bytes
            if part.isFinished { answeredAt = program.now - .zero }
        default: break
        }
    }
}
