import CGodwitSocket
import GodwitCore
import GodwitCrypto
public import GodwitWire
import Logging
import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix

/// Accepts connections at a UDP address.
///
/// ```swift
/// let identity = try Identity(certificatesPEM: certificate, keyPEM: key)
/// let configuration = try QUICServerConfiguration(applicationProtocols: ["echo"], identity: identity)
/// let listener = try await QUICListener.bind(to: NetworkAddress("[::]:4433")!, configuration: configuration)
/// try await listener.run { connection in
///     for await stream in connection.incomingStreams {
///         for try await chunk in stream { try await stream.write(chunk) }
///         try await stream.finish()
///     }
/// }
/// ```
///
/// It works on every event loop of its group at once, with a socket on each; the kernel spreads clients over
/// them. Bound to `[::]` it serves IPv6 and IPv4.
///
/// When the last reference to a listener goes it takes no more connections; those that there are go on.
public final class QUICListener: Sendable {
    let loops: [EndpointLoop]
    let acceptQueue: AcceptQueue
    let configuration: QUICServerConfiguration
    let coordinator: MigrationCoordinator
    let state: NIOLockedValueBox<State>

    struct State {
        var localAddress: NetworkAddress
        /// All sockets are closed; the event loops may be gone.
        var isShutDown = false
    }

    private init(
        _ loops: [EndpointLoop], _ acceptQueue: AcceptQueue, _ configuration: QUICServerConfiguration
    ) {
        self.loops = loops
        self.acceptQueue = acceptQueue
        self.configuration = configuration
        coordinator = MigrationCoordinator(on: loops[0].driver, configuration)
        state = NIOLockedValueBox(State(localAddress: .anywhere))
    }

    deinit {
        acceptQueue.finish()
        coordinator.audience.end()
        guard !state.withLockedValue({ $0.isShutDown }) else { return }
        for loop in loops {
            loop.driver.execute {
                loop.endsWithConnections = true
                loop.markBusy()
            }
        }
    }

    /// Where the listener can be reached, with the port that the system chose if none was asked for.
    public var localAddress: NetworkAddress { state.withLockedValue { $0.localAddress } }

    // MARK: Binding

    /// Binds sockets to an address and begins to accept connections. They wait until the application takes
    /// them.
    ///
    /// - Parameters:
    ///   - address: `[::]` or `0.0.0.0` for all of this machine; port 0 for any port.
    ///   - configuration: certificates, what is offered, and the limits.
    ///   - eventLoopGroup: where connections live.
    /// - Throws: ``QUICError/socket(_:)`` if the address can't be had; ``MigrationError/forbiddenDestination(_:)`` if
    ///   the server's own pool is not allowed.
    public static func bind(
        to address: NetworkAddress, configuration: QUICServerConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> QUICListener {
        if let address = configuration.allowedDestinations?.firstForbidden(in: configuration.migration.pool) {
            throw MigrationError.forbiddenDestination(address)
        }
        let eventLoops = Array(eventLoopGroup.makeIterator())
        let queue = AcceptQueue(loopCount: eventLoops.count, capacity: configuration.maxPendingConnections)
        let loops = eventLoops.enumerated().map { index, eventLoop in
            makeLoop(configuration, index, eventLoop, queue)
        }
        let listener = QUICListener(loops, queue, configuration)
        let coordinator = listener.coordinator
        for loop in loops { await loop.driver.run { loop.coordinator = coordinator } }
        try await listener.joinRing()
        try await listener.openSockets(at: address)
        return listener
    }

    private static func makeLoop(
        _ configuration: QUICServerConfiguration, _ index: Int, _ eventLoop: any EventLoop,
        _ queue: AcceptQueue
    ) -> EndpointLoop {
        var endpoint = EndpointConfiguration(
            connectionIDKey: configuration.connectionIDKey,
            statelessResetKey: configuration.statelessResetKey,
            unixTimeAtEpoch: godwit_unix_time())
        endpoint.transport = configuration.transport
        endpoint.server = configuration.server
        endpoint.serverID = configuration.serverID
        endpoint.shard = UInt16(truncatingIfNeeded: index)
        endpoint.qlog = configuration.qlogFolder.map { QlogFolder(path: $0, logger: configuration.logger) }
        let loop = EndpointLoop(
            driver: .of(eventLoop), configuration: endpoint,
            settings: EndpointSettings(
                role: .server, cancellationCode: configuration.cancellationCode, logger: configuration.logger,
                metrics: configuration.metrics, sharing: .always))
        loop.acceptQueue = queue
        return loop
    }

    private func joinRing() async throws {
        guard loops.count > 1 else { return }
        let ring = ShardRing(loops)
        for (index, loop) in loops.enumerated() {
            await loop.driver.run { loop.place = RingPlace(ring: ring, index: index) }
        }
    }

    private func openSockets(at address: NetworkAddress) async throws {
        do {
            let sockets = try await bindSockets(to: address)
            state.withLockedValue { $0.localAddress = sockets[0].localAddress }
            configuration.logger.info("listening", metadata: ["address": "\(sockets[0].localAddress)"])
        } catch {
            for loop in loops { await loop.driver.run { loop.close() } }
            throw error
        }
    }

    /// Opens a socket on each event loop, or none.
    func bindSockets(to address: NetworkAddress) async throws -> [UDPSocket] {
        var sockets: [UDPSocket] = []
        var isOurs = await hasSocket(at: address)
        do {
            for loop in loops {
                let local = sockets.first?.localAddress ?? address
                sockets.append(try await loop.addSocket(local, sharing: isOurs ? .always : .afterwards))
                isOurs = true
            }
            return sockets
        } catch {
            for (loop, socket) in zip(loops, sockets) { await loop.driver.run { loop.remove(socket) } }
            throw error
        }
    }

    /// Whether the address is ours to share: one that was let go of may be somebody else's by now, and the
    /// system would give each of us some of the other's clients.
    private func hasSocket(at address: NetworkAddress) async -> Bool {
        for loop in loops {
            let has = await loop.driver.run { loop.sockets.contains { $0.localAddress == address } }
            if has { return true }
        }
        return false
    }

    // MARK: State

    /// How the listener has fared so far.
    public var statistics: ListenerStatistics {
        get async {
            var sum = ListenerStatistics()
            for loop in loops { sum.add(await loop.driver.run { ListenerStatistics(loop) }) }
            return sum
        }
    }
}
