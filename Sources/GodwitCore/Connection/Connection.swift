import GodwitCrypto
public import GodwitWire

/// One QUIC connection, without I/O.
///
/// It is a conductor: the rooms it owns (streams, recovery, paths, protection …) know nothing of each other, answer
/// what is asked and report what happened, and the connection carries their answers from one to the next. The walk
/// of a packet through it is in ARCHITECTURE.md.
///
/// A confirmed connection is plain data apart from the caches at the end: see ``ConnectionSnapshot``.
public final class Connection {
    /// What all connections of the endpoint share.
    let environment: EndpointEnvironment
    /// The connection's name at its endpoint.
    public let handle: ConnectionHandle

    /// The environment's, here because nearly everything uses it.
    let scratch: PacketScratch

    // MARK: State

    // Accesses are checked for overlaps by the compiler alone (`exclusivity`): the check at run time took an
    // eighth of the time of a packet. An overlap would need a room that calls back into the connection while
    // it is being changed, and rooms are plain values that know nothing of it. Only `streams`, which shows the
    // application's code what it holds, is checked at run time.

    @exclusivity(unchecked) var configuration: TransportConfiguration
    @exclusivity(unchecked) var identity: ConnectionIdentity
    @exclusivity(unchecked) var lifecycle = Lifecycle.handshaking
    /// What we told the peer, and what it told us.
    @exclusivity(unchecked) var localParameters: TransportParameters
    @exclusivity(unchecked) var peerParameters = TransportParameters()
    @exclusivity(unchecked) var hasPeerParameters = false
    @exclusivity(unchecked) var protection = PacketProtection()
    @exclusivity(unchecked) var packetNumbers = PerSpace<PacketNumbers> { _ in PacketNumbers() }
    @exclusivity(unchecked) var received = PerSpace<ReceivedPackets> { ReceivedPackets(space: $0) }
    @exclusivity(unchecked) var crypto: PerSpace<CryptoStream>
    @exclusivity(unchecked) var loss = LossDetection()
    var streams: Streams
    @exclusivity(unchecked) var datagrams: DatagramQueue
    @exclusivity(unchecked) var localIDs: LocalConnectionIDs
    @exclusivity(unchecked) var paths: Paths
    @exclusivity(unchecked) var pending = PendingDuties()
    @exclusivity(unchecked) var timers: ConnectionTimers
    @exclusivity(unchecked) var spin: SpinBit
    @exclusivity(unchecked) var events = IndexedRing<ConnectionEvent>()
    @exclusivity(unchecked) var statisticsSoFar = ConnectionStatistics()
    /// How the server moves, or is followed; nil on plain connections.
    @exclusivity(unchecked) var migration: ConnectionMigration?
    var summary: HandshakeSummary?
    var closeReason: ConnectionCloseReason?
    private var hasToldEnd = false

    // MARK: Caches

    /// Dropped at a server once the handshake is confirmed; a client keeps it for session tickets.
    var handshake: (any HandshakeSession)?
    /// Packets that came before their keys.
    var undecryptable = UndecryptablePackets()
    /// What a client remembers to send early data by.
    @exclusivity(unchecked) var earlyData = EarlyDataState.none
    /// What a client asked for, until its handshake is over.
    var request: ConnectRequest?
    /// Where to log what happens; nil for nowhere.
    @exclusivity(unchecked) var qlog: QlogWriter?
    /// Whether the endpoint has the connection on its lists already.
    @exclusivity(unchecked) var isAwake = false
    @exclusivity(unchecked) var isQueuedToSend = false
    @exclusivity(unchecked) var isQueuedToTell = false
    @exclusivity(unchecked) var countsAsHandshake = false

    /// Whether this end is the client or the server.
    public var role: Role { identity.role }

    init(
        environment: EndpointEnvironment, handle: ConnectionHandle, configuration: TransportConfiguration,
        identity: ConnectionIdentity, localParameters: TransportParameters, localIDs: LocalConnectionIDs,
        paths: Paths, now: Instant
    ) {
        self.environment = environment
        self.scratch = environment.scratch
        self.handle = handle
        self.configuration = configuration
        self.identity = identity
        self.localParameters = localParameters
        self.localIDs = localIDs
        self.paths = paths
        self.crypto = PerSpace { _ in CryptoStream(receiveLimit: configuration.cryptoBufferLimit) }
        self.streams = Streams(role: identity.role, limits: StreamLimits(configuration))
        self.datagrams = DatagramQueue(maxFrameSize: UInt64(clamping: configuration.maxDatagramFrameSize))
        self.timers = ConnectionTimers(
            lastActivity: now, handshakeDeadline: now + TimeSpan(configuration.handshakeTimeout),
            keepAliveFrom: now)
        self.spin = SpinBit(isEnabled: false)
    }

    /// Puts the connection on the endpoint's list of those that may have something to send or to tell.
    func wake() {
        guard !isAwake else { return }
        isAwake = true
        environment.awake.append(handle.slot)
    }

    /// Nothing follows the event that tells of the end.
    func emit(_ event: ConnectionEvent) {
        if !hasToldEnd { events.append(event) }
        if case .closed = event { hasToldEnd = true }
    }

    /// The next thing to tell the application.
    func nextEvent() -> ConnectionEvent? {
        if !events.isEmpty { return events.removeFirst() }
        return streams.nextEvent().map { .stream($0) }
    }
}

// What users may ask about a connection.
extension Connection {
    /// The application protocol agreed on, once the handshake is complete.
    public var applicationProtocol: String? { summary?.applicationProtocol }
    /// The version of QUIC in use.
    public var version: QUICVersion { identity.version }
    /// Our end of the active path.
    public var localAddress: NetworkAddress { paths.active.local }
    /// The peer's end of the active path.
    public var remoteAddress: NetworkAddress { paths.active.remote }
    /// Whether both ends are known to have completed the handshake (RFC 9001 section 4.1.2).
    public var isConfirmed: Bool { lifecycle.isConfirmed }
    /// Why the connection ended, if it has.
    public var closed: ConnectionCloseReason? { closeReason }

    var smoothedRTT: TimeSpan { paths.active.rtt.smoothed }
    /// The probe timeout of the active path, without backoff.
    package var probeTimeout: TimeSpan { ptoSpan }

    /// How the connection has fared so far.
    public var statistics: ConnectionStatistics {
        var result = statisticsSoFar
        result.packetsSent = loss.statistics.packetsSent
        result.packetsLost = loss.statistics.packetsLost
        result.spuriousLosses = loss.statistics.spuriousLosses
        result.probeTimeouts = loss.statistics.probeTimeouts
        result.keyUpdates = protection.oneRTT?.state.updateCount ?? 0
        result.smoothedRTT = paths.active.rtt.smoothed.duration
        result.minRTT = paths.active.rtt.minimum.duration
        result.congestionWindow = paths.active.congestion.window
        result.bytesInFlight = paths.active.bytesInFlight.count
        result.udpPayloadSize = paths.active.mtu.currentSize
        return result
    }
}
