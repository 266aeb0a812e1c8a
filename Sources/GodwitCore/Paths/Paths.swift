import GodwitWire

/// The paths of a connection and which of them carries its data (RFC 9000 sections 8.2 and 9).
///
/// ```
///                              new pair of addresses: admit, or addPath
///                                            │ challenge
///                                            ▼
///         non-probing packet ┌───────── unvalidated ─────────┐ no response
///         with the highest   │               │ response      ▼
///         number (followed)  │               ▼            removed ◄── expired, crowded out
///                            │   ┌──────── idle ◄─────┐      ▲
///                            ▼   ▼                    │      │
///                           active ──another takes over──────┘ (if it was never validated)
/// ```
///
/// One path is active. While the active one is not validated, the last one that was is kept as the `fallback`
/// (section 9.3.2). The machine neither reads nor writes packets. The connection reports datagrams and
/// frames, asks ``nextProbe(at:using:)`` before it writes anything else, and after every call applies what
/// ``nextAction()`` says.
struct Paths: Codable, Sendable {
    let role: Role
    let configuration: PathConfiguration
    /// In the order in which they were opened. Never empty.
    var all: ContiguousArray<Path>
    var activeIndex = 0
    /// The last validated path, while the active one is not validated itself.
    var fallback: PathID?
    var remoteIDs: RemoteConnectionIDs
    var actions: ContiguousArray<PathAction> = []

    /// Whether paths may change at all (RFC 9000 section 9).
    var isHandshakeConfirmed = false
    /// Whether a packet from another remote address can move us there. Servers follow clients; clients follow
    /// servers only by an extension.
    var followsPeer: Bool
    /// The peer's disable_active_migration, which holds for the address of the handshake (RFC 9000 section
    /// 18.2).
    var peerDisabledMigration = false
    let handshakeRemote: NetworkAddress
    /// The peer's max_ack_delay, part of every PTO.
    var maxAckDelay = TimeSpan.milliseconds(25)
    var peerMaximumPayload: UInt64 = UInt64(MTUDiscovery.largest)
    var preferredAddress = PreferredAddressState.none
    var largestNonProbing: UInt64?
    /// At a server that has moved, the only addresses of its own that it still answers for; empty for any.
    var admittedLocals: ContiguousArray<NetworkAddress> = []
    /// A path to a server's preferred address that the client has moved to, until it is validated here.
    var awaitedPeerMove: PathID?
    var admission: RateLimit
    var nextPathID: UInt32 = 1
    /// Whether some path may have something for ``nextProbe(at:using:)``, so that asking costs nothing
    /// mostly.
    var mayHaveProbes = false
    /// Datagrams that were dropped because of their addresses.
    var refusedDatagrams: UInt64 = 0

    /// - Parameters:
    ///   - remoteIDs: the connection ids got from the peer; the first path takes the one of the handshake.
    ///   - isAddressValidated: at a server, whether a token proved the client's address (RFC 9000 section
    ///     8.1.2).
    init(
        role: Role, local: NetworkAddress, remote: NetworkAddress, remoteIDs: RemoteConnectionIDs,
        configuration: PathConfiguration, isAddressValidated: Bool = false
    ) {
        self.role = role
        self.configuration = configuration
        self.remoteIDs = remoteIDs
        self.followsPeer = role == .server
        self.handshakeRemote = remote
        self.admission = RateLimit(burst: configuration.pathBurst, interval: configuration.pathInterval)
        // A client chose the address itself (RFC 9000 section 8.1).
        let isValidated = role == .client || isAddressValidated
        var first = Path(
            id: PathID(rawValue: 0), local: local, remote: remote, origin: .handshake,
            isAddressValidated: isValidated, configuration: configuration)
        first.remoteID = self.remoteIDs.takeHandshakeID()
        first.hasBeenActive = true
        self.all = [first]
        if isValidated { markHandshakeValidated() }
    }

    // MARK: Looking up

    var active: Path {
        get { all[activeIndex] }
        _modify { yield &all[activeIndex] }
    }

    var activeID: PathID { all[activeIndex].id }

    // Every packet asks for a path. Inlined, because a call that does not mutate copies all of `self` first.

