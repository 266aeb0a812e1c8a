import GodwitWire
import Testing

@testable import GodwitCore

extension ReceivedPackets {
    @discardableResult
    mutating func receive(
        _ number: UInt64, at now: Instant = .zero, eliciting: Bool = true, ecn: ECNCodepoint = .notECT,
        rtt: TimeSpan = ms(40)
    ) -> Bool {
        receive(number, ackEliciting: eliciting, ecn: ecn, now: now, rtt: rtt)
    }

    /// Writes an ACK frame into `space` bytes and reads it back.
    mutating func acknowledgment(
        at now: Instant = .zero, exponent: UInt8 = 3, space: Int = 1200
    ) throws -> (largest: UInt64, ranges: [AckRange], delay: TimeSpan, ecn: ECNCounts?)? {
        var bytes = [UInt8](repeating: 0, count: space)
        return try bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            guard let largest = encodeAck(into: &writer, now: now, exponent: exponent) else {
                #expect(writer.count == 0)
                return nil
            }
            var reader = ByteReader(UnsafeRawBufferPointer(writer.written))
            guard case .ack(let frame) = try Frame.decode(&reader) else { return nil }
            #expect(reader.isAtEnd)
            #expect(frame.largestAcknowledged == largest)
            return (largest, Array(frame.ranges), frame.delay(exponent: UInt64(exponent)), frame.ecn)
        }
    }
}

@Suite("When to acknowledge (RFC 9000 section 13.2)")
struct AckTimingTests {
    private func application(_ policy: AckPolicy = AckPolicy()) -> ReceivedPackets {
        ReceivedPackets(space: .application, policy: policy)
    }

    // Holds: 9000-13.2.1-2
    @Test("Initial and Handshake packets at once (RFC 9000 section 13.2.1)")
    func handshakeAtOnce() {
        for space in [PacketNumberSpace.initial, .handshake] {
            var received = ReceivedPackets(space: space)
            received.receive(0)
            #expect(received.shouldAckNow(.zero))
        }
    }

    // Holds: 9000-13.2.1-1, 9000-13.2.1-2
    @Test("Every second packet, and a single one within max_ack_delay (RFC 9000 sections 13.2.1 and 13.2.2)")
    func everySecond() throws {
        var received = application()
        received.receive(0, at: at(ms: 3))
        #expect(!received.shouldAckNow(at(ms: 3)))
        #expect(received.ackDeadline == at(ms: 28))
        #expect(received.shouldAckNow(at(ms: 28)))
        received.receive(1, at: at(ms: 5))
        #expect(received.shouldAckNow(at(ms: 5)))
        _ = try received.acknowledgment(at: at(ms: 5))
        #expect(!received.shouldAckNow(at(ms: 1000)))
        #expect(received.ackDeadline == nil)
    }

    // Holds: 9000-13.2.1-3
    @Test(
        "One answer and no more, whatever is received again (RFC 9000 section 13.2.1)",
        arguments: PacketNumberSpace.allCases)
    func oneAnswer(space: PacketNumberSpace) throws {
        var received = ReceivedPackets(space: space)
        received.receive(0, at: at(ms: 1))
        #expect(received.shouldAckNow(at(ms: 26)))
        _ = try received.acknowledgment(at: at(ms: 26))
        #expect(!received.hasAckToSend)
        received.receive(0, at: at(ms: 27))
        received.receive(1, at: at(ms: 28), eliciting: false)
        #expect(!received.shouldAckNow(at(ms: 10_000)))
        #expect(received.ackDeadline == nil)
    }

    // Holds: 9000-13.2.1-4
    @Test("Never in answer to packets that elicit no acknowledgment (RFC 9000 section 13.2.1)")
    func noLoop() {
        var received = application()
        for number in UInt64(0)..<50 { received.receive(number * 2, eliciting: false) }
        #expect(!received.hasAckToSend)
        #expect(!received.shouldAckNow(at(ms: 10_000)))
        #expect(received.ackDeadline == nil)
    }

    @Test(
        "At once when a packet comes late or leaves a gap, once for each gap (RFC 9000 section 13.2.1)"
    )
    func outOfOrder() throws {
        var received = application()
        received.receive(0)
        _ = try received.acknowledgment()
        received.receive(2)
        #expect(received.shouldAckNow(.zero))
        _ = try received.acknowledgment()
        received.receive(3)
        #expect(!received.shouldAckNow(.zero))
        received.receive(1)
        #expect(received.shouldAckNow(.zero))
    }

    @Test("Packets that elicit nothing fill gaps (RFC 9000 section 13.2.1)")
    func filledGap() throws {
        var received = application()
        received.receive(0)
        _ = try received.acknowledgment()
        received.receive(1, eliciting: false)
        received.receive(2)
        #expect(!received.shouldAckNow(.zero))
    }

