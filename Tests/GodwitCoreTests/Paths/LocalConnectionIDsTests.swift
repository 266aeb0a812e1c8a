import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Connection ids that we issue (RFC 9000 section 5.1.1)")
struct LocalConnectionIDsTests {
    private func made(limit: UInt64 = 4, originalDestination: ConnectionID? = nil) -> LocalConnectionIDs {
        var ids = LocalConnectionIDs(
            initial: Sample.id(0), resetToken: Sample.token(0), originalDestination: originalDestination)
        ids.setPeerLimit(limit)
        return ids
    }

    private func issueAll(_ ids: inout LocalConnectionIDs, from first: UInt64, at now: Instant = .zero) -> Int
    {
        let count = ids.needed(at: now)
        for number in 0..<count {
            ids.issue(Sample.id(first + UInt64(number)), resetToken: Sample.token(first), at: now)
        }
        return count
    }

    private func send(_ ids: inout LocalConnectionIDs) -> [NewConnectionIDFrame] {
        var frames: [NewConnectionIDFrame] = []
        while let frame = ids.frameToSend {
            ids.onFrameSent(sequenceNumber: frame.sequenceNumber)
            frames.append(frame)
        }
        return frames
    }

    private func actions(_ ids: inout LocalConnectionIDs) -> [LocalConnectionIDAction] {
        var result: [LocalConnectionIDAction] = []
        while let action = ids.nextAction() { result.append(action) }
        return result
    }

    private func retire(_ ids: inout LocalConnectionIDs, _ number: UInt64, at now: Instant = .zero) throws {
        try ids.receiveRetirement(
            of: number, destination: Sample.id(9999), at: now, grace: .milliseconds(300))
    }

    // Holds: 9000-5.1.1-1, 9000-5.1.1-3
    @Test("The peer gets as many ids as it allows, numbered in steps of one (RFC 9000 section 5.1.1)")
    func fillsThePeersLimit() {
        var ids = made(limit: 4)
        #expect(issueAll(&ids, from: 1) == 3)
        #expect(ids.needed(at: .zero) == 0)
        #expect(ids.issue(Sample.id(77), resetToken: Sample.token(77), at: .zero) == false)
        #expect(send(&ids).map(\.sequenceNumber) == [1, 2, 3])
        #expect(actions(&ids) == [0, 1, 2, 3].map { .register(Sample.id($0)) })
    }

    @Test("However many the peer would take, ours are bounded (RFC 9000 section 5.1.1)")
    func ownMaximum() {
        var ids = made(limit: UInt64.max >> 2)
        #expect(ids.needed(at: .zero) == 7)
        ids.setPeerLimit(0)
        #expect(ids.needed(at: .zero) == 1)
    }

    // Holds: 9000-5.1-2
    @Test("No id is issued twice (RFC 9000 section 5.1)")
    func neverTwice() {
        var ids = made(originalDestination: Sample.id(50))
        #expect(ids.issue(Sample.id(0), resetToken: Sample.token(1), at: .zero) == false)
        #expect(ids.issue(Sample.id(50), resetToken: Sample.token(1), at: .zero) == false)
        #expect(ids.issue(Sample.id(1), resetToken: Sample.token(1), at: .zero) == true)
        #expect(ids.issue(Sample.id(1), resetToken: Sample.token(1), at: .zero) == false)
    }

    @Test("A lost frame is sent again, an acknowledged one never (RFC 9000 section 13.3)")
    func retransmission() {
        var ids = made()
        _ = issueAll(&ids, from: 1)
        _ = send(&ids)
        #expect(!ids.hasFrameToSend)
        ids.onFrameLost(sequenceNumber: 2)
        #expect(ids.hasFrameToSend)
        #expect(send(&ids).map(\.sequenceNumber) == [2])
        ids.onFrameAcknowledged(sequenceNumber: 2)
        ids.onFrameLost(sequenceNumber: 2)
        #expect(!ids.hasFrameToSend)
    }

