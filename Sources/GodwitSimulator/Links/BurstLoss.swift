import GodwitWire

/// Loss in bursts: the model of Gilbert and Elliott.
///
/// The link is in a good or a bad state. Each datagram first moves it from one to the other with the
/// probability given, then is lost with the probability of the state. A burst lasts `1 / badToGood` datagrams
/// on average, and is over when nothing was sent for a second: to a protocol that backs off, a burst that
/// only datagrams end would last for minutes.
public struct BurstLoss: Hashable, Sendable, Codable {
    /// The probability that a datagram finds a good link turned bad.
    public var goodToBad: Double
    /// The probability that a datagram finds a bad link turned good.
    public var badToGood: Double
    /// The probability of loss while the link is good.
    public var lossWhileGood: Double
    /// The probability of loss while the link is bad.
    public var lossWhileBad: Double

    /// A model with the four probabilities; by default a good link loses nothing and a bad one everything.
    public init(goodToBad: Double, badToGood: Double, lossWhileGood: Double = 0, lossWhileBad: Double = 1) {
        self.goodToBad = goodToBad
        self.badToGood = badToGood
        self.lossWhileGood = lossWhileGood
        self.lossWhileBad = lossWhileBad
    }

    /// The share of datagrams lost in the long run.
    public var averageLoss: Double {
        guard goodToBad + badToGood > 0 else { return lossWhileGood }
        let bad = goodToBad / (goodToBad + badToGood)
        return bad * lossWhileBad + (1 - bad) * lossWhileGood
    }
}

/// Where the model of ``BurstLoss`` stands.
struct BurstLossState {
    private var isBad = false
    private var lastUse = Instant.zero

    private static var longestPause: TimeSpan { .seconds(1) }

    /// To be called before a datagram is judged.
    mutating func passTime(until now: Instant) {
        if now - lastUse > Self.longestPause { isBad = false }
        lastUse = now
    }

    mutating func loses(_ model: BurstLoss, random: inout DeterministicRandom) -> Bool {
        if random.chance(isBad ? model.badToGood : model.goodToBad) { isBad.toggle() }
        return random.chance(isBad ? model.lossWhileBad : model.lossWhileGood)
    }
}
