import GodwitWire

/// The largest datagram that a path carries, found by probing (RFC 8899, RFC 9000 section 14.3).
///
/// ```
///   base ──start──► searching ──nothing left to try──► complete
///    1200             ▲    ▲                              │
///                     │    └───── 600 s later ────────────┘
///                     └── black hole: back to 1200 ◄── (both)
/// ```
///
/// Sizes are of UDP payloads, in bytes. A probe is a padded packet with a PING, whose loss says nothing about
/// congestion. Whoever builds packets asks ``currentSize`` for every packet and ``probeSize(at:)`` now and
/// then.
struct MTUDiscovery: Codable, Sendable {
    /// The size that every path of QUIC has to carry (RFC 9000 section 14).
    static let base = 1200
    /// The largest UDP payload there is (RFC 9000 section 18.2).
    static let largest = 65527
    /// PMTU_RAISE_TIMER (RFC 8899 section 5.1.1).
    static let raiseInterval = TimeSpan.seconds(600)
    /// How long to stay at the base size when one black hole follows another.
    static let cooldown = TimeSpan.seconds(60)

    private enum Phase: Codable, Sendable, Equatable {
        case base
        case searching(MTUSearch)
        case complete(nextSearch: Instant)
    }

    private var phase = Phase.base
    /// The largest datagram to send.
    private(set) var currentSize = base
    /// The largest size that discovery tries.
    private(set) var ceiling: Int
    /// The size of the probe whose fate is open.
    private var probeInFlight: Int?
    private var blackHole = BlackHoleDetector()
    private var lastBlackHole: Instant?
    private(set) var blackHoles: UInt64 = 0

    /// - Parameter ceiling: the largest UDP payload to try; 1200 switches discovery off.
    init(ceiling: Int) { self.ceiling = Self.clamp(ceiling) }

    private static func clamp(_ size: Int) -> Int { min(max(size, base), largest) }

    /// Takes the peer's max_udp_payload_size (RFC 9000 section 18.2).
    mutating func limit(toPeerMaximum size: UInt64) { lowerCeiling(to: Int(clamping: size)) }

    private mutating func lowerCeiling(to size: Int) {
        guard size < ceiling else { return }
        ceiling = Self.clamp(size)
        currentSize = min(currentSize, ceiling)
        if case .searching = phase { phase = .searching(MTUSearch(confirmed: currentSize, ceiling: ceiling)) }
    }

    /// Begins to search; on the first path when the handshake is complete (RFC 9000 section 14.3.1), on
    /// others when they are validated.
    mutating func start() {
        if case .base = phase { search() }
    }

    private mutating func search() {
        probeInFlight = nil
        phase = .searching(MTUSearch(confirmed: currentSize, ceiling: ceiling))
    }

    // MARK: Probes

    /// The size of the probe to send now; nil when there is none to send, or while one is under way.
    mutating func probeSize(at now: Instant) -> Int? {
        guard probeInFlight == nil else { return nil }
        switch phase {
        case .base: return nil
        case .complete(let nextSearch):
            // RFC 8899 section 5.2: the path may have become better.
            guard nextSearch <= now, currentSize < ceiling else { return nil }
            search()
            return candidate(at: now)
        case .searching: return candidate(at: now)
        }
    }

    private mutating func candidate(at now: Instant) -> Int? {
        guard case .searching(let search) = phase else { return nil }
        if let size = search.candidate { return size }
        phase = .complete(nextSearch: now + Self.raiseInterval)
        return nil
    }

    mutating func onProbeSent(size: Int) { probeInFlight = size }

    /// Takes the acknowledgement of a probe; true when ``currentSize`` grew.
    ///
    /// A probe that had been taken for lost counts too: it did arrive.
    mutating func onProbeAcknowledged(size: Int) -> Bool {
        if probeInFlight == size { probeInFlight = nil }
        if case .searching(var search) = phase {
            search.onProbeAcknowledged(size)
            phase = .searching(search)
        }
        guard size > currentSize, size <= ceiling else { return false }
        currentSize = size
        return true
    }

    /// Gives up the probe under way, whose fate will be another path's.
    mutating func forgetProbe() { probeInFlight = nil }

