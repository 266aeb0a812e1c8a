import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Acknowledgments (RFC 9002 section 5.1 and appendix A.7)")
struct AcknowledgmentTests {
    @Test("What a packet carried is reported once, with its path and size")
    func acknowledgedOnce() throws {
        var sender = RecoverySender()
        sender.send(0, at: at(ms: 0), frames: [.crypto(offset: 0, length: 10), .ack(largest: 4)])
        sender.send(1, at: at(ms: 1), size: 700, frames: [.handshakeDone])
        try sender.acknowledge(0...1, at: at(ms: 50))
        #expect(sender.ackedNumbers == [0, 1])
        #expect(
            sender.outcome.ackedFrames == [.crypto(offset: 0, length: 10), .ack(largest: 4), .handshakeDone])
        #expect(sender.outcome.outcome(of: .first)?.releasedBytes == 1900)
        #expect(sender.outcome.outcome(of: .second) == nil)
        #expect(!sender.loss.hasAckElicitingInFlight(.application))

        try sender.acknowledge(0...1, at: at(ms: 60))
        #expect(sender.outcome.acked.isEmpty)
        #expect(sender.outcome.rttSample == nil)
        #expect(sender.outcome.paths.isEmpty)
    }

    @Test("Ranges with gaps settle what they name and nothing else (RFC 9000 section 19.3.1)")
    func gaps() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...9, at: at(ms: 0))
        try sender.acknowledge(9...9, 4...6, 1...1, at: at(ms: 10))
        #expect(sender.ackedNumbers == [9, 4, 5, 6, 1])
        #expect(sender.lostNumbers == [0, 2, 3])
        try sender.acknowledge(7...9, at: at(ms: 20))
        #expect(sender.ackedNumbers == [7, 8])
    }

    @Test("Spaces are apart (RFC 9002 section 3)")
    func spaces() throws {
        var sender = RecoverySender()
        sender.send(0, at: at(ms: 0), space: .initial)
        sender.send(0, at: at(ms: 0), space: .handshake)
        try sender.acknowledge(0...0, at: at(ms: 5), space: .handshake)
        #expect(sender.loss.hasAckElicitingInFlight(.initial))
        #expect(!sender.loss.hasAckElicitingInFlight(.handshake))
        #expect(sender.loss.largestAcknowledged(.handshake) == 0)
        #expect(sender.loss.largestAcknowledged(.initial) == nil)
    }

    @Test("A number above the largest sent ends the connection (RFC 9000 section 13.1)")
    func numberNeverSent() {
        var sender = RecoverySender()
        expectTransportError(.protocolViolation) { try sender.acknowledge(0...0, at: at(ms: 1)) }
        sender.send(0...4, at: at(ms: 0))
        expectTransportError(.protocolViolation) { try sender.acknowledge(0...5, at: at(ms: 1)) }
    }

    @Test("A number that was left out catches an optimistic acknowledgment (RFC 9000 section 21.4)")
    func skippedNumber() throws {
        var sender = RecoverySender()
        sender.send(0...4, at: at(ms: 0))
        sender.send(6...9, at: at(ms: 0))
        try sender.acknowledge(6...7, 0...4, at: at(ms: 1))
        expectTransportError(.protocolViolation) { try sender.acknowledge(0...9, at: at(ms: 2)) }
    }

    @Test("It is remembered after everything around it is settled (RFC 9000 section 21.4)")
    func skippedNumberLater() throws {
        var sender = RecoverySender()
        sender.send(1...99, at: at(ms: 0))
        try sender.acknowledge(1...99, at: at(ms: 1))
        sender.send(100...101, at: at(ms: 2))
        expectTransportError(.protocolViolation) { try sender.acknowledge(101...101, 0...50, at: at(ms: 3)) }
    }

    @Test("Many ranges over much that is settled cost no more than their walk")
    func manyRanges() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...9_999, at: at(ms: 0))
        try sender.acknowledge(0...9_999, at: at(ms: 100))
        sender.send(10_000, at: at(ms: 100))
        let ranges = everySecondNumber(from: 9_998, count: 700)
        for _ in 0..<100 {
            try sender.acknowledge(ranges: ranges, at: at(ms: 101))
            #expect(sender.outcome.acked.isEmpty)
        }
        #expect(sender.loss[.application].entries.count == 1)
    }

    @Test("Every second packet acknowledged loses the others and keeps nothing behind")
    func everySecond() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0...999, at: at(ms: 0))
        let ranges = everySecondNumber(from: 999, count: 500)
        try sender.acknowledge(ranges: ranges, at: at(ms: 100))
        #expect(sender.outcome.acked.count == 500)
        #expect(sender.lostNumbers == Array(stride(from: 0, to: 998, by: 2)))
        #expect(sender.loss[.application].entries.count == 2)
    }

    @Test("Packets of ACK frames alone do not pile up while nothing is acknowledged")
    func acknowledgmentsOnly() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0, at: at(ms: 0))
        sender.send(1...20_000, at: at(ms: 1), size: 40, flags: [], frames: [.ack(largest: 7)])
        #expect(sender.loss[.application].entries.count <= PacketLedger.limitNotInFlight + 1)
        #expect(sender.loss[.application].records.count <= PacketLedger.limitNotInFlight)
        try sender.acknowledge(0...20_000, at: at(ms: 30))
        #expect(sender.outcome.outcome(of: .first)?.releasedBytes == 1200)
        #expect(sender.loss[.application].entries.isEmpty)

        sender.send(20_001...50_000, at: at(ms: 40), size: 40, flags: [], frames: [.ack(largest: 9)])
        try sender.acknowledge(50_000...50_000, at: at(ms: 50))
        #expect(sender.outcome.ackedFrames == [.ack(largest: 9)])
    }

    @Test("Gaps from packets that were not remembered do not mislead the search")
    func searchWithGaps() throws {
        var sender = RecoverySender.withSample(ms(100))
        sender.send(0, at: at(ms: 0))
        sender.send(1...600, at: at(ms: 0), size: 40, flags: [])
        for number in stride(from: UInt64(601), through: 1_001, by: 4) {
            sender.send(number, at: at(ms: 0))
            sender.send((number + 1)...(number + 3), at: at(ms: 0), size: 40, flags: [])
        }
        for number in stride(from: UInt64(601), through: 1_001, by: 4) {
            try sender.acknowledge(number...number, at: at(ms: 1))
            #expect(sender.ackedNumbers == [number])
        }
    }
}

