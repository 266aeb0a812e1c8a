import GodwitCrypto
public import GodwitWire

/// All the connections that share a socket or an event loop, without I/O.
///
/// A driver calls five verbs: ``receive(_:segmentSize:from:to:ecn:now:)`` for what came in,
/// ``transmit(into:now:)`` until nil for what goes out, ``nextDeadline`` and ``handleDeadline(now:)`` for
/// time, and ``resume(now:unixTime:localAddress:entropy:)`` after a freeze or for a new local address. After
/// each of them, and after calls on a connection, it takes ``nextEvent()`` until nil and transmits.
///
/// Time and randomness come in as parameters; nothing here blocks, locks or does I/O. An endpoint is used
/// from one event loop.
public final class Endpoint {
    let environment: EndpointEnvironment
    var table = ConnectionTable()
    var deadlines = DeadlineHeap()
    /// Slots that may have something to send, in the order in which they get their turn.
    var senders = IndexedRing<UInt32>()
    /// Slots that may have something to tell.
    var tellers = IndexedRing<UInt32>()
    var accepted = IndexedRing<ConnectionHandle>()
    /// Datagrams that belong to no connection: Retry, Version Negotiation, stateless reset, refusal.
    var replies = IndexedRing<StatelessReply>()
    var handshakesUnderWay = 0
    /// Whether new connections are refused, as during a graceful shutdown.
    public var isClosedToNewConnections = false
    /// How the endpoint as a whole has fared.
    public internal(set) var statistics = EndpointStatistics()
    var resetAllowance = RateLimit(burst: 100, interval: .milliseconds(10))
    /// The server's own moves.
    var moving: EndpointMigration

    /// An endpoint with its keys, and the randomness that everything it does comes from.
    public init(configuration: EndpointConfiguration, entropy: Entropy) {
        environment = EndpointEnvironment(configuration: configuration, entropy: entropy)
        moving = EndpointMigration(requiresHold: configuration.server?.migration.requiresHold ?? true)
    }

    // MARK: The verbs

