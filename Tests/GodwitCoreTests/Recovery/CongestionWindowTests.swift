import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The congestion window (RFC 9002 section 7)", .serialized)
struct CongestionWindowTests {
    private static let algorithms = CongestionAlgorithm.allCases

    /// A controller whose first slow start has ended with a window of half or 0.7 times 100,000 bytes.
    private func inAvoidance(_ algorithm: CongestionAlgorithm) -> CongestionController {
        var controller = inSlowStart(algorithm, window: 100_000)
        controller.onLost(sentTime: at(ms: 0), now: at(ms: 10))
        return controller
    }

    private func inSlowStart(_ algorithm: CongestionAlgorithm, window: UInt64) -> CongestionController {
        var controller = CongestionController(algorithm: algorithm, mtu: 1200)
        controller.acknowledge(window - controller.window, sent: 0, now: 5)
        return controller
    }

    @Test(
        "It begins at ten datagrams, within limits (RFC 9002 section 7.2)",
        arguments: [(1200, 12_000), (1452, 14_520), (1472, 14_720), (1500, 14_720), (9000, 18_000)])
    func initialWindow(mtu: Int, window: UInt64) {
        for algorithm in Self.algorithms {
            #expect(CongestionController(algorithm: algorithm, mtu: mtu).window == window)
        }
    }

    @Test("An untouched window follows the datagram size, a moved one stays (RFC 9002 section 7.2)")
    func datagramSizeChanges() {
        var controller = CongestionController(algorithm: .cubic, mtu: 1200)
        controller.onMTUChanged(1452)
        #expect(controller.window == 14_520)
        controller.acknowledge(1000, sent: 0, now: 10)
        controller.onMTUChanged(1200)
        #expect(controller.window == 15_520)
    }

    @Test("Slow start grows by the bytes acknowledged, in one frame or in many (RFC 9002 section 7.3.1)")
    func slowStartCountsBytes() {
        for algorithm in Self.algorithms {
            var one = CongestionController(algorithm: algorithm, mtu: 1200)
            one.acknowledge(12_000, sent: 0, now: 50)
            var many = CongestionController(algorithm: algorithm, mtu: 1200)
            for _ in 0..<10 { many.acknowledge(1200, sent: 0, now: 50) }
            #expect(one.window == 24_000)
            #expect(many.window == 24_000)
            #expect(one.phase == .slowStart)
        }
    }

    // Holds: 9002-7.3.1-1, 9002-7.3.2-1, 9002-7.3.2-2
    @Test(
        "A loss takes half or 30 percent of the window (RFC 9002 section 7.3.2, RFC 9438 section 4.6)"
    )
    func reduction() {
        #expect(inSlowStart(.newReno, window: 100_000).isInSlowStart)
        #expect(inAvoidance(.newReno).window == 50_000)
        #expect(inAvoidance(.newReno).slowStartThreshold == 50_000)
        #expect(inAvoidance(.newReno).phase == .recovery)
        #expect(inAvoidance(.cubic).window == 70_000)
        #expect(inAvoidance(.cubic).slowStartThreshold == 70_000)
        #expect(inAvoidance(.cubic).phase == .recovery)
    }

    // Holds: 9002-7-1
    @Test("Once for a round trip: losses of what was sent before change nothing (RFC 9002 section 7.3.2)")
    func oncePerRoundTrip() {
        for algorithm in Self.algorithms {
            var controller = inAvoidance(algorithm)
            let window = controller.window
            controller.onLost(sentTime: at(ms: 9), now: at(ms: 12))
            controller.onECNCongestion(sentTime: at(ms: 10), now: at(ms: 13))
            #expect(controller.window == window)
            controller.acknowledge(1200, sent: 10, now: 14)
            #expect(controller.window == window)
            #expect(controller.phase == .recovery)
            controller.acknowledge(1200, sent: 11, now: 60)
            #expect(controller.phase == .congestionAvoidance)
            controller.onLost(sentTime: at(ms: 11), now: at(ms: 61))
            #expect(controller.window < window)
        }
    }

