import CGodwitSocket
import GodwitCrypto
import GodwitMigration
import GodwitWire
import NIOCore
import Testing

@testable import Godwit
@testable import GodwitCore

@Suite("A client in its handshake when its server moves", .timeLimit(.minutes(15)))
struct HandshakeAtHoldTests {
    // Holds: W22
    @Test("It is left alone at the notice, and told at the freeze (Specs/server-migration.md 7.3, 7.6)")
    func told() async throws {
        try await LoopbackPair.run(
            server: {
                $0.migration = ServerMigrationSettings(ServerMigrationNegotiation(hasPool: false))
                // A client whose address is validated is told whatever the server has sent before.
                $0.server.retryPolicy = .always
            },
            client: { $0.migration = ClientMigrationSettings(ClientMigrationNegotiation()) }, serve: echo
        ) { pair in
            let client = try StuckClient(of: pair)
            try client.shakeHands()
            let plan = MigrationPlan.best(
                to: MigrationDestination(NetworkAddress("127.0.0.2:\(pair.port)")!)!)
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(30))
            #expect(readiness.description == "1 in their handshake")
            client.listen()
            #expect(client.connection.closed == nil)
            try await pair.listener.hold(readiness.epoch)
            client.listen { client.connection.closed != nil }
            // RFC 9000 section 10.2.3: before the handshake is complete the application's code is not told.
            switch client.connection.closed {
            case .transport(.applicationError, _, _, byPeer: true), .application(0, _, byPeer: true): break
            case let other: Issue.record("closed otherwise: \(String(describing: other))")
            }
            try await pair.listener.cancelMigration(readiness.epoch)
        }
    }
}

/// A client that says nothing more once it has the server's part of the handshake, so that it is never complete there.
private final class StuckClient {
    let connection: Connection
    private let endpoint: Endpoint
    private let socket: SocketDescriptor
    private let start = ContinuousClock.now
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(of pair: LoopbackPair) throws {
        socket = try SocketDescriptor(bindingTo: NetworkAddress("127.0.0.1:0")!, sharing: .never)
        var configuration = EndpointConfiguration(unixTimeAtEpoch: godwit_unix_time())
        configuration.transport = pair.client.transport
        endpoint = Endpoint(
            configuration: configuration, entropy: Entropy(seed: SystemEntropy.seed()))
        let request = ConnectRequest(
            remote: pair.listener.localAddress, local: socket.localAddress, serverName: "127.0.0.1",
            handshake: pair.client.handshake)
        connection = endpoint.connection(try endpoint.connect(request, now: .zero))!
    }

    deinit { socket.close() }

    private var now: Instant { .zero + TimeSpan(ContinuousClock.now - start) }

    func shakeHands() throws {
        var rounds = 0
        while !connection.protection.canWrite(at: .handshake), rounds < 100 {
            transmit()
            receive(waiting: 1)
            if let deadline = endpoint.nextDeadline, deadline <= now { endpoint.handleDeadline(now: now) }
            rounds += 1
        }
        try #require(connection.protection.canWrite(at: .handshake))
    }

    /// Takes what has come; with a condition, what comes until it holds.
    func listen(until isDone: (() -> Bool)? = nil) {
        guard let isDone else { return receive(waiting: 0) }
        while !isDone(), now < .zero + .seconds(60) { receive(waiting: 1) }
    }

    private func transmit() {
        while let sent = buffer.withUnsafeMutableBytes({ endpoint.transmit(into: $0, now: now) }) {
            var rest = buffer[..<sent.count]
            while !rest.isEmpty {
                let datagram = Array(rest.prefix(sent.segmentSize))
                _ = socket.send(
                    datagram, segmentSize: nil, from: socket.localAddress, to: sent.remote, ecn: sent.ecn)
                rest = rest.dropFirst(datagram.count)
            }
        }
    }

    private func receive(waiting seconds: Int64) {
        var number = socket.number
        _ = godwit_socket_wait(&number, 1, seconds * 1_000_000_000)
        var incoming = godwit_incoming()
        while true {
            let count = buffer.withUnsafeMutableBytes { socket.receive(into: $0, &incoming) }
            guard count > 0 else { return }
            let size = incoming.segment_size == 0 ? count : Int(incoming.segment_size)
            buffer.withUnsafeMutableBytes {
                endpoint.receive(
                    UnsafeMutableRawBufferPointer(rebasing: $0[..<count]), segmentSize: size,
                    from: incoming.remote.networkAddress, to: socket.localAddress, ecn: .notECT, now: now)
            }
            while endpoint.nextEvent() != nil {}
        }
    }
}