    /// Takes a datagram, or a train of datagrams of one size that came from one place (GRO); decrypts them in
    /// place.
    ///
    /// - Parameters:
    ///   - segmentSize: the size of each datagram but the last.
    ///   - local: the address that they were sent to.
    public func receive(
        _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
        to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
    ) {
        guard segmentSize > 0, environment.standstill == .none else { return }
        var rest = train[...]
        while !rest.isEmpty {
            let datagram = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(segmentSize))
            rest = rest.dropFirst(segmentSize)
            route(
                datagram,
                DatagramArrival(remote: remote, local: local, ecn: ecn, size: datagram.count, now: now))
        }
        settle(now: now)
    }

    /// Writes the next datagram, or train of datagrams for one destination, into `buffer`; nil when nothing
    /// is to be sent now. A buffer of 64 KB lets trains be as long as they can be.
    public func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> Transmission? {
        guard environment.standstill != .held else { return nil }
        settle(now: now)
        if let reply = nextReply(into: buffer) { return reply }
        while !senders.isEmpty {
            let slot = senders.removeFirst()
            guard let connection = table[slot: slot] else { continue }
            connection.isQueuedToSend = false
            if let transmission = connection.transmit(into: buffer, now: now) {
                // To the back: the others get their turn before it goes on.
                enqueueSender(connection)
                return transmission
            }
            settle(connection, now: now)
        }
        // The last word was said.
        if environment.standstill == .falling { environment.standstill = .held }
        return nil
    }

    /// When to call ``handleDeadline(now:)`` at the latest; nil for never. Calling early does no harm.
    public var nextDeadline: Instant? { environment.standstill == .none ? deadlines.nextDeadline : nil }

    /// Does what has become due by `now`.
    public func handleDeadline(now: Instant) {
        guard environment.standstill == .none else { return }
        while let slot = deadlines.popExpired(now: now) {
            guard let connection = table[slot: slot] else { continue }
            if let deadline = connection.nextDeadline, deadline <= now { connection.handleDeadline(now: now) }
            connection.wake()
        }
        settle(now: now)
    }

    /// Goes on after the process was frozen, here or on another host, or takes a new local address.
    ///
    /// - Parameters:
    ///   - now: on the endpoint's clock, which the driver has rebased: it goes on from before the freeze,
    ///     however the machine's clock may have jumped.
    ///   - frozen: how long the freeze was, as far as timers are concerned: they all move by it.
    ///   - unixTime: the wall-clock time in seconds.
    ///   - localAddress: where we are now; nil for where we were.
    ///   - entropy: fresh randomness. What an image held of random generators may be in use in a copy of it.
    public func resume(
        now: Instant, frozen: TimeSpan, unixTime: Int64, localAddress: NetworkAddress?, entropy: Entropy
    ) {
        renew(EndpointThaw(now: now, frozen: frozen, unixTime: unixTime, entropy: entropy))
        for connection in table.all {
            connection.resume(now: now, shiftedBy: frozen, localAddress: localAddress)
        }
        settle(now: now)
    }

    /// Takes the time and the randomness of after a freeze.
    func renew(_ thaw: EndpointThaw) {
        environment.random = RandomGenerator(seed: thaw.entropy.seed)
        environment.connectionIDs.restart()
        environment.unixTimeAtEpoch = thaw.unixTime - thaw.now.nanoseconds / 1_000_000_000
        moving.resume(shiftedBy: thaw.frozen)
    }

    /// Takes the system's word that a datagram of `size` bytes was too large for the way (EMSGSIZE). It is a
    /// hint: it may make datagrams on that path smaller, never larger (RFC 9000 section 14.2.1).
    public func onMessageTooLarge(
        size: Int, from local: NetworkAddress, to remote: NetworkAddress, now: Instant
    ) {
        for connection in table.all {
            connection.onMessageTooLarge(size: size, from: local, to: remote, now: now)
        }
        settle(now: now)
    }

    // MARK: Events

    /// The next thing to tell the application, nil when there is nothing.
    public func nextEvent() -> EndpointEvent? {
        if !accepted.isEmpty { return .accepted(accepted.removeFirst()) }
        while let slot = tellers.first {
            if let connection = table[slot: slot], let event = connection.nextEvent() {
                return .connection(connection.handle, event)
            }
            tellers.removeFirst()
            table[slot: slot]?.isQueuedToTell = false
            removeIfOver(slot)
        }
        return nil
    }

    // MARK: Connections

    /// Opens a connection as a client.
    public func connect(_ request: ConnectRequest, now: Instant) throws(ConnectError) -> ConnectionHandle {
        var failure: ConnectError?
        let connection = table.insert { handle in
            do throws(ConnectError) {
                return try Connection.client(request, environment: environment, handle: handle, now: now)
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        connection!.collectTableChanges()
        settle(now: now)
        return connection!.handle
    }

    /// The connection of a handle, nil when it is over.
    public func connection(_ handle: ConnectionHandle) -> Connection? { table[handle] }

    /// How many connections there are.
    public var connectionCount: Int { table.count }

    /// The handles of all connections.
    public var connectionHandles: [ConnectionHandle] { table.all.map(\.handle) }
}

/// How an endpoint as a whole has fared.
public struct EndpointStatistics: Sendable, Hashable {
    /// Connections that clients opened here.
    public var accepted: UInt64 = 0
    /// Clients that were told to come back with a token.
    public var retriesSent: UInt64 = 0
    /// Clients that were told which versions are spoken.
    public var versionNegotiationsSent: UInt64 = 0
    /// Peers that were told that their connection is gone.
    public var statelessResetsSent: UInt64 = 0
    /// Clients that were refused for want of room.
    public var refused: UInt64 = 0
    /// Datagrams that nothing could be done with.
    public var datagramsDropped: UInt64 = 0
}
