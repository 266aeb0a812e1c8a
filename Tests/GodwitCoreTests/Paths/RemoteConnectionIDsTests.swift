import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Connection ids that the peer issues (RFC 9000 section 5.1.2)")
struct RemoteConnectionIDsTests {
    private func made(limit: Int = 4, received: UInt64 = 0, tolerant: Bool = false) throws
        -> RemoteConnectionIDs
    {
        var ids = RemoteConnectionIDs(
            handshakeID: Sample.id(1000), limit: limit, toleratesRepeatedZero: tolerant)
        _ = ids.takeHandshakeID()
        if received > 0 { for number in 1...received { try ids.receive(Sample.frame(number)) } }
        return ids
    }

    private func code(_ body: () throws -> Void) -> TransportErrorCode? {
        do {
            try body()
            return nil
        } catch {
            return (error as? TransportError)?.code
        }
    }

    private func retirements(_ ids: inout RemoteConnectionIDs) -> [UInt64] {
        var result: [UInt64] = []
        while let number = ids.retirementToSend {
            ids.onRetirementSent(sequenceNumber: number)
            result.append(number)
        }
        return result
    }

    @Test("Ids are given out once each, lowest number first, until none is left (RFC 9000 section 9.5)")
    func takenOnce() throws {
        var ids = try made(received: 2)
        #expect(ids.availableCount == 2)
        #expect(ids.take() == Sample.id(1001))
        #expect(ids.take() == Sample.id(1002))
        #expect(ids.take() == nil)
    }

    // Holds: 9000-19.15-4
    @Test("The same frame again is no error (RFC 9000 section 19.15)")
    func repeatedFrame() throws {
        var ids = try made(received: 3)
        try ids.receive(Sample.frame(2))
        #expect(ids.activeCount == 4)
    }

    // Holds: 9000-5.1.1-4
    @Test("More ids than we allow close with CONNECTION_ID_LIMIT_ERROR (RFC 9000 section 5.1.1)")
    func limit() throws {
        var ids = try made(limit: 4, received: 3)
        #expect(code { try ids.receive(Sample.frame(4)) } == .connectionIDLimitError)
        // But not when the frame makes room itself.
        ids = try made(limit: 4, received: 3)
        #expect(code { try ids.receive(Sample.frame(4, retirePriorTo: 1)) } == nil)
    }

    @Test(
        "One id with two numbers, two ids with one number, or two tokens: PROTOCOL_VIOLATION (section 19.15)")
    func contradictions() throws {
        var ids = try made(received: 2)
        #expect(code { try ids.receive(Sample.frame(3, id: 1002)) } == .protocolViolation)
        ids = try made(received: 2)
        #expect(code { try ids.receive(Sample.frame(2, id: 77)) } == .protocolViolation)
        ids = try made(received: 2)
        var frame = Sample.frame(2)
        frame.resetToken = Sample.token(4711)
        #expect(code { try ids.receive(frame) } == .protocolViolation)
        ids = try made(received: 2)
        #expect(code { try ids.receive(Sample.frame(0, id: 5)) } == .protocolViolation)
    }

    @Test("A Retire Prior To above its own number is a FRAME_ENCODING_ERROR (RFC 9000 section 19.15)")
    func retirePriorToTooLarge() throws {
        var ids = try made()
        #expect(code { try ids.receive(Sample.frame(2, retirePriorTo: 3)) } == .frameEncodingError)
    }

    // Holds: 9000-5.1.2-1, 9000-19.15-7
    @Test("A raised Retire Prior To takes ids out of use and retires them before the new one (section 5.1.2)")
    func forcedRetirement() throws {
        var ids = try made(limit: 3, received: 2)
        let taken = ids.take()!
        try ids.receive(Sample.frame(3, retirePriorTo: 3))
        #expect(!ids.contains(taken) && !ids.contains(Sample.id(1000)))
        #expect(retirements(&ids) == [0, 1, 2])
        #expect(ids.take() == Sample.id(1003))
        // A smaller value later has no effect (section 19.15).
        try ids.receive(Sample.frame(4, retirePriorTo: 1))
        #expect(ids.retirePriorTo == 3)
        #expect(ids.activeCount == 2)
    }