    mutating func onProbeLost(size: Int) {
        if probeInFlight == size { probeInFlight = nil }
        guard case .searching(var search) = phase else { return }
        search.onProbeLost(size)
        phase = .searching(search)
    }

    // MARK: Getting smaller

    /// Notes the acknowledgement of a packet that was no probe; to be called before ``onPacketLost`` for what
    /// the same ACK frame shows to be lost.
    mutating func onPacketAcknowledged(packetNumber: UInt64, size: Int) {
        if size > Self.base { blackHole.onLargePacketAcknowledged(packetNumber) }
    }

    /// Notes the loss of a packet that was no probe; true when ``currentSize`` fell because of it (RFC 8899
    /// section 4.3).
    mutating func onPacketLost(packetNumber: UInt64, size: Int, at now: Instant) -> Bool {
        guard size > Self.base, currentSize > Self.base else { return false }
        return blackHole.onLargePacketLost(packetNumber, at: now) ? fallBack(at: now) : false
    }

    /// Notes that probe timeouts follow each other without any acknowledgement; true when ``currentSize``
    /// fell.
    mutating func onProbeTimeout(count: Int, at now: Instant) -> Bool {
        guard count >= BlackHoleDetector.timeouts, currentSize > Self.base else { return false }
        return fallBack(at: now)
    }

    private mutating func fallBack(at now: Instant) -> Bool {
        let isRepeated = lastBlackHole.map { now - $0 < Self.raiseInterval } ?? false
        currentSize = Self.base
        blackHole = BlackHoleDetector()
        blackHoles &+= 1
        lastBlackHole = now
        search()
        // The first may be a false alarm and is looked into at once; a path that goes on failing costs data.
        if isRepeated { phase = .complete(nextSearch: now + Self.cooldown) }
        return true
    }

    /// Takes a hint from the socket or an ICMP message that a datagram of `size` was too large, EMSGSIZE;
    /// true when ``currentSize`` fell.
    ///
    /// RFC 9000 section 14.2.1: a claim of less than 1200 bytes is ignored, and none ever raises the size.
    mutating func onMessageTooLarge(size: Int, at now: Instant) -> Bool {
        guard size > Self.base else { return false }
        if probeInFlight == size { probeInFlight = nil }
        let hasShrunk = size <= currentSize
        if hasShrunk { currentSize = Self.base }
        if case .base = phase { return hasShrunk }
        var search = MTUSearch(confirmed: currentSize, ceiling: ceiling)
        if case .searching(let running) = phase, !hasShrunk { search = running }
        search.rule(out: size)
        phase = .searching(search)
        return hasShrunk
    }

    // MARK: Freeze

    /// The probe under way is given up: its fate would tell about a network that may be gone.
    mutating func resume(shiftedBy span: TimeSpan) {
        probeInFlight = nil
        lastBlackHole = lastBlackHole?.shifted(by: span)
        if case .complete(let nextSearch) = phase {
            phase = .complete(nextSearch: nextSearch.shifted(by: span))
        }
    }
}

/// Tells a path that has stopped carrying large packets from one that is merely congested.
///
/// Congestion drops packets of every size, and large ones sent later still arrive. So a loss is suspicious
/// only when the packet was large and no large one sent after it was acknowledged; and what is found lost at
/// one moment counts once, because a full queue drops many packets in a row.
struct BlackHoleDetector: Codable, Sendable {
    static let bursts = 3
    static let timeouts = 3

    private var largestAcknowledged: UInt64?
    private var suspiciousBursts = 0
    private var lastBurst: Instant?

    mutating func onLargePacketAcknowledged(_ packetNumber: UInt64) {
        largestAcknowledged = max(packetNumber, largestAcknowledged ?? 0)
        suspiciousBursts = 0
        lastBurst = nil
    }

    /// True when it is a black hole.
    mutating func onLargePacketLost(_ packetNumber: UInt64, at now: Instant) -> Bool {
        if let largestAcknowledged, packetNumber < largestAcknowledged { return false }
        guard lastBurst != now else { return false }
        lastBurst = now
        suspiciousBursts += 1
        return suspiciousBursts >= Self.bursts
    }
}
