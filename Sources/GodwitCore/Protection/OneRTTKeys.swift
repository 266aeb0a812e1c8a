import GodwitCrypto
import GodwitWire

/// The 1-RTT keys and their updates (RFC 9001 section 6).
///
/// Reading keys of the next phase are made ahead of time, so that the time it takes to process a packet does
/// not tell whether it caused an update (RFC 9001 section 9.5).
struct OneRTTKeys {
    /// What the keys are made from, and how far their use has come.
    struct State: Codable, Sendable {
        let version: QUICVersion
        /// Header protection keeps the first secrets; it is not updated (RFC 9001 section 6.1).
        let firstWriteSecret: TrafficSecret
        var firstReadSecret: TrafficSecret?
        var phase = false
        var writeSecret: TrafficSecret
        var readSecret: TrafficSecret?
        var previousReadSecret: TrafficSecret?
        var discardPreviousAt = Instant.distantFuture
        /// The first packet number sent, and the lowest and highest received, in the current phase.
        var firstSent: UInt64?
        var lowestReceived: UInt64?
        var highestReceived: UInt64?
        /// The highest packet number received in any phase before.
        var highestReceivedBefore: UInt64?
        var sealedInPhase: UInt64 = 0
        /// Whether a packet of this phase was acknowledged, which is what allows the next update.
        var isPhaseAcknowledged = false
        var updateCount: UInt64 = 0
    }

    private(set) var state: State
    private(set) var write: PacketKey
    private var read: PacketKey?
    private var nextRead: PacketKey?
    private var previousRead: PacketKey?
    let writeHeader: HeaderProtectionKey
    /// Nil until the peer's secret is known: a server may write before it may read (RFC 9001 section 5.7).
    private(set) var readHeader: HeaderProtectionKey?

    init(write: TrafficSecret, version: QUICVersion) {
        self.init(state: State(version: version, firstWriteSecret: write, writeSecret: write))
    }

    init(state: State) {
        self.state = state
        let version = state.version
        write = PacketKey(secret: state.writeSecret, version: version)
        writeHeader = HeaderProtectionKey(secret: state.firstWriteSecret, version: version)
        makeReadKeys()
    }

    mutating func installRead(_ secret: TrafficSecret) {
        state.firstReadSecret = secret
        state.readSecret = secret
        makeReadKeys()
    }

    private mutating func makeReadKeys() {
        guard let first = state.firstReadSecret, let current = state.readSecret else { return }
        let version = state.version
        read = PacketKey(secret: current, version: version)
        nextRead = PacketKey(secret: current.updated(version: version), version: version)
        previousRead = state.previousReadSecret.map { PacketKey(secret: $0, version: version) }
        readHeader = HeaderProtectionKey(secret: first, version: version)
    }

    // MARK: Sending

    mutating func onSealed(_ packetNumber: UInt64) {
        if state.firstSent == nil { state.firstSent = packetNumber }
        state.sealedInPhase += 1
    }

    mutating func onAcknowledged(largest: UInt64) {
        if let firstSent = state.firstSent, largest >= firstSent { state.isPhaseAcknowledged = true }
    }

    /// Another update may start only when a packet of this phase was acknowledged (RFC 9001 section 6.1), and
    /// not while the keys before are still kept (section 6.5).
    var mayUpdate: Bool { state.isPhaseAcknowledged && previousRead == nil && read != nil }

    /// Whether so many packets were protected that the keys should change (RFC 9001 section 6.6). Half the
    /// limit of the AEAD leaves as much again for the wait until an update is allowed.
    func wantsUpdate(after limit: UInt64?) -> Bool {
        state.sealedInPhase >= min(limit ?? .max, state.writeSecret.suite.confidentialityLimit / 2)
    }

    /// Whether so few packets are left to these keys that the connection has to end while that can still be
    /// said.
    var isRunningOut: Bool { state.sealedInPhase >= state.writeSecret.suite.confidentialityLimit - 256 }

    /// Whether no further packet may be protected with these keys (RFC 9001 section 6.6).
    var isExhausted: Bool { state.sealedInPhase >= state.writeSecret.suite.confidentialityLimit }

    mutating func initiateUpdate() {
        advanceRead()
        advanceWrite()
    }

