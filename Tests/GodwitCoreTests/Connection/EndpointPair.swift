import GodwitCrypto
import GodwitWire

@testable import GodwitCore

/// A client's and a server's endpoint with a wire between them, in virtual time.
///
/// The wire delivers everything after `delay`, in order, but for what `intercept` does to a datagram.
final class EndpointPair {
    struct Flight {
        var at: Instant
        var bytes: [UInt8]
        var remote: NetworkAddress
        var local: NetworkAddress
        var ecn: ECNCodepoint
        var toServer: Bool
    }

    static let clientAddress = NetworkAddress("192.0.2.1:50000")!
    static let serverAddress = NetworkAddress("198.51.100.1:443")!

    var now = Instant.zero
    var delay = TimeSpan.milliseconds(10)
    let client: Endpoint
    let server: Endpoint
    var inFlight: [Flight] = []
    var clientEvents: [EndpointEvent] = []
    var serverEvents: [EndpointEvent] = []
    var accepted: [ConnectionHandle] = []
    /// Sees every datagram before it is on its way; returns what is to travel.
    var intercept: (Flight) -> [Flight] = { [$0] }
    var log: [Flight] = []
    var buffer = [UInt8](repeating: 0, count: 65536)

    init(
        client: TransportConfiguration = .init(), server: TransportConfiguration = .init(), seed: UInt8 = 1,
        qlog: (any QlogSinkFactory)? = nil, configure: (inout ServerConfiguration) -> Void = { _ in }
    ) {
        self.client = Endpoint(
            configuration: EndpointPair.configuration(client, server: nil, qlog: qlog),
            entropy: Entropy(seed: [UInt8](repeating: seed, count: 32)))
        var tls = DeterministicTLSServer(applicationProtocols: ["test"])
        tls.ticketKeys = TicketKeys([SharedKey([UInt8](repeating: 9, count: 32))!])
        tls.earlyData = ReplayFilter(refusesFirstWindow: false)
        var serverConfiguration = ServerConfiguration(
            handshake: .deterministic(tls), tokenKeys: [SharedKey([UInt8](repeating: 7, count: 32))!])
        serverConfiguration.retryPolicy = .never
        configure(&serverConfiguration)
        self.server = Endpoint(
            configuration: EndpointPair.configuration(server, server: serverConfiguration, qlog: qlog),
            entropy: Entropy(seed: [UInt8](repeating: seed &+ 100, count: 32)))
    }

    static func configuration(
        _ transport: TransportConfiguration, server: ServerConfiguration?, qlog: (any QlogSinkFactory)? = nil
    ) -> EndpointConfiguration {
        var configuration = EndpointConfiguration(
            connectionIDKey: SharedKey([UInt8](repeating: server == nil ? 1 : 2, count: 32))!,
            statelessResetKey: SharedKey([UInt8](repeating: 3, count: 32))!, unixTimeAtEpoch: 1_800_000_000)
        configuration.transport = transport
        configuration.server = server
        configuration.qlog = qlog
        return configuration
    }

    func request(_ change: (inout ConnectRequest) -> Void = { _ in }) -> ConnectRequest {
        var request = ConnectRequest(
            remote: Self.serverAddress, local: Self.clientAddress, serverName: "server.test",
            handshake: .deterministic(DeterministicTLSClient(applicationProtocols: ["test"])))
        change(&request)
        return request
    }

    @discardableResult
    func connect(_ change: (inout ConnectRequest) -> Void = { _ in }) throws -> Connection {
        let handle = try client.connect(request(change), now: now)
        return client.connection(handle)!
    }

    // MARK: Time

    /// Goes on until nothing more is to happen within `span`, or `condition` holds.
    @discardableResult
    func run(for span: TimeSpan = .seconds(5), until condition: () -> Bool = { false }) -> Bool {
        let end = now + span
        var steps = 0
        while steps < 100_000 {
            steps += 1
            exchange()
            if condition() { return true }
            guard let next = nextMoment(), next <= end else {
                now = end
                exchange()
                return condition()
            }
            now = max(now, next)
            deliver()
            if let deadline = client.nextDeadline, deadline <= now { client.handleDeadline(now: now) }
            if let deadline = server.nextDeadline, deadline <= now { server.handleDeadline(now: now) }
        }
        return condition()
    }

    private func nextMoment() -> Instant? {
        [inFlight.map(\.at).min(), client.nextDeadline, server.nextDeadline].compactMap { $0 }.min()
    }

    func exchange() {
        collectEvents()
        transmit(client, toServer: true)
        transmit(server, toServer: false)
        collectEvents()
    }

    func collectEvents() {
        while let event = client.nextEvent() { clientEvents.append(event) }
        while let event = server.nextEvent() {
            if case .accepted(let handle) = event { accepted.append(handle) }
            serverEvents.append(event)
        }
    }

    func transmit(_ endpoint: Endpoint, toServer: Bool) {
        while true {
            let sent = buffer.withUnsafeMutableBytes { endpoint.transmit(into: $0, now: now) }
            guard let sent else { return }
            var rest = buffer[..<sent.count]
            while !rest.isEmpty {
                let flight = Flight(
                    at: now + delay, bytes: Array(rest.prefix(sent.segmentSize)), remote: sent.local,
                    local: sent.remote, ecn: sent.ecn, toServer: toServer)
                rest = rest.dropFirst(sent.segmentSize)
                log.append(flight)
                inFlight += intercept(flight)
            }
        }
    }

    func deliver() {
        let due = inFlight.filter { $0.at <= now }
        inFlight.removeAll { $0.at <= now }
        for flight in due { inject(flight) }
    }

    func inject(_ flight: Flight) {
        var bytes = flight.bytes
        bytes.withUnsafeMutableBytes {
            (flight.toServer ? server : client).receive(
                $0, segmentSize: flight.bytes.count, from: flight.remote, to: flight.local, ecn: flight.ecn,
                now: now)
        }
    }

    // MARK: Shortcuts

    var serverConnection: Connection? { accepted.last.flatMap { server.connection($0) } }

    func events(of handle: ConnectionHandle, in list: [EndpointEvent]) -> [ConnectionEvent] {
        list.compactMap { if case .connection(handle, let event) = $0 { event } else { nil } }
    }

    /// A confirmed connection, both ends.
    func establish() throws -> (client: Connection, server: Connection) {
        let connection = try connect()
        run(for: .seconds(10)) { connection.isConfirmed && (serverConnection?.isConfirmed ?? false) }
        return (connection, serverConnection!)
    }
}

extension Connection {
    func write(_ bytes: [UInt8], to id: StreamID, fin: Bool = false) throws -> Int {
        try bytes.withUnsafeBytes { try write($0, to: id, fin: fin) }
    }

    func readAll(from id: StreamID, now: Instant) throws -> (bytes: [UInt8], isFinished: Bool) {
        var bytes: [UInt8] = []
        var finished = false
        while true {
            let result = try read(from: id, now: now) { view in
                bytes += view
                return view.count
            }
            finished = result.isFinished
            if result.consumed == 0 || finished { return (bytes, finished) }
        }
    }
}
