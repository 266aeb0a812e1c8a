import GodwitCrypto
import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

/// A server that moves and a client that is to follow, in virtual time. Datagrams reach the server only where it is,
/// and from the freeze on none until it goes on.
final class MovingPair {
    static let home = EndpointPair.serverAddress
    static let there = NetworkAddress("203.0.113.5:443")!
    static let elsewhere = NetworkAddress("203.0.113.77:4433")!

    static let thereIPv6 = NetworkAddress("[2001:db8::5]:443")!
    static let clientIPv6 = NetworkAddress("[2001:db8:1::1]:50000")!

    let pair: EndpointPair
    /// Where the server is.
    var address = MovingPair.home
    var isFrozen = false
    /// Datagrams to the client that a filter on its side lets in only from where it has sent to.
    var isFiltered = false
    var reached: Set<NetworkAddress> = []
    var notices: [MigrationNotice] = []
    var messages: [BarrierMessage] = []
    var epoch = MigrationEpoch.none
    private var thaws = 0
    private var frozenAt: Instant?
    /// Datagrams that go nowhere.
    var isLost: (EndpointPair.Flight) -> Bool = { _ in false }

    init(
        client: ClientMigrationSettings = ClientMigrationSettings(ClientMigrationNegotiation()),
        server: ServerMigrationSettings = ServerMigrationSettings(ServerMigrationNegotiation()),
        seed: UInt8 = 1, retryPolicy: RetryPolicy = .never, qlog: (any QlogSinkFactory)? = nil,
        configure: (inout TransportConfiguration) -> Void = { _ in }
    ) {
        var transport = TransportConfiguration()
        transport.migration = client
        configure(&transport)
        pair = EndpointPair(client: transport, server: transport, seed: seed, qlog: qlog) {
            ($0.migration, $0.retryPolicy) = (server, retryPolicy)
        }
        pair.intercept = { [unowned self] flight in travel(flight) }
    }

    /// Both ends of a strategy without the extension.
    convenience init(
        _ suite: MigrationSuite, pool: [NetworkAddress] = [], policy: MigrationPolicy = .godwit,
        qlog: (any QlogSinkFactory)? = nil
    ) {
        var behaviour = ClientMigrationConfiguration()
        behaviour.policy = policy
        self.init(
            client: ClientMigrationSettings(ClientMigrationNegotiation(suite: suite), behaviour: behaviour),
            server: ServerMigrationSettings(
                ServerMigrationNegotiation(suite: suite), policy: policy, pool: AddressPool(pool)!),
            qlog: qlog)
    }

    private func travel(_ flight: EndpointPair.Flight) -> [EndpointPair.Flight] {
        if isLost(flight) { return [] }
        var flight = flight
        // The system picks the socket of the family.
        if flight.toServer, flight.remote.port == 0 {
            flight.remote = flight.local.isIPv4 ? EndpointPair.clientAddress : Self.clientIPv6
        }
        if flight.toServer {
            reached.insert(flight.local)
            return !isFrozen && flight.local == address ? [flight] : []
        }
        return isFiltered && !reached.contains(flight.remote) ? [] : [flight]
    }

    /// The first connection, at either end; also when it is over.
    var client: Connection { latest(pair.client, &lastClient) }
    var server: Connection { latest(pair.server, &lastServer) }
    private var lastClient: Connection?
    private var lastServer: Connection?

    private func latest(_ endpoint: Endpoint, _ last: inout Connection?) -> Connection {
        // Written and read back it is another object.
        let handle = last?.handle ?? endpoint.connectionHandles[0]
        last = endpoint.connection(handle) ?? last
        return last!
    }

    func establish() throws {
        _ = try pair.establish()
        _ = (client, server)
        run(for: .milliseconds(500))
    }

    @discardableResult
    func run(for span: TimeSpan, until condition: () -> Bool = { false }) -> Bool {
        pair.run(for: span) {
            collect()
            return condition()
        }
    }

