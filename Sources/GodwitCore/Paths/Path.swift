import GodwitWire

/// A pair of addresses between which packets of the connection go, with all that is known about it.
struct Path: Codable, Sendable {
    /// Who opened a path.
    enum Origin: UInt8, Codable, Sendable {
        case handshake
        /// A packet of the peer that came from, or to, another address.
        case peer
        /// We did, to migrate or to probe.
        case own
    }

    let id: PathID
    var local: NetworkAddress
    let remote: NetworkAddress
    let origin: Origin

    /// The id that packets on this path are addressed to; nil while the peer has none left.
    var remoteID: ConnectionID?
    /// Whether a packet with the present `remoteID` was sent.
    var hasUsedRemoteID = false
    /// The id of ours that the latest packet on this path was addressed to.
    var peerUses: ConnectionID?

    var validation = PathValidation()
    /// How many datagrams had come in when the validation under way was started.
    private var datagramsBeforeValidation: UInt64 = 0
    /// How many validations failed by the size of their datagrams alone.
    private var failedSizeProofs: UInt8 = 0
    private static let sizeProofAttempts = 3
    /// Whether the peer was shown to own the remote address. A later challenge that fails does not undo it by
    /// itself.
    var isValidated = false
    /// Whether that was shown on this very path, and not on one that it replaces.
    var hasBeenProved = false
    /// Whether the path was validated only by datagrams of less than 1200 bytes so far.
    var isSizeUnproven = false
    var amplification: AmplificationLimit
    var responses = PathResponses()
    /// How large the datagram with the next challenge may be, in bytes.
    var challengeAllowance = Int.max
    /// Whether the next response should come with a non-probing frame (RFC 9000 section 9.3.3).
    var owesNonProbing = false

    /// Whether data goes here once the path is validated, or as soon as there is a connection id for it.
    var move = PathMove.none
    var hasBeenActive = false
    /// When to forget the path, which another has replaced.
    var expiresAt: Instant?
    /// Whether the lack of a connection id was reported.
    var hasReportedMissingID = false

    // Per path because packets sent on one say nothing about another (RFC 9000 section 9.4).
    var rtt: RTTEstimator
    var congestion: CongestionController
    var bytesInFlight = BytesInFlight()
    var pacer: Pacer
    var ecn: ECNValidator
    var mtu: MTUDiscovery
    var statistics = PathStatistics()

    init(
        id: PathID, local: NetworkAddress, remote: NetworkAddress, origin: Origin, isAddressValidated: Bool,
        configuration: PathConfiguration
    ) {
        self.id = id
        self.local = local
        self.remote = remote
        self.origin = origin
        self.isBetweenFamilies = local.isIPv4 != remote.isIPv4 && !local.ip.isUnspecified
        self.amplification = AmplificationLimit(isLifted: isAddressValidated)
        self.rtt = RTTEstimator(
            initialRTT: configuration.initialRTT, granularity: configuration.granularity)
        self.congestion = CongestionController(
            algorithm: configuration.congestionAlgorithm, mtu: MTUDiscovery.base,
            takesOver: origin != .handshake)
        self.pacer = Pacer()
        self.ecn = ECNValidator(isEnabled: configuration.usesECN)
        self.mtu = MTUDiscovery(ceiling: configuration.maximumPayload(to: remote))
    }

    /// Whether data may be left to it for good: the address is the peer's, and 1200 bytes get through.
    var isViable: Bool { isValidated && !isSizeUnproven }

    /// Whether the peer has an address of a family that we have none of any more: a server that has moved to the
    /// other family waits for its client to come there.
    private let isBetweenFamilies: Bool

    /// How many bytes may be sent as far as the address is concerned; congestion control is asked apart.
    var sendAllowance: Int { remoteID == nil || isBetweenFamilies ? 0 : amplification.allowance }

    /// Of those, how many anything but a challenge may take. Data under way to an unproved address would else use up
    /// what it takes to prove it, and a peer that waits for that data has nothing to send that would raise the limit.
    var dataAllowance: Int {
        guard validation.state == .running, !amplification.isLifted else { return sendAllowance }
        return max(0, sendAllowance - Self.reservedChallenges * leastProbe)
    }

    /// How many challenges room is kept for: they get lost too.
    private static let reservedChallenges = 2