@Suite("Acknowledgments that no honest peer sends")
struct HostileAcknowledgmentTests {
    /// Ranges anywhere below `bound`, newest first and apart from each other.
    private func ranges(below bound: UInt64, _ random: inout TestRandom) -> [ClosedRange<UInt64>] {
        var ranges: [ClosedRange<UInt64>] = []
        var top = bound
        while top > 3, ranges.count < 40 {
            let largest = top - 1 - random.below(top / 3)
            let smallest = largest - random.below(largest / 3 + 1)
            ranges.append(smallest...largest)
            top = smallest - min(smallest, 1)
        }
        return ranges
    }

    @Test("Whatever ranges come, they settle what was sent or end the connection")
    func anyRanges() throws {
        var random = TestRandom(state: 7)
        var refused = 0
        for _ in 0..<40 {
            var sender = RecoverySender.withSample(ms(30))
            var next: UInt64 = 10
            for step in Int64(0)..<30 {
                next += 1 + random.below(30)
                sender.send(next, at: at(ms: step * 7), frames: [.maxData(next)])
                let bound = random.below(4) == 0 ? VariableLengthInteger.max : next + 1
                do {
                    try sender.acknowledge(ranges: ranges(below: bound, &random), at: at(ms: step * 7 + 3))
                    for settled in sender.outcome.acked { #expect(settled.number <= next) }
                } catch let error as TransportError {
                    #expect(error.code == .protocolViolation)
                    refused += 1
                    break
                }
            }
        }
        #expect(refused == 40)
    }
}

@Suite("Samples of the round-trip time (RFC 9002 section 5.1)")
struct RTTSampleTests {
    @Test("The time since the largest newly acknowledged packet was sent")
    func sample() throws {
        var sender = RecoverySender()
        sender.send(0, at: at(ms: 0))
        sender.send(1, at: at(ms: 30), path: .second)
        try sender.acknowledge(0...1, at: at(ms: 80), delay: ms(7))
        #expect(sender.outcome.rttSample == RTTSample(path: .second, rtt: ms(50), ackDelay: ms(7)))
    }

    // Holds: 9002-5.1-1
    @Test("None when the largest is not new, none when nothing asked for an acknowledgment")
    func noSample() throws {
        var sender = RecoverySender()
        sender.send(0...2, at: at(ms: 0))
        sender.send(3, at: at(ms: 0), flags: [])
        try sender.acknowledge(2...2, at: at(ms: 10))
        try sender.acknowledge(1...2, at: at(ms: 20))
        #expect(sender.ackedNumbers == [1])
        #expect(sender.outcome.rttSample == nil)
        try sender.acknowledge(3...3, at: at(ms: 30))
        #expect(sender.ackedNumbers == [3])
        #expect(sender.outcome.rttSample == nil)
    }

    @Test("The delay of an Initial packet is ignored (RFC 9002 section 5.3)")
    func initialDelay() throws {
        var sender = RecoverySender()
        sender.send(0, at: at(ms: 0), space: .initial)
        try sender.acknowledge(0...0, at: at(ms: 10), space: .initial, delay: ms(9))
        #expect(sender.outcome.rttSample?.ackDelay == .zero)
    }

    @Test("A clock that went back gives a sample of zero instead of a trap")
    func clockWentBack() throws {
        var sender = RecoverySender()
        sender.send(0, at: at(ms: 100))
        try sender.acknowledge(0...0, at: at(ms: 10))
        #expect(sender.outcome.rttSample?.rtt == .zero)
    }
}