    @Test("At once when marked by congestion (RFC 9000 section 13.2.1)")
    func congestionMark() {
        var received = application()
        received.receive(0, ecn: .congestionExperienced)
        #expect(received.shouldAckNow(.zero))
    }

    @Test(
        "A large flow is acknowledged every ten packets or quarter of a round trip (RFC 9000 section 13.2.2)")
    func largeFlow() throws {
        var received = application()
        for number in UInt64(0)...100 {
            received.receive(number)
            if received.shouldAckNow(.zero) { _ = try received.acknowledgment() }
        }
        _ = try received.acknowledgment()
        for number in UInt64(101)...109 { received.receive(number, at: at(ms: 50)) }
        #expect(!received.shouldAckNow(at(ms: 50)))
        #expect(received.ackDeadline == at(ms: 60))
        received.receive(110, at: at(ms: 51))
        #expect(received.shouldAckNow(at(ms: 51)))
        received.receive(112, at: at(ms: 52))
        #expect(received.shouldAckNow(at(ms: 52)))
    }

    @Test("The quarter is at least the timer's granularity and at most max_ack_delay")
    func quarterOfRoundTrip() {
        let policy = AckPolicy()
        #expect(policy.delay(received: 100, rtt: ms(40)) == ms(25))
        #expect(policy.delay(received: 101, rtt: ms(40)) == ms(10))
        #expect(policy.delay(received: 101, rtt: .microseconds(200)) == ms(1))
        #expect(policy.delay(received: 101, rtt: ms(400)) == ms(25))
    }

    @Test("At once on a new path, so that the peer soon learns its round trip (RFC 9002 section 5.3)")
    func newPath() throws {
        var received = application()
        received.receive(0)
        #expect(!received.shouldAckNow(.zero))
        received.onNewPath()
        #expect(received.shouldAckNow(.zero))
        _ = try received.acknowledgment()
        for number in UInt64(1)...8 {
            received.receive(number)
            #expect(received.shouldAckNow(.zero))
            _ = try received.acknowledgment()
        }
        received.receive(9)
        #expect(!received.shouldAckNow(.zero))
    }

    @Test("The threshold can be set")
    func configuredThreshold() {
        var received = application(AckPolicy(packetThreshold: 4))
        for number in UInt64(0)..<3 { received.receive(number) }
        #expect(!received.shouldAckNow(.zero))
        received.receive(3)
        #expect(received.shouldAckNow(.zero))
    }

    // Holds: 9000-13.2.5-1
    @Test("A freeze moves the deadline and is no delay of ours")
    func freeze() throws {
        var received = application()
        received.receive(0, at: at(ms: 0))
        received.shift(by: ms(60_000))
        #expect(received.ackDeadline == at(ms: 60_025))
        let frame = try received.acknowledgment(at: at(ms: 60_008))
        #expect(frame?.delay == ms(8))
    }
}

@Suite("What to acknowledge (RFC 9000 section 13.2.3)")
struct AckContentTests {
    @Test("Nothing before anything came")
    func nothing() throws {
        var received = ReceivedPackets(space: .application)
        let frame = try received.acknowledgment()
        #expect(frame == nil)
        #expect(received.largest == nil)
    }

