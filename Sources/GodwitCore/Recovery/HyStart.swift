import GodwitWire

/// HyStart++: leaves slow start when the round-trip time rises, before packets are lost (RFC 9406).
///
/// It serves the first slow start only; later ones end at the threshold that the first one found (RFC 9406
/// section 4.2). Rounds are measured by packet numbers of the application space. There is no limit L on the
/// growth per ACK frame, because sending is paced.
///
/// A path that takes over from another one gets all its traffic at once, and whatever is small waits behind what is
/// large: there it is more cautious than RFC 9406 asks. Samples are judged eight by eight and not by their round
/// alone, as a round that began with an empty queue may end with a long one, and the next is twice as large.
/// Conservative Slow Start ends early when the delay goes on rising, which is what it is there to find out.
struct HyStart: Codable, Sendable, Equatable {
    enum Constants {
        static let minimumThreshold = TimeSpan.milliseconds(4)
        static let maximumThreshold = TimeSpan.milliseconds(16)
        static let minimumDivisor: Int64 = 8
        static let samplesPerRound = 8
        static let growthDivisor: UInt64 = 4
        static let conservativeRounds = 5
    }

    private let isCautious: Bool
    private var lastRoundMinimum: TimeSpan?
    private var currentRoundMinimum: TimeSpan?
    /// The smallest of the samples that are judged next, and how many they are.
    private var groupMinimum: TimeSpan?
    private var sampleCount = 0
    /// The largest number sent when the round began; its acknowledgment ends the round.
    private var roundEnd: UInt64?
    /// The minimum at which Conservative Slow Start began; nil in plain slow start.
    private var baseline: TimeSpan?
    private var conservativeRoundsLeft = 0
    /// What was acknowledged in Conservative Slow Start and has not grown the window yet.
    private var remainder: UInt64 = 0

    init(isCautious: Bool = false) { self.isCautious = isCautious }

    var isConservative: Bool { baseline != nil }

    /// By how much the window grows for `bytes` acknowledged.
    mutating func growth(_ bytes: UInt64) -> UInt64 {
        guard isConservative else { return bytes }
        remainder += bytes
        defer { remainder %= Constants.growthDivisor }
        return remainder / Constants.growthDivisor
    }

    /// Takes in an ACK frame with a sample of the round-trip time. True when slow start is over.
    mutating func onAck(largestAcked: UInt64, largestSent: UInt64, rtt: TimeSpan) -> Bool {
        guard beginRoundIfDue(largestAcked, largestSent) else { return true }
        currentRoundMinimum = min(currentRoundMinimum ?? rtt, rtt)
        groupMinimum = min(groupMinimum ?? rtt, rtt)
        sampleCount += 1
        guard sampleCount >= Constants.samplesPerRound,
            let current = isCautious ? groupMinimum : currentRoundMinimum
        else { return false }
        if isCautious { (groupMinimum, sampleCount) = (nil, 0) }
        if let baseline {
            // The delay went down again: it had been jitter.
            if current < baseline { self.baseline = nil }
            // It went up once more, so there is a queue that grows. The rounds that are left would only fill it.
            if isCautious, current >= baseline + Self.threshold(baseline) { return true }
        } else if let last = lastRoundMinimum, current >= last + Self.threshold(last) {
            baseline = current
            // The rest of this round counts as the first.
            conservativeRoundsLeft = Constants.conservativeRounds
        }
        return false
    }

    /// False when the round that ended was the last of Conservative Slow Start.
    private mutating func beginRoundIfDue(_ largestAcked: UInt64, _ largestSent: UInt64) -> Bool {
        if let roundEnd, largestAcked < roundEnd { return true }
        if roundEnd != nil, isConservative {
            conservativeRoundsLeft -= 1
            if conservativeRoundsLeft == 0 { return false }
        }
        roundEnd = largestSent
        lastRoundMinimum = currentRoundMinimum
        currentRoundMinimum = nil
        (groupMinimum, sampleCount) = (nil, 0)
        return true
    }

    static func threshold(_ lastRoundMinimum: TimeSpan) -> TimeSpan {
        max(
            Constants.minimumThreshold,
            min(lastRoundMinimum / Constants.minimumDivisor, Constants.maximumThreshold))
    }
}
