import GodwitWire

@testable import GodwitCore

/// A sender and a receiver over one bottleneck, wired as a conductor would: enough to see the parts of
/// recovery work together.
struct LinkSimulation {
    struct Link {
        var bytesPerMillisecond: Double
        var oneWayDelay: TimeSpan
        /// How many bytes the bottleneck queues.
        var queue: Double
        /// Every so many packets one is dropped.
        var dropEvery: UInt64?
    }

    private enum Event {
        case packet(UInt64)
        case acknowledgment([UInt8])
    }

    static let size = 1200
    let link: Link
    var now = Instant.zero
    var sender = RecoverySender()
    var controller: CongestionController
    var pacer = Pacer()
    var inFlight = BytesInFlight()
    var received = ReceivedPackets(space: .application)
    var nextNumber: UInt64 = 0
    var delivered: UInt64 = 0
    var acknowledgments = 0
    var dropped = 0
    private var linkFree = Instant.zero
    private var toReceiver: [(time: Instant, event: Event)] = []
    private var toSender: [(time: Instant, event: Event)] = []
    private var receiverHead = 0
    private var senderHead = 0

    init(_ link: Link, _ algorithm: CongestionAlgorithm) {
        self.link = link
        controller = CongestionController(algorithm: algorithm, mtu: Self.size)
    }

    mutating func run(until end: Instant) throws {
        while now < end {
            transmit()
            now = nextEventTime()
            try receiveAtReceiver()
            try receiveAtSender()
            handleTimeout()
        }
    }

    private func nextEventTime() -> Instant {
        var time = now + .seconds(1)
        if receiverHead < toReceiver.count { time = min(time, toReceiver[receiverHead].time) }
        if senderHead < toSender.count { time = min(time, toSender[senderHead].time) }
        if let deadline = sender.deadline { time = min(time, deadline) }
        if let deadline = received.ackDeadline { time = min(time, deadline) }
        if controller.available(bytesInFlight: inFlight.count) >= UInt64(Self.size) {
            time = min(
                time, pacer.nextSendTime(window: controller.window, rtt: sender.rtt.smoothed, mtu: Self.size))
        }
        return max(time, now + .microseconds(1))
    }

    private mutating func transmit() {
        var allowance = pacer.allowance(
            now: now, window: controller.window, rtt: sender.rtt.smoothed, mtu: Self.size)
        while allowance >= Self.size, controller.available(bytesInFlight: inFlight.count) >= UInt64(Self.size)
        {
            send()
            pacer.onSent(Self.size)
            allowance -= Self.size
        }
    }

    private mutating func send() {
        let packet = SentPacket(timeSent: now, path: .first, size: UInt16(Self.size), flags: .data)
        controller.onSent(bytes: UInt64(Self.size), bytesInFlight: inFlight.count, now: now)
        inFlight.add(packet)
        sender.loss.onPacketSent(.application, packetNumber: nextNumber, packet, frames: [])
        enqueue(nextNumber)
        nextNumber += 1
    }

    private mutating func enqueue(_ number: UInt64) {
        let waiting = max(linkFree - now, .zero).inSeconds * 1000 * link.bytesPerMillisecond
        let isDropped = link.dropEvery.map { number % $0 == $0 - 1 } ?? false
        if waiting + Double(Self.size) > link.queue || isDropped {
            dropped += 1
            return
        }
        let duration = Double(Self.size) / link.bytesPerMillisecond * 1e6
        linkFree = max(linkFree, now) + .nanoseconds(Int64(duration))
        toReceiver.append((linkFree + link.oneWayDelay, .packet(number)))
    }

    private mutating func receiveAtReceiver() throws {
        while receiverHead < toReceiver.count, toReceiver[receiverHead].time <= now {
            if case .packet(let number) = toReceiver[receiverHead].event {
                received.receive(number, at: now, rtt: link.oneWayDelay * 2)
                delivered += UInt64(Self.size)
            }
            receiverHead += 1
        }
        guard received.shouldAckNow(now) else { return }
        var bytes = [UInt8](repeating: 0, count: Self.size)
        let count = bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            _ = received.encodeAck(into: &writer, now: now, exponent: 3)
            return writer.count
        }
        acknowledgments += 1
        toSender.append((now + link.oneWayDelay, .acknowledgment(Array(bytes.prefix(count)))))
    }

    private mutating func receiveAtSender() throws {
        while senderHead < toSender.count, toSender[senderHead].time <= now {
            if case .acknowledgment(let bytes) = toSender[senderHead].event { try receiveAck(bytes) }
            senderHead += 1
        }
    }

    private mutating func receiveAck(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard case .ack(let frame) = try Frame.decode(&reader) else { return }
            try sender.loss.receiveAck(
                frame, space: .application, ackDelay: frame.delay(exponent: 3), now: now,
                context: sender.context, into: &sender.outcome)
        }
        if let sample = sender.outcome.rttSample {
            sender.rtt.addSample(sample, now: now, context: sender.context)
            sender.context.rtt = sender.rtt
        }
        apply()
    }

    private mutating func handleTimeout() {
        switch sender.timeOut(at: now) {
        case .none: break
        case .declareLost: apply()
        case .sendProbes(_, let count): for _ in 0..<count { send() }
        }
    }

    private mutating func apply() {
        for report in sender.outcome.paths {
            controller.apply(
                sender.outcome, report, bytesInFlight: inFlight.count, isCongestionMarked: false,
                rtt: sender.rtt.smoothed, now: now)
            inFlight.release(report.releasedBytes)
            if report.persistentCongestion { sender.rtt.onPersistentCongestion() }
        }
    }
}
