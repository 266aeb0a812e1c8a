import GodwitWire

/// The window of a path, its slow start and its recovery periods (RFC 9002 section 7): what does not depend
/// on the algorithm.
struct CongestionState: Codable, Sendable, Equatable {
    /// Far above any path, and small enough for the arithmetic around it.
    static let maximumWindow: UInt64 = 1 << 40

    private(set) var window: UInt64
    /// Infinite, as `UInt64.max`, until the first slow start is over.
    private(set) var slowStartThreshold = UInt64.max
    private(set) var maximumDatagramSize: UInt64
    private(set) var hyStart: HyStart
    /// When the latest recovery period began; what was sent up to then belongs to it.
    private(set) var recoveryStart: Instant?
    /// True until a packet sent in the recovery period is acknowledged.
    private(set) var isInRecovery = false
    /// Whether the window is still the one that the path began with.
    private var isUntouched = true
    /// Whether one datagram may leave beyond the window, because recovery has just begun
    /// (RFC 9002 section 7.3.2): it carries what was lost.
    private(set) var hasRecoveryCredit = false
    private var account = LossEventAccount()

    init(maximumDatagramSize: Int, isCautious: Bool = false) {
        hyStart = HyStart(isCautious: isCautious)
        self.maximumDatagramSize = UInt64(maximumDatagramSize)
        window = Self.initialWindow(maximumDatagramSize: UInt64(maximumDatagramSize))
    }

    /// RFC 9002 section 7.2.
    static func initialWindow(maximumDatagramSize size: UInt64) -> UInt64 {
        min(10 * size, max(14_720, 2 * size))
    }

    /// RFC 9002 section 7.2: two datagrams.
    var minimumWindow: UInt64 { 2 * maximumDatagramSize }
    var isInSlowStart: Bool { window < slowStartThreshold }
    /// The first slow start, which no congestion has ended yet.
    var isInInitialSlowStart: Bool { slowStartThreshold == .max }

    /// RFC 9002 section 7.2: an initial window follows the datagram size; a window that has moved stays.
    mutating func setMaximumDatagramSize(_ size: Int) {
        maximumDatagramSize = UInt64(size)
        window = isUntouched ? Self.initialWindow(maximumDatagramSize: maximumDatagramSize) : window
        window = max(window, minimumWindow)
    }

    /// How many bytes may leave now.
    func available(bytesInFlight: UInt64) -> UInt64 {
        let room = window - min(bytesInFlight, window)
        return hasRecoveryCredit ? max(room, maximumDatagramSize) : room
    }

    mutating func onSent() { hasRecoveryCredit = false }

    /// Whether so much is in flight that more window would be used (RFC 9002 section 7.8).
    ///
    /// In slow start half a window is enough, since a paced sender is still filling the rest. Otherwise a
    /// quarter may be missing: the pacer can hold that much back at the moment an acknowledgment comes.
    func isUsedUp(bytesInFlight: UInt64) -> Bool {
        if isInSlowStart { return bytesInFlight >= window / 2 }
        return bytesInFlight + max(window / 4, 3 * maximumDatagramSize) >= window
    }

    /// Grows the window in slow start; what exceeds the threshold is left to the next acknowledgment.
    mutating func growInSlowStart(_ bytes: UInt64) {
        isUntouched = false
        let growth = isInInitialSlowStart ? hyStart.growth(bytes) : bytes
        window = min(window + growth, slowStartThreshold, Self.maximumWindow)
    }

    /// Sets a window that congestion avoidance arrived at.
    mutating func setWindow(_ bytes: UInt64) {
        isUntouched = false
        window = min(max(bytes, minimumWindow), Self.maximumWindow)
    }

    /// RFC 9406 section 4.2: true when the delay ended the first slow start.
    mutating func onSlowStartSample(largestAcked: UInt64, largestSent: UInt64, rtt: TimeSpan) -> Bool {
        guard isInInitialSlowStart,
            hyStart.onAck(largestAcked: largestAcked, largestSent: largestSent, rtt: rtt)
        else { return false }
        slowStartThreshold = window
        return true
    }

    /// RFC 9002 section 7.3.2: whether a packet sent then was sent before the latest reduction.
    func isBeforeRecovery(_ sentTime: Instant) -> Bool {
        guard let recoveryStart else { return false }
        return sentTime <= recoveryStart
    }

    mutating func onAckedAfterRecoveryStart() { isInRecovery = false }
}

// MARK: Congestion events

extension CongestionState {
    /// Begins a recovery period with `reduced` bytes as the new window and threshold.
    mutating func beginRecovery(now: Instant, window reduced: UInt64, isUndoable: Bool) {
        account = LossEventAccount(
            isUndoable: isUndoable, window: window, slowStartThreshold: slowStartThreshold,
            recoveryStart: recoveryStart)
        isUntouched = false
        recoveryStart = now
        isInRecovery = true
        hasRecoveryCredit = true
        window = max(reduced, minimumWindow)
        slowStartThreshold = window
    }

    /// RFC 9002 section 7.6.2.
    mutating func collapse() {
        window = minimumWindow
        isUntouched = false
        isInRecovery = false
        hasRecoveryCredit = false
        recoveryStart = nil
        account = LossEventAccount()
    }

    mutating func countLoss(_ sentTime: Instant) {
        if account.covers(sentTime, recoveryStart) { account.losses += 1 }
    }

    /// True when the packet was the last of the losses that caused the latest reduction, and the window is
    /// still smaller than before it (RFC 9438 section 4.9.2).
    mutating func discountLoss(_ sentTime: Instant) -> Bool {
        guard account.covers(sentTime, recoveryStart), account.losses > 0 else { return false }
        account.losses -= 1
        return account.losses == 0 && account.isUndoable && window < account.window
    }

    /// Keeps a reduction that had a better reason than loss.
    mutating func confirmReduction() { account.isUndoable = false }

    /// Takes back the latest reduction.
    mutating func undoReduction() {
        window = max(account.window, minimumWindow)
        slowStartThreshold = account.slowStartThreshold
        recoveryStart = account.recoveryStart
        isInRecovery = false
        hasRecoveryCredit = false
        account = LossEventAccount()
    }

    mutating func shift(by span: TimeSpan) {
        recoveryStart = recoveryStart.map { $0 + span }
        // Losses are no longer told from the freeze, so there is no taking back either.
        account = LossEventAccount()
    }
}

/// What to go back to should the latest reduction have been for nothing, and how many of the packets that
/// brought it about are still believed lost.
private struct LossEventAccount: Codable, Sendable, Equatable {
    var losses = 0
    var isUndoable = false
    var window: UInt64 = 0
    var slowStartThreshold: UInt64 = 0
    /// Of the recovery period before.
    var recoveryStart: Instant?

    /// Whether a packet sent then belongs to the latest recovery period and to none before.
    func covers(_ sentTime: Instant, _ latestStart: Instant?) -> Bool {
        guard let latestStart, sentTime <= latestStart else { return false }
        guard let recoveryStart else { return true }
        return sentTime > recoveryStart
    }
}