    // Holds: 9000-5.1.1-2
    @Test(
        "A retired id is replaced, and leads here until delayed packets are through (RFC 9000 section 5.1.2)")
    func retirement() throws {
        var ids = made()
        _ = issueAll(&ids, from: 1)
        _ = (send(&ids), actions(&ids))
        try retire(&ids, 0, at: .ms(10))
        #expect(ids.needed(at: .ms(10)) == 1)
        #expect(ids.live.contains(Sample.id(0)))
        #expect(ids.sequenceNumber(of: Sample.id(0)) == nil)
        #expect(ids.deadline == .ms(310))
        ids.onTimeout(at: .ms(309))
        #expect(actions(&ids).isEmpty)
        ids.onTimeout(at: .ms(310))
        #expect(actions(&ids) == [.forget(Sample.id(0))])
        #expect(ids.deadline == nil)
        try retire(&ids, 0, at: .ms(400))
        #expect(ids.needed(at: .ms(400)) == 1)
    }

    // Holds: 9000-19.16-1
    @Test("Retiring a number that was never sent is a PROTOCOL_VIOLATION (RFC 9000 section 19.16)")
    func retiringTheUnknown() {
        var ids = made()
        #expect(throws: TransportError.self) { try retire(&ids, 1) }
        _ = issueAll(&ids, from: 1)
        let error = #expect(throws: TransportError.self) { try retire(&ids, 1) }
        #expect(error?.code == .protocolViolation)
        #expect(error?.frameType == FrameType.retireConnectionID)
        #expect(throws: TransportError.self) { try retire(&ids, .max) }
        _ = send(&ids)
        #expect(throws: Never.self) { try retire(&ids, 1) }
    }