    // Holds: 9002-7-2
    @Test("One datagram may leave at once when recovery begins (RFC 9002 section 7.3.2)")
    func recoveryCredit() {
        for algorithm in Self.algorithms {
            var controller = inAvoidance(algorithm)
            #expect(controller.available(bytesInFlight: 90_000) == 1200)
            #expect(controller.available(bytesInFlight: controller.window - 100) == 1200)
            #expect(controller.available(bytesInFlight: 10_000) == controller.window - 10_000)
            controller.onSent(bytes: 1200, bytesInFlight: 90_000, now: at(ms: 10))
            #expect(controller.available(bytesInFlight: 91_200) == 0)
            controller.onLost(sentTime: at(ms: 9), now: at(ms: 11))
            #expect(controller.available(bytesInFlight: 91_200) == 0)
        }
    }

    @Test("It never falls below two datagrams (RFC 9002 section 7.2)")
    func minimum() {
        for algorithm in Self.algorithms {
            var controller = CongestionController(algorithm: algorithm, mtu: 1200)
            for event in Int64(0)..<20 {
                controller.onLost(sentTime: at(ms: 10 * event + 1), now: at(ms: 10 * event + 5))
            }
            #expect(controller.window == 2400)
            #expect(controller.slowStartThreshold == 2400)
        }
    }

    // Holds: 9002-7.3.3-1
    @Test("NewReno grows one datagram for every window acknowledged (RFC 9002 section 7.3.3)")
    func avoidance() {
        var controller = inAvoidance(.newReno)
        for _ in 0..<40 { controller.acknowledge(1250, sent: 20, now: 70) }
        #expect(controller.window == 51_200)
        controller.acknowledge(51_199, sent: 20, now: 70)
        #expect(controller.window == 51_200)
        controller.acknowledge(1, sent: 20, now: 70)
        #expect(controller.window == 52_400)
        // What is acknowledged beyond a window counts toward the next.
        controller.acknowledge(62_400, sent: 20, now: 70)
        controller.acknowledge(43_600, sent: 20, now: 70)
        #expect(controller.window == 54_800)
    }

    // Holds: 9002-7.3.1-1
    @Test("A mark reduces like a loss (RFC 9002 section 7.1)")
    func mark() {
        var controller = inSlowStart(.newReno, window: 40_000)
        controller.onECNCongestion(sentTime: at(ms: 1), now: at(ms: 20))
        #expect(controller.window == 20_000)
        #expect(controller.slowStartThreshold == 20_000)
        #expect(controller.phase == .recovery)
    }

    // Holds: 9002-7-1, 9002-7.6.2-2
    @Test(
        "Persistent congestion leaves two datagrams, and slow start to the threshold (RFC 9002 section 7.6.2)"
    )
    func persistentCongestion() {
        for algorithm in Self.algorithms {
            var controller = inAvoidance(algorithm)
            let threshold = controller.slowStartThreshold
            controller.onPersistentCongestion()
            #expect(controller.window == 2400)
            #expect(controller.phase == .slowStart)
            controller.acknowledge(200_000, sent: 20, now: 90)
            #expect(controller.window == threshold)
            #expect(controller.phase == .congestionAvoidance)
        }
    }

    @Test("A window that is not used does not grow (RFC 9002 section 7.8)")
    func applicationLimited() {
        for algorithm in Self.algorithms {
            var controller = CongestionController(algorithm: algorithm, mtu: 1200)
            controller.onAcked(
                5000, sentTime: at(ms: 0), now: at(ms: 50), rtt: ms(50), appLimited: true)
            #expect(controller.window == 12_000)
        }
    }

    @Test("Half a window in flight uses it up in slow start, three quarters later (RFC 9002 section 7.8)")
    func usedUp() {
        let starting = CongestionController(algorithm: .cubic, mtu: 1200)
        #expect(!starting.isUsedUp(bytesInFlight: 5_999))
        #expect(starting.isUsedUp(bytesInFlight: 6_000))
        let avoiding = inAvoidance(.cubic)
        #expect(!avoiding.isUsedUp(bytesInFlight: 52_499))
        #expect(avoiding.isUsedUp(bytesInFlight: 52_500))
    }