    /// The smallest datagram with a challenge and a response: a header of 1 byte, the connection id and a packet number
    /// of 4, two frames of 9, a PING and the AEAD's tag of 16.
    var leastProbe: Int { 1 + (remoteID?.length ?? 0) + 4 + 18 + 1 + 16 }

    func matches(local: NetworkAddress, remote: NetworkAddress) -> Bool {
        self.remote == remote && self.local == local
    }

    /// Like ``matches(local:remote:)``, but an unspecified local address stands for any.
    func covers(local: NetworkAddress, remote: NetworkAddress) -> Bool {
        self.remote == remote && self.local.covers(local)
    }

    mutating func onDatagramReceived(size: Int) {
        amplification.onReceived(size)
        statistics.datagramsReceived &+= 1
        statistics.bytesReceived &+= UInt64(size)
    }

    mutating func onDatagramSent(size: Int) {
        amplification.onSent(size)
        statistics.datagramsSent &+= 1
        statistics.bytesSent &+= UInt64(size)
    }

    /// Takes over what the path knows whose peer got another port, most likely from a NAT (RFC 9000 section
    /// 9.4).
    ///
    /// What is in flight there stays there: packets of the old path must not count here.
    mutating func inheritRecovery(from old: Path) {
        rtt = old.rtt
        congestion = old.congestion
        pacer = old.pacer
        mtu = old.mtu
        mtu.forgetProbe()
    }

    mutating func noteValidationStarted() { datagramsBeforeValidation = statistics.datagramsReceived }

    /// Whether to go on asking a peer whose address is proved and who has left full-size challenges unanswered.
    ///
    /// Only one who is heard all the while shows that the path is too small: silence may mean an outage or that the
    /// peer stands still, what is heard in one round may have been under way, and challenges do get lost.
    mutating func mayYetProveSize() -> Bool {
        guard isSizeUnproven else { return false }
        if statistics.datagramsReceived != datagramsBeforeValidation { failedSizeProofs &+= 1 }
        return failedSizeProofs < Self.sizeProofAttempts
    }

    /// The path carries data now.
    mutating func becomeActive() {
        move = .none
        expiresAt = nil
        hasBeenActive = true
    }

    // MARK: Datagram size

    /// Takes the acknowledgement of an MTU probe; true when datagrams may be larger now.
    mutating func onMTUProbeAcknowledged(size: Int) -> Bool {
        onMTUChanged(mtu.onProbeAcknowledged(size: size))
    }

    /// Notes the loss of a packet that was no MTU probe; true when datagrams have to be smaller now.
    mutating func onPacketLost(packetNumber: UInt64, size: Int, at now: Instant) -> Bool {
        onMTUChanged(mtu.onPacketLost(packetNumber: packetNumber, size: size, at: now))
    }

    /// Notes a probe timeout, the `count`-th in a row; true when datagrams have to be smaller now.
    mutating func onProbeTimeout(count: Int, at now: Instant) -> Bool {
        onMTUChanged(mtu.onProbeTimeout(count: count, at: now))
    }

    mutating func onMessageTooLarge(size: Int, at now: Instant) -> Bool {
        onMTUChanged(mtu.onMessageTooLarge(size: size, at: now))
    }

    private mutating func onMTUChanged(_ hasChanged: Bool) -> Bool {
        if hasChanged { congestion.onMTUChanged(mtu.currentSize) }
        return hasChanged
    }

    /// Moves the path's clocks over a freeze.
    mutating func resume(shiftedBy span: TimeSpan) {
        validation.resume(shiftedBy: span)
        rtt.shift(by: span)
        congestion.shift(by: span)
        pacer.shift(by: span)
        ecn.shift(by: span)
        mtu.resume(shiftedBy: span)
        expiresAt = expiresAt?.shifted(by: span)
    }
}

/// When a path that we opened becomes the active one.
enum PathMove: UInt8, Codable, Sendable {
    case none
    case whenValidated
    case whenIDArrives
}

extension NetworkAddress {
    /// Whether this local address, which may leave the interface open, includes `other`.
    func covers(_ other: NetworkAddress) -> Bool {
        if self == other { return true }
        // Without a port either, it is any socket of the family.
        if port == 0, ip.isUnspecified { return isIPv4 == other.isIPv4 }
        return port == other.port && (ip.isUnspecified || other.ip.isUnspecified)
    }

    /// Whether it names one host and port, so that a datagram can be sent there.
    var isSendable: Bool { port != 0 && !ip.isUnspecified && !ip.isMulticast && !ip.isBroadcast }
}
