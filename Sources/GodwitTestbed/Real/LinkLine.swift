import GodwitSimulator

/// One direction of a path: datagrams wait for a line of some rate, and travel for a while; chance loses some.
///
/// It knows no clock and no sockets. Instants are nanoseconds of whatever clock its user has.
struct LinkLine {
    private let link: PlanLink
    private let loss: Double
    private var random: DeterministicRandom
    /// When each datagram that waits, and the one on the line, will be out.
    private var departures: [UInt64] = []
    private var lastArrival: UInt64 = 0

    /// As on the networks that it stands for.
    private static let largestPacket = 1500
    /// The headers of IPv4 and UDP, which the rate counts as well.
    private static let headers = 28

    /// - Parameter loss: the part of datagrams that are lost where the link does not say it itself.
    init(_ link: PlanLink, loss: Double, _ random: DeterministicRandom) {
        (self.link, self.loss, self.random) = (link, link.loss ?? loss, random)
    }

    /// Takes in a datagram.
    ///
    /// - Parameter size: its payload's bytes.
    /// - Returns: when it arrives; nil if it never does.
    mutating func admit(size: Int, now: UInt64) -> UInt64? {
        let size = size + Self.headers
        guard size <= Self.largestPacket, let out = enqueue(size, now) else { return nil }
        guard !random.chance(loss) else { return nil }
        let jitter = link.jitter > 0 ? link.jitter * random.unit() : 0
        // The queue keeps datagrams in order.
        lastArrival = max(lastArrival, out + UInt64((link.delay + jitter) * 1e6))
        return lastArrival
    }

    /// When the datagram will be out; nil if the queue is full.
    private mutating func enqueue(_ size: Int, _ now: UInt64) -> UInt64? {
        guard let rate = link.rate else { return now }
        departures.removeFirst(departures.firstIndex { $0 > now } ?? departures.count)
        // One is on the line, and the others wait.
        guard departures.count <= link.queue else { return nil }
        let out = max(now, departures.last ?? 0) + UInt64(size) * 8000 / max(1, rate)
        departures.append(out)
        return out
    }
}