    @Test("It stays within bounds that the arithmetic can bear")
    func bounds() {
        for algorithm in Self.algorithms {
            var controller = CongestionController(algorithm: algorithm, mtu: 65_527)
            for step in Int64(1)..<100 { controller.acknowledge(1 << 38, sent: step, now: step + 1) }
            #expect(controller.window == CongestionState.maximumWindow)
            controller.onLost(sentTime: at(ms: 200), now: at(ms: 201))
            for step in Int64(210)..<300 {
                controller.acknowledge(1 << 40, sent: step, now: step * 1_000_000)
            }
            #expect(controller.window <= CongestionState.maximumWindow)
        }
    }
}

@Suite("Reductions that are taken back (RFC 9438 section 4.9.2)")
struct UndoTests {
    private func reduced(_ algorithm: CongestionAlgorithm) -> CongestionController {
        var controller = CongestionController(algorithm: algorithm, mtu: 1200)
        controller.acknowledge(48_000, sent: 0, now: 5)
        for sent in Int64(1)...3 { controller.onLost(sentTime: at(ms: sent), now: at(ms: 10)) }
        return controller
    }

    @Test("When all losses of the event turn out to be none, the window is what it was")
    func allSpurious() {
        for algorithm in CongestionAlgorithm.allCases {
            var controller = reduced(algorithm)
            for sent in Int64(1)...2 { controller.onSpuriousLoss(sentTime: at(ms: sent)) }
            #expect(controller.window < 60_000)
            controller.onSpuriousLoss(sentTime: at(ms: 3))
            #expect(controller.window == 60_000)
            #expect(controller.slowStartThreshold == .max)
            #expect(controller.phase == .slowStart)
        }
    }

    @Test("Losses found later, of the same flight, count too")
    func laterLosses() {
        var controller = reduced(.cubic)
        controller.onLost(sentTime: at(ms: 9), now: at(ms: 12))
        for sent in Int64(1)...3 { controller.onSpuriousLoss(sentTime: at(ms: sent)) }
        #expect(controller.window == 42_000)
        controller.onSpuriousLoss(sentTime: at(ms: 9))
        #expect(controller.window == 60_000)
    }

    @Test("A mark in the same round trip is a reason of its own")
    func marked() {
        for algorithm in CongestionAlgorithm.allCases {
            var controller = reduced(algorithm)
            let window = controller.window
            controller.onECNCongestion(sentTime: at(ms: 4), now: at(ms: 13))
            for sent in Int64(1)...3 { controller.onSpuriousLoss(sentTime: at(ms: sent)) }
            #expect(controller.window == window)
        }
    }

    @Test("Packets of an earlier event do not count for a later one")
    func earlierEvent() {
        var controller = reduced(.newReno)
        controller.onLost(sentTime: at(ms: 20), now: at(ms: 30))
        #expect(controller.window == 15_000)
        for sent in Int64(1)...3 { controller.onSpuriousLoss(sentTime: at(ms: sent)) }
        #expect(controller.window == 15_000)
        controller.onSpuriousLoss(sentTime: at(ms: 20))
        #expect(controller.window == 30_000)
    }

    @Test("A window that has outgrown the one before stays (RFC 9438 section 4.9.2)")
    func outgrown() {
        var controller = CongestionController(algorithm: .newReno, mtu: 1200)
        controller.onLost(sentTime: at(ms: 1), now: at(ms: 10))
        for round in Int64(0)..<40 {
            controller.acknowledge(controller.window, sent: 11 + round, now: 20 + round)
        }
        let window = controller.window
        #expect(window > 12_000)
        controller.onSpuriousLoss(sentTime: at(ms: 1))
        #expect(controller.window == window)
    }

    @Test("Nothing is taken back after persistent congestion or a freeze")
    func neverAfter() {
        for algorithm in CongestionAlgorithm.allCases {
            var collapsed = reduced(algorithm)
            collapsed.onPersistentCongestion()
            var frozen = reduced(algorithm)
            let window = frozen.window
            frozen.shift(by: ms(1000))
            for sent in Int64(1)...3 {
                collapsed.onSpuriousLoss(sentTime: at(ms: sent))
                frozen.onSpuriousLoss(sentTime: at(ms: 1000 + sent))
            }
            #expect(collapsed.window == 2400)
            #expect(frozen.window == window)
        }
    }
}

@Suite("The controller and the outcome of an ACK frame")
struct CongestionOutcomeTests {
    private func apply(_ sender: RecoverySender, to controller: inout CongestionController, inFlight: UInt64)
    {
        for report in sender.outcome.paths where report.path == .first {
            controller.apply(
                sender.outcome, report, bytesInFlight: inFlight, isCongestionMarked: false, rtt: ms(100),
                now: at(ms: 100))
        }
    }