    @Test("Retiring the id of its own packet is a PROTOCOL_VIOLATION (RFC 9000 section 19.16)")
    func retiringItself() {
        var ids = made()
        _ = issueAll(&ids, from: 1)
        _ = send(&ids)
        let error = #expect(throws: TransportError.self) {
            try ids.receiveRetirement(of: 2, destination: Sample.id(2), at: .zero, grace: .zero)
        }
        #expect(error?.code == .protocolViolation)
    }

    // Holds: 9000-19.15-2, 9000-19.16-3
    @Test("Whoever has an empty id issues none and can't be asked to retire one (RFC 9000 section 19.16)")
    func zeroLength() {
        var ids = LocalConnectionIDs(initial: .empty)
        ids.setPeerLimit(8)
        #expect(ids.needed(at: .zero) == 0)
        #expect(ids.live.isEmpty)
        #expect(actions(&ids).isEmpty)
        let error = #expect(throws: TransportError.self) {
            try ids.receiveRetirement(of: 0, destination: .empty, at: .zero, grace: .zero)
        }
        #expect(error?.code == .protocolViolation)
    }

    @Test("The id of the preferred address is number 1 and needs no frame (RFC 9000 section 5.1.1)")
    func preferredAddress() throws {
        var ids = made(limit: 3)
        ids.issuePreferredAddressID(Sample.id(100), resetToken: Sample.token(100))
        #expect(ids.sequenceNumber(of: Sample.id(100)) == 1)
        #expect(!ids.hasFrameToSend)
        #expect(issueAll(&ids, from: 2) == 1)
        #expect(send(&ids).map(\.sequenceNumber) == [2])
        #expect(throws: Never.self) { try retire(&ids, 1) }
    }

    @Test("The client's own choice of our id goes when the handshake is over (RFC 9000 section 7.2)")
    func originalDestination() {
        var ids = made(originalDestination: Sample.id(55))
        _ = actions(&ids)
        ids.retireOriginalDestination(at: .zero, grace: .milliseconds(100))
        ids.retireOriginalDestination(at: .zero, grace: .milliseconds(100))
        #expect(!ids.live.contains(Sample.id(55)))
        ids.onTimeout(at: .ms(100))
        #expect(actions(&ids) == [.forgetOriginal(Sample.id(55))])
    }

    // Holds: 9000-19.15-5
    @Test("All ids can be called back: new ones ask for the old to be retired (RFC 9000 section 5.1.2)")
    func callingBack() throws {
        var ids = made(limit: 3)
        _ = issueAll(&ids, from: 1)
        _ = send(&ids)
        ids.retireAllIssued()
        #expect(ids.retirePriorTo == 3)
        #expect(issueAll(&ids, from: 10) == 3)
        let frames = send(&ids)
        #expect(frames.map(\.sequenceNumber) == [3, 4, 5])
        #expect(frames.allSatisfy { $0.retirePriorTo == 3 })
        // A frame of before that was lost asks for no more than it did, so never for more than its own number
        // (RFC 9000 section 19.15).
        ids.onFrameLost(sequenceNumber: 1)
        #expect(ids.frameToSend?.retirePriorTo == 0)
        // Section 5.1.2: no further raise before the peer has done its part.
        ids.retireAllIssued()
        #expect(ids.retirePriorTo == 3)
        for number: UInt64 in 0...2 { try retire(&ids, number) }
        #expect(ids.retirePriorTo == 6)
    }

    @Test("A peer that may have run out is offered one more for the oldest (sections 5.1.1 and 9.5)")
    func offeredReplacement() throws {
        var ids = made(limit: 3)
        ids.offerReplacement()
        #expect(ids.retirePriorTo == 0)
        _ = issueAll(&ids, from: 1)
        _ = send(&ids)
        for count in UInt64(1)...10 {
            ids.offerReplacement()
            _ = issueAll(&ids, from: 10 + count)
            #expect(ids.retirePriorTo == min(count, 6))
            #expect(ids.live.count <= 9)
        }
        let frames = send(&ids)
        // What was sent before was never acknowledged, so it goes out once more.
        #expect(frames.map(\.sequenceNumber) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(frames.map(\.retirePriorTo) == [0, 0, 1, 2, 3, 4, 5, 6])
        try retire(&ids, 0)
        ids.offerReplacement()
        #expect(ids.retirePriorTo == 7)
    }

    // Holds: 9000-5.1.1-3, 9000-19.15-5
    @Test(
        "Offered, called back, lost and reordered: a strict peer is never given too many (section 5.1.1)",
        arguments: 0..<8 as Range<UInt64>)
    func neverTooMany(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let limit = 2 + Int(seed % 4)
        var ids = made(limit: UInt64(limit))
        var peer = RemoteConnectionIDs(handshakeID: Sample.id(0), limit: limit)
        var frames: [NewConnectionIDFrame] = []
        var issued: UInt64 = 1
        for step in Int64(0)..<400 {
            let now = Instant.ms(step * 25)
            if generator.chance(10) { ids.offerReplacement() }
            if generator.chance(10) { ids.retireAllIssued() }
            if generator.chance(30), let number = peer.retirementToSend {
                peer.onRetirementAcknowledged(sequenceNumber: number)
                try retire(&ids, number, at: now)
            }
            issued += UInt64(issueAll(&ids, from: issued, at: now))
            frames += send(&ids)
            guard let index = frames.indices.randomElement(using: &generator) else { continue }
            let frame = frames.remove(at: index)
            if generator.chance(20) {
                ids.onFrameLost(sequenceNumber: frame.sequenceNumber)
            } else {
                try peer.receive(frame)
                ids.onFrameAcknowledged(sequenceNumber: frame.sequenceNumber)
            }
        }
        #expect(issued > 50)
        #expect(peer.retirePriorTo > 20)
    }

    @Test("A peer that retires in a loop gets no more than the rate allows (RFC 9000 section 5.1.1)")
    func boundedRate() throws {
        var ids = made(limit: 8)
        var issued: UInt64 = 1
        for step in 0..<1000 {
            let now = Instant.ms(Int64(step))
            issued += UInt64(issueAll(&ids, from: issued, at: now))
            for frame in send(&ids) { try retire(&ids, frame.sequenceNumber, at: now) }
            #expect(ids.live.count <= 8 + 16)
        }
        // 64 at once, then one in 25 ms.
        #expect(issued <= 1 + 64 + 40)
        #expect(issued > 100)
        #expect(actions(&ids).count <= 2 * Int(issued))
    }

    @Test("At the end every id is forgotten, the retired ones too")
    func forgettingAll() throws {
        var ids = made(limit: 3, originalDestination: Sample.id(55))
        _ = issueAll(&ids, from: 1)
        _ = (send(&ids), actions(&ids))
        try retire(&ids, 0)
        ids.forgetAll()
        let expected: [LocalConnectionIDAction] = [
            .forget(Sample.id(1)), .forget(Sample.id(2)), .forget(Sample.id(0)),
            .forgetOriginal(Sample.id(55)),
        ]
        #expect(actions(&ids) == expected)
        #expect(ids.live.isEmpty)
    }

    @Test("A freeze puts off when retired ids are forgotten")
    func freeze() throws {
        var ids = made()
        _ = issueAll(&ids, from: 1)
        _ = send(&ids)
        try retire(&ids, 1, at: .zero)
        ids.resume(shiftedBy: .seconds(60))
        #expect(ids.deadline == .ms(60300))
    }
}
