import GodwitWire

/// One direction of a link: a queue, a line and what befalls a datagram on it.
///
/// It knows neither the clock nor what datagrams hold; the network asks and schedules what it answers.
struct Link {
    let name: String
    private(set) var parameters: LinkParameters
    private(set) var statistics = LinkStatistics()
    /// The attackers that listen, by their index.
    var taps: ContiguousArray<UInt32> = []

    private var random: DeterministicRandom
    private var waiting = WaitingQueue()
    private var onLine: WaitingQueue.Entry?
    private var remainder: UInt64 = 0
    private var burst = BurstLossState()
    private var lastArrival = Instant(nanoseconds: .min)

    init(name: String, parameters: LinkParameters, random: DeterministicRandom) {
        self.name = name
        self.parameters = parameters
        self.random = random
    }

    mutating func change(to new: LinkParameters) {
        parameters = new
        // A path that became shorter overtakes what is still under way on the longer one.
        lastArrival = Instant(nanoseconds: .min)
    }

    // MARK: The queue and the line

    enum Admission {
        case dropped(DropReason)
        /// There is no rate limit: the datagram goes out at once.
        case passes
        /// The line was idle: the datagram is out at that instant.
        case transmits(until: Instant)
        case waits
    }

    /// Takes in a datagram whose IP packet has `size` bytes. `ecn` may come back marked.
    mutating func admit(_ slot: UInt32, size: Int, ecn: inout ECNCodepoint, now: Instant) -> Admission {
        statistics.offered += 1
        guard size <= parameters.mtu else { return refuse(.exceedsMTU) }
        guard let rate = parameters.rate else { return admitWithoutLimit(slot, size) }
        let entry = WaitingQueue.Entry(slot: slot, size: UInt32(size))
        guard onLine != nil else {
            onLine = entry
            remainder = 0
            return .transmits(until: now + rate.time(for: size, remainder: &remainder))
        }
        guard waiting.count < parameters.queue.packets, waiting.byteCount + size <= parameters.queue.bytes
        else {
            return refuse(.queueFull)
        }
        markIfCongested(&ecn)
        enqueue(entry)
        return .waits
    }

    /// What waits from the time of a rate limit that was lifted must stay ahead.
    private mutating func admitWithoutLimit(_ slot: UInt32, _ size: Int) -> Admission {
        guard onLine != nil else { return .passes }
        enqueue(WaitingQueue.Entry(slot: slot, size: UInt32(size)))
        return .waits
    }

    private mutating func refuse(_ reason: DropReason) -> Admission {
        statistics.dropped += 1
        return .dropped(reason)
    }

    private mutating func enqueue(_ entry: WaitingQueue.Entry) {
        waiting.append(entry)
        statistics.longestQueue = max(statistics.longestQueue, waiting.byteCount)
    }

    private mutating func markIfCongested(_ ecn: inout ECNCodepoint) {
        guard let threshold = parameters.queue.markingThreshold, waiting.byteCount > threshold,
            ecn == .ect0 || ecn == .ect1
        else { return }
        ecn = .congestionExperienced
        statistics.marked += 1
    }

    /// The line is through with a datagram, whose slot is returned; `next` is when the one behind it will be
    /// out.
    mutating func finishTransmission(now: Instant) -> (slot: UInt32, next: Instant?)? {
        guard let finished = onLine else { return nil }
        onLine = waiting.popFirst()
        guard let following = onLine else { return (finished.slot, nil) }
        let rate = parameters.rate
        return (finished.slot, now + (rate?.time(for: Int(following.size), remainder: &remainder) ?? .zero))
    }

    // MARK: On the line

    /// What becomes of a datagram that was put onto the line.
    struct Flight {
        var loss: DropReason?
        var arrival: Instant = .zero
        var duplicateArrival: Instant?
        var isCorrupted = false
    }

    mutating func launch(size: Int, ecn: inout ECNCodepoint, now: Instant) -> Flight {
        var flight = Flight()
        flight.loss = drawLoss(now: now)
        guard flight.loss == nil else {
            statistics.dropped += 1
            return flight
        }
        treat(&ecn)
        flight.isCorrupted = random.chance(parameters.corruption)
        flight.arrival = drawArrival(now: now)
        if random.chance(parameters.duplication) { flight.duplicateArrival = drawArrival(now: now) }
        statistics.carried += 1
        statistics.carriedBytes += UInt64(size)
        return flight
    }

    private mutating func drawLoss(now: Instant) -> DropReason? {
        if !parameters.outages.isEmpty, parameters.outages.contains(where: { $0.covers(now) }) {
            return .blackHole
        }
        burst.passTime(until: now)
        if let model = parameters.burstLoss, burst.loses(model, random: &random) { return .burstLoss }
        return random.chance(parameters.loss) ? .randomLoss : nil
    }

    private func treat(_ ecn: inout ECNCodepoint) {
        switch parameters.ecn {
        case .kept: break
        case .cleared: ecn = .notECT
        case .alwaysMarked: if ecn != .notECT { ecn = .congestionExperienced }
        case .remarked: if ecn == .ect0 { ecn = .ect1 }
        }
    }

    private mutating func drawArrival(now: Instant) -> Instant {
        var arrival = now + parameters.delay
        if let reordering = parameters.reordering, random.chance(reordering.probability) {
            return arrival + reordering.delay
        }
        if parameters.jitter > .zero {
            arrival += random.span(in: .zero...parameters.jitter)
            arrival = max(arrival, lastArrival)
            lastArrival = arrival
        }
        return arrival
    }

    /// Flips a bit one to eight times, at places that chance picks.
    mutating func corrupt(_ bytes: UnsafeMutableRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        for _ in 0..<random.integer(in: 1...8) {
            bytes[Int(random.integer(below: UInt64(bytes.count)))] ^= 1 << UInt8(random.integer(below: 8))
        }
    }
}

/// What went through one direction of a link.
public struct LinkStatistics: Hashable, Sendable {
    /// Datagrams that came to the link.
    public var offered: UInt64 = 0
    /// Datagrams that were dropped, for whatever reason.
    public var dropped: UInt64 = 0
    /// Datagrams that came through, duplicates not counted.
    public var carried: UInt64 = 0
    /// The bytes of their IP packets.
    public var carriedBytes: UInt64 = 0
    /// Datagrams that were marked because of a long queue.
    public var marked: UInt64 = 0
    /// The most bytes that waited at one time.
    public var longestQueue: Int = 0
}