    // Holds: 9000-13.2.5-1
    @Test("Ranges newest first, with the delay since the largest came (RFC 9000 sections 13.2.5 and 19.3)")
    func ranges() throws {
        var received = ReceivedPackets(space: .application)
        for number: UInt64 in [0, 1, 2, 5, 6] { received.receive(number, at: at(ms: 1)) }
        received.receive(9, at: at(ms: 2))
        received.receive(4, at: at(ms: 9))
        let frame = try #require(try received.acknowledgment(at: at(ms: 10)))
        #expect(frame.largest == 9)
        #expect(
            frame.ranges == [
                AckRange(smallest: 9, largest: 9), AckRange(smallest: 4, largest: 6),
                AckRange(smallest: 0, largest: 2),
            ])
        #expect(frame.delay == ms(8))
        #expect(frame.ecn == nil)
    }

    // Holds: 9000-12.3-4
    @Test("Duplicates are recognised and change nothing (RFC 9000 section 12.3)")
    func duplicates() throws {
        var received = ReceivedPackets(space: .application)
        #expect(!received.isDuplicate(7))
        let isNew = received.receive(7, ecn: .ect0)
        #expect(isNew)
        #expect(received.isDuplicate(7))
        let isNewAgain = received.receive(7, ecn: .ect0)
        #expect(!isNewAgain)
        #expect(!received.isDuplicate(6))
        #expect(!received.isDuplicate(8))
        #expect(received.ecn.ect0 == 1)
        #expect(!received.shouldAckNow(.zero))
    }

    // Holds: 9000-12.3-4, 9000-13.2.3-1, 9000-13.2.3-2
    @Test(
        "64 ranges are kept; what lies below the dropped ones counts as duplicate (RFC 9000 section 13.2.3)")
    func boundedRanges() throws {
        var received = ReceivedPackets(space: .application)
        for number in UInt64(0)..<1000 { received.receive(number * 2) }
        let frame = try #require(try received.acknowledgment())
        #expect(frame.ranges.count == ReceivedPackets.maximumRanges)
        #expect(frame.ranges.last == AckRange(smallest: 1872, largest: 1872))
        #expect(received.isDuplicate(1))
        #expect(received.isDuplicate(1870))
        #expect(!received.isDuplicate(1871))
        let isNew = received.receive(5)
        #expect(!isNew)
        #expect(received.largest == 1998)
    }

    @Test("As many ranges as fit, and none if not even the newest does (RFC 9000 section 13.2.3)")
    func littleRoom() throws {
        var received = ReceivedPackets(space: .application)
        for number in UInt64(0)..<60 { received.receive(number * 2) }
        let noFrame = try received.acknowledgment(space: 5)
        #expect(noFrame == nil)
        #expect(received.hasAckToSend)
        let frame = try #require(try received.acknowledgment(space: 12))
        #expect(frame.ranges.count == 4)
        #expect(frame.ranges[3] == AckRange(smallest: 112, largest: 112))
    }

    @Test("What the peer knows of is not repeated, and late packets are reported (RFC 9000 section 13.2.4)")
    func acknowledgedAcks() throws {
        var received = ReceivedPackets(space: .application)
        for number: UInt64 in [0, 1, 4, 5, 8, 12] { received.receive(number) }
        received.onAckAcknowledged(8)
        let short = try received.acknowledgment()
        #expect(short?.ranges == [AckRange(smallest: 12, largest: 12)])
        #expect(received.isDuplicate(4))
        #expect(!received.isDuplicate(6))
        received.receive(6)
        let long = try received.acknowledgment()
        #expect(
            long?.ranges == [
                AckRange(smallest: 12, largest: 12), AckRange(smallest: 8, largest: 8),
                AckRange(smallest: 4, largest: 6),
            ])
    }

    @Test("Many ranges ask for an answer once for a round trip (RFC 9000 section 13.2.4)")
    func elicitation() {
        var received = ReceivedPackets(space: .application)
        for number in UInt64(0)..<7 { received.receive(number * 2) }
        #expect(!elicits(&received, 0))
        received.receive(14)
        #expect(elicits(&received, 1))
        #expect(!elicits(&received, 40))
        #expect(elicits(&received, 41))
        received.onAckAcknowledged(2)
        #expect(!elicits(&received, 100))
    }

    private func elicits(_ received: inout ReceivedPackets, _ milliseconds: Int64) -> Bool {
        received.shouldElicitAck(now: at(ms: milliseconds), rtt: ms(40))
    }

    // Holds: 9000-13.4.1-1
    @Test("Marks are counted per packet and reported with every frame (RFC 9000 section 13.4.1)")
    func marks() throws {
        var received = ReceivedPackets(space: .application)
        let marks: [ECNCodepoint] = [.ect0, .ect0, .ect1, .congestionExperienced, .notECT]
        for (number, mark) in marks.enumerated() { received.receive(UInt64(number), ecn: mark) }
        let counts = ECNCounts(ect0: 2, ect1: 1, congestionExperienced: 1)
        let first = try received.acknowledgment()
        #expect(first?.ecn == counts)
        received.receive(9)
        let second = try received.acknowledgment()
        #expect(second?.ecn == counts)
    }

    @Test("The largest number there is does no harm")
    func largestNumber() throws {
        var received = ReceivedPackets(space: .application)
        received.receive(VariableLengthInteger.max)
        received.receive(0)
        let frame = try #require(try received.acknowledgment())
        #expect(frame.largest == VariableLengthInteger.max)
        #expect(frame.ranges.count == 2)
        received.onAckAcknowledged(VariableLengthInteger.max)
        let rest = try received.acknowledgment()
        #expect(rest?.ranges.count == 1)
    }

    @Test("A long delay is reported as it is, in the declared unit (RFC 9000 section 13.2.5)")
    func longDelay() throws {
        var received = ReceivedPackets(space: .application)
        received.receive(0, at: at(ms: 0))
        let late = try received.acknowledgment(at: at(ms: 500), exponent: 0)
        #expect(late?.delay == ms(500))
        received.receive(1, at: at(ms: 100))
        let early = try received.acknowledgment(at: at(ms: 90), exponent: 3)
        #expect(early?.delay == .zero)
    }
}
