public import GodwitWire

/// What an attacker does with the datagrams that pass the links it listens on.
///
/// It can't open packets; it copies whole datagrams and sends the copies again, perhaps from somewhere else,
/// which is what RFC 9000 section 21.1.1 grants attackers on and off the path.
public struct AttackerParameters: Hashable, Sendable, Codable {
    /// Which source address the copies have.
    public enum Disguise: Hashable, Sendable, Codable {
        /// That of the datagram, so that a copy is a duplicate that comes late or early.
        case genuine
        /// The attacker's own, as when it forwards datagrams to appear as the new address of their sender
        /// (RFC 9000 section 9.3.3).
        case own
        /// One that belongs to a victim who never asked for an answer (RFC 9000 section 9.3.1).
        case forged(NetworkAddress)
    }

    /// The probability that a datagram is copied.
    public var probability: Double
    /// How long the attacker keeps a copy before it sends it. The copy then has only the destination's
    /// ingress link before it, so that one taken from the sender's egress link can overtake the original.
    public var delay: TimeSpan
    /// The most that chance adds to the delay.
    public var jitter: TimeSpan
    /// Where the copies seem to come from.
    public var disguise: Disguise
    /// Whether datagrams sent to the attacker's own address are handed on to the host that they would have
    /// gone to without it, from the address they came from.
    public var relaysReplies: Bool
    /// Whether the datagrams that were copied are taken off the link.
    public var interceptsOriginals: Bool
    /// The most copies in all.
    public var limit: Int

    /// By default an attacker that sends every datagram once more, at once, as it was.
    public init(
        probability: Double = 1, delay: TimeSpan = .zero, jitter: TimeSpan = .zero,
        disguise: Disguise = .genuine,
        relaysReplies: Bool = false, interceptsOriginals: Bool = false, limit: Int = .max
    ) {
        self.probability = probability
        self.delay = delay
        self.jitter = jitter
        self.disguise = disguise
        self.relaysReplies = relaysReplies
        self.interceptsOriginals = interceptsOriginals
        self.limit = limit
    }
}

extension AttackerParameters: CustomStringConvertible {
    /// What it copies and where the copies seem to come from.
    public var description: String {
        var text = "copies \(probability.percentText) after \(delay), source \(disguise)"
        if relaysReplies { text += ", relays replies" }
        if interceptsOriginals { text += ", keeps the originals" }
        return limit == .max ? text : text + ", at most \(limit)"
    }
}