    @inline(__always)
    func index(of id: PathID) -> Int? {
        if all[activeIndex].id == id { return activeIndex }
        return all.firstIndex { $0.id == id }
    }

    func contains(_ id: PathID) -> Bool { index(of: id) != nil }

    /// A path that ``contains(_:)`` says is there.
    subscript(id: PathID) -> Path {
        get { all[index(of: id)!] }
        _modify { yield &all[index(of: id)!] }
    }

    @inline(__always)
    func index(local: NetworkAddress, remote: NetworkAddress) -> Int? {
        if all[activeIndex].matches(local: local, remote: remote) { return activeIndex }
        return indexAsideOfActive(local: local, remote: remote)
    }

    private func indexAsideOfActive(local: NetworkAddress, remote: NetworkAddress) -> Int? {
        if let exact = all.firstIndex(where: { $0.matches(local: local, remote: remote) }) { return exact }
        if all[activeIndex].covers(local: local, remote: remote) { return activeIndex }
        return all.firstIndex { $0.covers(local: local, remote: remote) }
    }

    /// How many bytes may go out on a path, as far as its address is concerned: three times what came in
    /// until it is validated (RFC 9000 section 8); none while there is no connection id for it.
    func sendAllowance(on id: PathID) -> Int { index(of: id).map { all[$0].sendAllowance } ?? 0 }

    /// Whether a path needs the socket with this address.
    func uses(local: NetworkAddress) -> Bool { all.contains { $0.local.covers(local) } }

    // MARK: The handshake

    /// The first path is validated: by a Handshake packet, a Retry or a token (RFC 9000 section 8.1).
    mutating func onAddressValidated() {
        guard !all[0].isValidated, all[0].id.rawValue == 0 else { return }
        markHandshakeValidated()
    }

    private mutating func markHandshakeValidated() {
        all[0].amplification.lift()
        (all[0].isValidated, all[0].hasBeenProved) = (true, true)
        all[0].validation.succeedByHandshake()
    }

    /// From now on paths may change, and larger datagrams be tried (RFC 9000 sections 9 and 14.3.1).
    mutating func onHandshakeConfirmed() {
        isHandshakeConfirmed = true
        onAddressValidated()
        active.mtu.start()
    }

    /// Takes what the peer's transport parameters say about paths.
    mutating func applyPeerParameters(
        maximumPayload: UInt64, disablesActiveMigration: Bool, maxAckDelay: TimeSpan
    ) {
        peerMaximumPayload = maximumPayload
        peerDisabledMigration = disablesActiveMigration
        self.maxAckDelay = maxAckDelay
        for index in all.indices { all[index].mtu.limit(toPeerMaximum: maximumPayload) }
    }

    /// Takes the id that the peer chose, from its first packet or a Retry (RFC 9000 section 7.2).
    mutating func replaceHandshakeID(_ id: ConnectionID) {
        remoteIDs.replaceHandshakeID(id)
        all[0].remoteID = id
        all[0].hasUsedRemoteID = false
    }

    // MARK: Answers

    mutating func nextAction() -> PathAction? {
        if !actions.isEmpty { return actions.removeFirst() }
        return remoteIDs.nextTokenChange().map { .resetToken($0) }
    }

    /// The time a challenge takes to be answered at worst, and no less than a packet's (RFC 9000 section
    /// 9.4).
    func ptoInterval(ofPathAt index: Int) -> TimeSpan { all[index].rtt.ptoInterval(maxAckDelay: maxAckDelay) }

    /// RFC 9000 section 8.2.4: three times the larger of the current PTO and that of a path never measured.
    var validationTimeout: TimeSpan {
        let unmeasured = RTTEstimator(initialRTT: configuration.initialRTT).ptoInterval(
            maxAckDelay: maxAckDelay)
        return max(ptoInterval(ofPathAt: activeIndex), unmeasured) * 3
    }
}

/// The server's preferred address (RFC 9000 section 9.6).
enum PreferredAddressState: Codable, Sendable, Equatable {
    case none
    /// At a server: our preferred addresses, which the client may move to.
    case offered(ContiguousArray<NetworkAddress>)
    /// At a client: the address that is being validated.
    case trying(NetworkAddress)
    /// Data goes there.
    case moved
}