    // Holds: 9000-19.15-8
    @Test("An id that arrives after it was to be retired is retired at once, and once (section 19.15)")
    func overtaken() throws {
        var ids = try made(limit: 4, received: 1)
        try ids.receive(Sample.frame(5, retirePriorTo: 4))
        #expect(retirements(&ids) == [0, 1])
        try ids.receive(Sample.frame(3))
        #expect(retirements(&ids) == [3])
        try ids.receive(Sample.frame(3))
        #expect(retirements(&ids).isEmpty)
        #expect(!ids.contains(Sample.id(1003)))
    }

    // Holds: 9000-5.1.2-2
    @Test("An id is dropped only by a RETIRE_CONNECTION_ID frame, sent until acknowledged (section 5.1.2)")
    func releasing() throws {
        var ids = try made(received: 2)
        let id = ids.take()!
        ids.onUse(of: id, to: Sample.server)
        ids.release(id)
        #expect(!ids.contains(id))
        #expect(retirements(&ids) == [1])
        ids.onRetirementLost(sequenceNumber: 1)
        #expect(retirements(&ids) == [1])
        ids.onRetirementAcknowledged(sequenceNumber: 1)
        ids.onRetirementLost(sequenceNumber: 1)
        #expect(ids.retirementToSend == nil)
        try ids.receive(Sample.frame(1))
        #expect(!ids.contains(id))
    }

    @Test("An id that was taken and never sent with goes back to the pool (RFC 9000 section 9.5)")
    func unusedGoesBack() throws {
        var ids = try made(received: 1)
        let id = ids.take()!
        ids.release(id)
        #expect(ids.retirementToSend == nil)
        #expect(ids.take() == id)
    }

    @Test("Retirements pile up to a bound, and a peer that goes on is closed (section 5.1.2)")
    func boundedRetirements() throws {
        var ids = try made(limit: 2)
        for number: UInt64 in 1...3 {
            try ids.receive(Sample.frame(number))
            let id = ids.take()!
            ids.onUse(of: id, to: Sample.server)
            ids.release(id)
        }
        try ids.receive(Sample.frame(4, retirePriorTo: 4))
        #expect(ids.take() == nil)
        #expect(ids.take(isUrgent: true) == Sample.id(1004))
        var failure: TransportErrorCode?
        for number: UInt64 in 5...20 where failure == nil {
            failure = code { try ids.receive(Sample.frame(number, retirePriorTo: number)) }
        }
        #expect(failure == .connectionIDLimitError)
    }

    @Test("Numbers with gaps on purpose can't make us remember without end")
    func gaps() throws {
        var ids = try made(limit: 4)
        var failure: TransportErrorCode?
        var number: UInt64 = 2
        while failure == nil, number < 1000 {
            failure = code { try ids.receive(Sample.frame(number, retirePriorTo: number)) }
            while let retired = ids.retirementToSend { ids.onRetirementAcknowledged(sequenceNumber: retired) }
            number += 2
        }
        #expect(failure == .connectionIDLimitError)
        #expect(number < 50)
    }

    @Test("The largest numbers there are cause no trouble")
    func largestNumbers() throws {
        var ids = try made()
        let largest = VariableLengthInteger.max
        try ids.receive(Sample.frame(largest, retirePriorTo: largest))
        #expect(retirements(&ids) == [0])
        #expect(ids.take() == Sample.id(1000 + largest))
    }

