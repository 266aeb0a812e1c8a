public import GodwitWire

/// What one direction of a link does to datagrams.
///
/// In this order: the MTU, the queue, the rate; then, as a datagram leaves the rate limiter, outages, loss,
/// ECN, corruption, duplication, delay, jitter and reordering. Sizes are those of IP packets, headers
/// included.
public struct LinkParameters: Hashable, Sendable, Codable {
    /// How long a datagram is on its way once it is on the line.
    public var delay: TimeSpan
    /// The most that chance adds to the delay. It never changes the order of datagrams; ``reordering`` does.
    public var jitter: TimeSpan
    /// How fast datagrams are put onto the line; nil for no limit, and then no queue.
    public var rate: BitRate?
    /// What waits for the line.
    public var queue: QueueLimit
    /// The probability that a datagram is lost, each by itself.
    public var loss: Double
    /// Loss in bursts, besides ``loss``.
    public var burstLoss: BurstLoss?
    /// Datagrams held back so that later ones overtake them.
    public var reordering: Reordering?
    /// The probability that a datagram arrives twice.
    public var duplication: Double
    /// The probability that bits of a datagram's payload, up to eight of them, arrive flipped.
    public var corruption: Double
    /// The largest IP packet carried; bigger ones are dropped without a word.
    public var mtu: Int
    /// What happens to the ECN field.
    public var ecn: ECNTreatment
    /// When the link carries nothing.
    public var outages: [Outage]

    /// A link without limits and faults, but for what is given.
    public init(
        delay: TimeSpan = .zero, jitter: TimeSpan = .zero, rate: BitRate? = nil,
        queue: QueueLimit = QueueLimit(),
        loss: Double = 0, burstLoss: BurstLoss? = nil, reordering: Reordering? = nil, duplication: Double = 0,
        corruption: Double = 0, mtu: Int = 1500, ecn: ECNTreatment = .kept, outages: [Outage] = []
    ) {
        self.delay = delay
        self.jitter = jitter
        self.rate = rate
        self.queue = queue
        self.loss = loss
        self.burstLoss = burstLoss
        self.reordering = reordering
        self.duplication = duplication
        self.corruption = corruption
        self.mtu = mtu
        self.ecn = ecn
        self.outages = outages
    }
}

/// How much may wait in front of a link, the datagram that is being put onto the line not counted.
public struct QueueLimit: Hashable, Sendable, Codable {
    /// The most packets that wait.
    public var packets: Int
    /// The most bytes that wait.
    public var bytes: Int
    /// A datagram that finds more bytes than this before it is marked "congestion experienced" if its sender
    /// understands marks (RFC 3168 section 5); nil for no marks.
    public var markingThreshold: Int?

    /// By default a thousand packets, as Linux queues have it, and no marks.
    public init(packets: Int = 1000, bytes: Int = .max, markingThreshold: Int? = nil) {
        self.packets = packets
        self.bytes = bytes
        self.markingThreshold = markingThreshold
    }
}

/// How datagrams come to be overtaken.
public struct Reordering: Hashable, Sendable, Codable {
    /// The probability that a datagram is held back.
    public var probability: Double
    /// How long it is held back.
    public var delay: TimeSpan

    /// Holds back a datagram with the given probability for the given time.
    public init(probability: Double, delay: TimeSpan) {
        self.probability = probability
        self.delay = delay
    }
}

/// What a link does to the ECN field of the IP header, besides marks for a long queue.
public enum ECNTreatment: String, Hashable, Sendable, Codable, CaseIterable {
    /// As a network should.
    case kept
    /// Sets it to Not-ECT, as many networks do (RFC 9000 section 13.4.2 asks endpoints to notice).
    case cleared
    /// Sets "congestion experienced" on every datagram that has an ECT codepoint.
    case alwaysMarked
    /// Turns ECT(0) into ECT(1), which no network may do.
    case remarked
}

extension LinkParameters: CustomStringConvertible {
    /// What differs from a link without limits and faults.
    public var description: String {
        var parts = ["\(delay)"]
        if jitter > .zero { parts.append("jitter \(jitter)") }
        if let rate { parts.append("\(rate), queue \(queue)") }
        parts += faults
        if mtu != 1500 { parts.append("MTU \(mtu)") }
        if ecn != .kept { parts.append("ECN \(ecn)") }
        parts += outages.map { "dead \($0)" }
        return parts.joined(separator: ", ")
    }

    private var faults: [String] {
        var parts: [String] = []
        if loss > 0 { parts.append("loss \(loss.percentText)") }
        if let burstLoss { parts.append("bursts of loss \(burstLoss.averageLoss.percentText)") }
        if let reordering {
            parts.append("reordering \(reordering.probability.percentText) by \(reordering.delay)")
        }
        if duplication > 0 { parts.append("duplication \(duplication.percentText)") }
        if corruption > 0 { parts.append("corruption \(corruption.percentText)") }
        return parts
    }
}

extension QueueLimit: CustomStringConvertible {
    /// `100 packets`.
    public var description: String {
        var parts: [String] = []
        if packets != .max { parts.append("\(packets) packets") }
        if bytes != .max { parts.append("\(bytes) B") }
        if let markingThreshold { parts.append("marks above \(markingThreshold) B") }
        return parts.isEmpty ? "unbounded" : parts.joined(separator: ", ")
    }
}