    func collect() {
        while let notice = pair.client.nextMigrationNotice() { notices.append(notice) }
        while let notice = pair.server.nextMigrationNotice() { notices.append(notice) }
        while let message = pair.server.nextBarrierMessage() { messages.append(message) }
    }

    // MARK: The operator

    @discardableResult
    func prepare(_ order: MigrationOrder) throws -> MigrationOutcome? {
        epoch = epoch.next
        try pair.server.prepareMigration(MigrationPlan(default: order), epoch: epoch, now: pair.now)
        run(for: .seconds(2)) { server.migrationOutcome?.isReady ?? false }
        return server.migrationOutcome
    }

    /// Holds the server; from here on datagrams to it are lost, also those on the way.
    func freeze() throws {
        try pair.server.holdMigration(epoch, now: pair.now)
        pair.exchange()
        collect()
        (isFrozen, frozenAt) = (true, pair.now)
        pair.inFlight.removeAll { $0.toServer }
    }

    func thaw(at place: NetworkAddress = MovingPair.there) throws {
        (isFrozen, address) = (false, place)
        try pair.server.networkSwitched(epoch, to: [place], nextThaw())
    }

    func nextThaw() -> EndpointThaw {
        thaws += 1
        let frozen = frozenAt.map { pair.now - $0 } ?? .zero
        frozenAt = nil
        return EndpointThaw(
            now: pair.now, frozen: frozen, unixTime: 1_800_000_000 + pair.now.nanoseconds / 1_000_000_000,
            entropy: Entropy(seed: (0..<32).map { UInt8(truncatingIfNeeded: 200 + thaws >> ($0 % 4 * 8)) }))
    }

    /// A whole move, with the client asking for something while the server is away.
    func move(to place: NetworkAddress = MovingPair.there, frozenFor span: TimeSpan = .milliseconds(700))
        throws
    {
        try freeze()
        run(for: span)
        try thaw(at: place)
    }

    // MARK: Requests

    private var requests = 0

    /// Sends a request, has the server answer it, and says how long that took; nil if no answer came.
    func request(within limit: TimeSpan = .seconds(10)) throws -> TimeSpan? {
        let start = pair.now
        requests += 1
        let question = [UInt8](repeating: UInt8(truncatingIfNeeded: requests), count: 300)
        guard let stream = client.openStream(.bidirectional) else { return nil }
        _ = try client.write(question, to: stream, fin: true)
        var answer: [UInt8] = []
        var isDone = false
        run(for: limit) {
            serve()
            if let (bytes, isFinished) = try? client.readAll(from: stream, now: pair.now) {
                answer += bytes
                isDone = isFinished
            }
            return isDone
        }
        return isDone && answer == question ? pair.now - start : nil
    }

    /// The server sends back what it reads.
    func serve() {
        for case .connection(let handle, .stream(.readable(let id))) in pair.serverEvents {
            guard let connection = pair.server.connection(handle),
                let (bytes, isFinished) = try? connection.readAll(from: id, now: pair.now)
            else { continue }
            _ = try? connection.write(bytes, to: id, fin: isFinished)
        }
        pair.serverEvents.removeAll { if case .connection(_, .stream) = $0 { true } else { false } }
    }

    /// A request, a move by `order`, and a request there.
    func expectMove(_ order: MigrationOrder, answerWithin limit: TimeSpan = .seconds(10)) throws {
        #expect(try request() != nil)
        #expect(try prepare(order) == .ready(order.strategy))
        try move()
        #expect(try request(within: limit) != nil)
        run(for: .seconds(1))
        #expect(client.remoteAddress == Self.there)
        #expect(serverEvents.last == .completed(order.strategy))
    }

    // MARK: What happened

    var clientEvents: [ClientMigrationEvent] {
        notices.compactMap { if case .client(let event) = $0.event { event } else { nil } }
    }

    var serverEvents: [ServerMigrationEvent] {
        notices.compactMap { if case .server(let event) = $0.event { event } else { nil } }
    }
}