    // Holds: 9000-19.15-3
    @Test("A peer that wants no id must not issue any (RFC 9000 section 19.15)")
    func zeroLength() throws {
        var ids = RemoteConnectionIDs(handshakeID: .empty)
        #expect(ids.isZeroLength)
        #expect(ids.take() == .empty && ids.take() == .empty)
        ids.release(.empty)
        #expect(ids.contains(.empty))
        #expect(ids.retirementToSend == nil)
        #expect(code { try ids.receive(Sample.frame(1)) } == .protocolViolation)
        #expect(
            code { try ids.addPreferredAddressID(Sample.id(1), resetToken: Sample.token(1)) }
                == .transportParameterError)
    }

    @Test("A client learns the server's id from its first packet, even that there is none (section 7.2)")
    func handshakeID() {
        var ids = RemoteConnectionIDs(handshakeID: Sample.id(3))
        ids.replaceHandshakeID(Sample.id(4))
        #expect(ids.contains(Sample.id(4)) && !ids.contains(Sample.id(3)))
        ids.replaceHandshakeID(.empty)
        #expect(ids.isZeroLength)
    }

    @Test("The id of the preferred address has number 1 and counts (RFC 9000 section 18.2)")
    func preferredAddress() throws {
        var ids = try made(limit: 2)
        try ids.addPreferredAddressID(Sample.id(1001), resetToken: Sample.token(1001))
        #expect(ids.sequenceNumber(of: Sample.id(1001)) == 1)
        #expect(code { try ids.receive(Sample.frame(1)) } == nil)
        #expect(code { try ids.receive(Sample.frame(2)) } == .connectionIDLimitError)
    }

    @Test("A peer that begins its numbers at 0 again is put up with when the flag says so")
    func repeatedZero() throws {
        var ids = try made(tolerant: true)
        try ids.receive(Sample.frame(0, id: 1))
        try ids.receive(Sample.frame(0, id: 1))
        #expect(ids.activeCount == 2)
        let id = ids.take()!
        #expect(id == Sample.id(1))
        ids.onUse(of: id, to: Sample.server)
        ids.release(id)
        // Its frame would name the id of the handshake.
        #expect(ids.retirementToSend == nil)
        try ids.receive(Sample.frame(0, id: 1))
        #expect(!ids.contains(id))
    }

    @Test("Whatever frames come, what is kept stays within bounds", arguments: 1...20)
    func randomFrames(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var ids = try made(limit: 4, tolerant: seed % 2 == 0)
        var taken: [ConnectionID] = []
        for _ in 0..<300 {
            let number = random.next() % 40
            let frame = Sample.frame(
                number, retirePriorTo: min(number, random.next() % 40), id: random.chance(5) ? 7 : nil)
            if random.chance(60) {
                // An error closes the connection: nothing comes after it.
                if code({ try ids.receive(frame) }) != nil { break }
            } else if random.chance(50), let id = ids.take() {
                #expect(!taken.contains(id) && ids.contains(id))
                taken.append(id)
                ids.onUse(of: id, to: Sample.server)
            } else if let id = taken.randomElement(using: &random) {
                ids.release(id)
            } else if let number = ids.retirementToSend {
                ids.onRetirementAcknowledged(sequenceNumber: number)
            }
            #expect(ids.activeCount <= 4)
            #expect(retirements(&ids).count <= 16)
        }
    }

    // MARK: Stateless reset

    // Holds: 9000-10.3.1-2
    @Test("A reset counts for an id in use, from where it was used, and no longer than that (section 10.3.1)")
    func statelessReset() throws {
        var ids = try made(received: 2)
        let id = ids.take()!
        let token = Sample.token(1001)
        #expect(!ids.isStatelessReset(token, from: Sample.server))
        ids.onUse(of: id, to: Sample.server)
        #expect(ids.isStatelessReset(token, from: Sample.server))
        #expect(!ids.isStatelessReset(token, from: Sample.attacker))
        #expect(!ids.isStatelessReset(Sample.token(1002), from: Sample.server))
        ids.release(id)
        #expect(!ids.isStatelessReset(token, from: Sample.server))
    }

    @Test("The endpoint is told which tokens to look for: those of ids in use (section 10.3.1)")
    func tokenChanges() throws {
        var ids = try made(received: 1)
        ids.onUse(of: Sample.id(1000), to: Sample.server)
        #expect(ids.nextTokenChange() == nil)
        ids.setHandshakeResetToken(Sample.token(1000))
        #expect(ids.nextTokenChange() == .remember(Sample.token(1000)))
        let id = ids.take()!
        ids.onUse(of: id, to: Sample.server)
        ids.onUse(of: id, to: Sample.preferred)
        #expect(ids.nextTokenChange() == .remember(Sample.token(1001)))
        #expect(ids.nextTokenChange() == nil)
        ids.release(id)
        #expect(ids.nextTokenChange() == .forget(Sample.token(1001)))
        ids.forgetAllTokens()
        #expect(ids.nextTokenChange() == .forget(Sample.token(1000)))
        #expect(ids.nextTokenChange() == nil)
    }
}