    // MARK: Receiving

    /// Opens a packet with the keys that its key phase bit and number ask for, and follows an update that it
    /// starts (RFC 9001 sections 6.3 and 6.4).
    ///
    /// There is one attempt, whatever the bit says, so that the time it takes does not tell (section 9.5).
    /// - Returns: how many bytes were in the packet, nil if it is not authentic.
    mutating func open(
        packetNumber: UInt64, phase: Bool, header: UnsafeRawBufferPointer,
        payload: UnsafeMutableRawBufferPointer
    ) throws(TransportError) -> Int? {
        let isCurrent = phase == state.phase
        let isOld = !isCurrent && isBeforeCurrentPhase(packetNumber)
        let key = isCurrent ? read : isOld ? previousRead : nextRead
        guard let count = key?.open(packetNumber: packetNumber, header: header, payload: payload) else {
            return nil
        }
        if isOld {
            state.highestReceivedBefore = max(state.highestReceivedBefore ?? packetNumber, packetNumber)
        } else {
            if !isCurrent { try followUpdate() }
            try noteReceived(packetNumber)
        }
        return count
    }

    /// A packet of the other phase belongs to the one before if its number is below what has come in this
    /// phase; as long as nothing has, it can only be from before (our update is not answered yet). With the
    /// keys before dropped, the next ones stand in for them.
    private func isBeforeCurrentPhase(_ packetNumber: UInt64) -> Bool {
        guard previousRead != nil else { return false }
        return state.lowestReceived.map { packetNumber < $0 } ?? true
    }

    /// Follows an update of the peer's, which may not start another before it can have seen an
    /// acknowledgement of the last (RFC 9001 section 6.2).
    private mutating func followUpdate() throws(TransportError) {
        guard state.updateCount == 0 || state.firstSent != nil else {
            throw TransportError(
                .keyUpdateError, "updated its keys twice before the first update was answered")
        }
        initiateUpdate()
    }

    /// Takes note of a packet of the current phase. None of a phase before may have a higher number (RFC 9001
    /// section 6.4).
    private mutating func noteReceived(_ packetNumber: UInt64) throws(TransportError) {
        if let highest = state.highestReceivedBefore, packetNumber < highest {
            throw TransportError(.keyUpdateError, "used older keys for a packet with a higher number")
        }
        state.lowestReceived = min(state.lowestReceived ?? packetNumber, packetNumber)
        state.highestReceived = max(state.highestReceived ?? packetNumber, packetNumber)
    }

    // MARK: Old keys

    /// Sets when the keys before are dropped, once the peer was seen to use the new ones; until then packets
    /// that were reordered still need them (RFC 9001 section 6.5).
    mutating func retirePrevious(at deadline: Instant) {
        guard previousRead != nil, state.lowestReceived != nil, state.discardPreviousAt == .distantFuture
        else {
            return
        }
        state.discardPreviousAt = deadline
    }

    var discardDeadline: Instant { state.discardPreviousAt }

    mutating func discardPrevious(now: Instant) {
        guard state.discardPreviousAt <= now else { return }
        previousRead = nil
        state.previousReadSecret = nil
        state.discardPreviousAt = .distantFuture
    }

    mutating func shift(by span: TimeSpan) { state.discardPreviousAt += span }

    private mutating func advanceRead() {
        guard let current = state.readSecret?.updated(version: state.version) else { return }
        previousRead = read
        state.previousReadSecret = state.readSecret
        state.discardPreviousAt = .distantFuture
        read = nextRead
        state.readSecret = current
        nextRead = PacketKey(secret: current.updated(version: state.version), version: state.version)
        if let highest = state.highestReceived {
            state.highestReceivedBefore = max(state.highestReceivedBefore ?? highest, highest)
        }
        (state.lowestReceived, state.highestReceived) = (nil, nil)
        state.updateCount += 1
        state.phase.toggle()
    }

    private mutating func advanceWrite() {
        state.writeSecret = state.writeSecret.updated(version: state.version)
        write = PacketKey(secret: state.writeSecret, version: state.version)
        state.firstSent = nil
        state.sealedInPhase = 0
        state.isPhaseAcknowledged = false
    }
}