    // Holds: 9000-9.4-1
    @Test("Acknowledged bytes of the path open its window; packets marked application-limited do not")
    func growth() throws {
        var sender = RecoverySender.withSample(ms(100))
        var controller = CongestionController(algorithm: .cubic, mtu: 1200)
        sender.send(0...3, at: at(ms: 0))
        sender.send(4...5, at: at(ms: 0), flags: [.ackEliciting, .inFlight, .applicationLimited])
        sender.send(6...7, at: at(ms: 0), path: .second)
        try sender.acknowledge(0...7, at: at(ms: 100))
        apply(sender, to: &controller, inFlight: 7200)
        #expect(controller.window == 16_800)
    }

    @Test("Little in flight opens nothing (RFC 9002 section 7.8)")
    func littleInFlight() throws {
        var sender = RecoverySender.withSample(ms(100))
        var controller = CongestionController(algorithm: .newReno, mtu: 1200)
        sender.send(0...3, at: at(ms: 0))
        try sender.acknowledge(0...3, at: at(ms: 100))
        apply(sender, to: &controller, inFlight: 4800)
        #expect(controller.window == 12_000)
    }

    // Holds: 9000-13.3-4
    @Test("Losses reduce it, probes of the datagram size do not, and a late acknowledgment takes it back")
    func losses() throws {
        var sender = RecoverySender.withSample(ms(100))
        var controller = CongestionController(algorithm: .newReno, mtu: 1200)
        sender.send(0, at: at(ms: 0), size: 1452, flags: [.ackEliciting, .inFlight, .mtuProbe])
        sender.send(1...4, at: at(ms: 0))
        try sender.acknowledge(3...3, at: at(ms: 100))
        apply(sender, to: &controller, inFlight: 6252)
        #expect(sender.lostNumbers == [0])
        #expect(controller.window == 13_200)
        try sender.acknowledge(4...4, at: at(ms: 100))
        apply(sender, to: &controller, inFlight: 3600)
        #expect(sender.lostNumbers == [1])
        #expect(controller.window == 6_600)
        try sender.acknowledge(3...4, 1...1, at: at(ms: 101))
        apply(sender, to: &controller, inFlight: 1200)
        #expect(controller.window == 13_200)
    }

    // Holds: 9002-7.4-1
    @Test(
        "What was sent after the first that arrived counts as loss in every space (RFC 9002 section 7.4)",
        arguments: PacketNumberSpace.allCases)
    func lossesOfHandshake(space: PacketNumberSpace) throws {
        var sender = RecoverySender.withSample(ms(100))
        var controller = CongestionController(algorithm: .newReno, mtu: 1200)
        sender.send(0...4, at: at(ms: 0), space: space)
        try sender.acknowledge(4...4, 0...0, at: at(ms: 50), space: space)
        #expect(sender.lostNumbers == [1])
        apply(sender, to: &controller, inFlight: 6000)
        #expect(controller.window == 6000)
    }

    @Test("Bytes in flight are added when sent and released by the outcome (RFC 9002 appendix B)")
    func bytesInFlight() throws {
        var sender = RecoverySender.withSample(ms(100))
        var inFlight = BytesInFlight()
        for number in UInt64(0)...5 {
            let flags: SentPacket.Flags = number == 5 ? [] : .data
            let packet = SentPacket(timeSent: at(ms: 0), path: .first, size: 1000, flags: flags)
            inFlight.add(packet)
            sender.loss.onPacketSent(.application, packetNumber: number, packet, frames: [])
        }
        #expect(inFlight.count == 5000)
        try sender.acknowledge(4...5, at: at(ms: 100))
        inFlight.release(sender.outcome.outcome(of: .first)?.releasedBytes ?? 0)
        #expect(sender.lostNumbers == [0, 1, 2])
        #expect(inFlight.count == 1000)
    }
}

extension CongestionController {
    mutating func acknowledge(_ bytes: UInt64, sent: Int64, now: Int64) {
        onAcked(bytes, sentTime: at(ms: sent), now: at(ms: now), rtt: ms(50), appLimited: false)
    }
}
