import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("1-RTT keys and their phases")
struct OneRTTKeysTests {
    // Holds: 9001-5.5-1
    @Test(
        "With newer keys in use, older ones open nothing that has a higher number (RFC 9001 section 5.5)")
    func higherNumbers() throws {
        var ends = KeyedEnds()
        let old = ends.sender
        #expect(try ends.receiver.opens(old.sealed(0)))
        ends.sender.initiateUpdate()
        #expect(try ends.receiver.opens(ends.sender.sealed(5)))
        let state = try ends.receiver.stateBytes
        for number in [6, 7, 100] as [UInt64] { #expect(try !ends.receiver.opens(old.sealed(number))) }
        #expect(try ends.receiver.stateBytes == state)
        // The same keys, the next ones, and for lower numbers the ones before.
        #expect(try ends.receiver.opens(ends.sender.sealed(6)))
        #expect(try ends.receiver.opens(old.sealed(4)))
        ends.receiver.onSealed(0)
        ends.sender.initiateUpdate()
        #expect(try ends.receiver.opens(ends.sender.sealed(7)))
    }

    // Holds: 9001-5.5-2
    @Test("What only looks like a key update changes nothing (RFC 9001 section 5.5)")
    func apparentUpdate() throws {
        var ends = KeyedEnds()
        #expect(try ends.receiver.opens(ends.sender.sealed(0)))
        let state = try ends.receiver.stateBytes
        for number in 0..<50 as Range<UInt64> {
            var packet = ends.sender.sealed(number)
            packet.phase.toggle()
            #expect(try !ends.receiver.opens(packet))
        }
        #expect(try ends.receiver.stateBytes == state)
        #expect(try ends.receiver.opens(ends.sender.sealed(1)))
        ends.sender.initiateUpdate()
        #expect(try ends.receiver.opens(ends.sender.sealed(2)))
    }

    // Holds: 9001-6.3-2
    @Test("The keys of this phase and of the next are held at a time (RFC 9001 section 6.3)")
    func twoPhases() throws {
        var ends = KeyedEnds()
        for round in 0..<5 as Range<UInt64> {
            let (now, first) = (ends.sender, round * 100)
            ends.sender.initiateUpdate()
            // Neither opens in the way of the other.
            #expect(try ends.receiver.opens(now.sealed(first)))
            var next = ends.receiver
            #expect(try next.opens(ends.sender.sealed(first + 50)))
            #expect(try ends.receiver.opens(now.sealed(first + 1)))
            #expect(try ends.receiver.opens(ends.sender.sealed(first + 51)))
            #expect(try ends.receiver.opens(now.sealed(first + 2)))
            ends.receiver.onSealed(round)
        }
    }

    // Holds: 9001-6.3-1
    @Test(
        "A packet is tried once whatever its key phase bit says, keys dropped or not (RFC 9001 section 6.3)",
        arguments: [0, 1, 2])
    func oneAttempt(updates: Int) throws {
        var ends = KeyedEnds()
        #expect(try ends.receiver.opens(ends.sender.sealed(20)))
        if updates > 0 {
            ends.sender.initiateUpdate()
            #expect(try ends.receiver.opens(ends.sender.sealed(40)))
        }
        // The second time with the keys before dropped.
        if updates > 1 { ends.receiver.dropPrevious() }
        for number in [0, 19, 21, 39, 41, 1000] as [UInt64] {
            for phase in [false, true] {
                var packet = ends.sender.sealed(number)
                (packet.phase, packet.payload[0]) = (phase, packet.payload[0] ^ 1)
                let state = try ends.receiver.stateBytes
                #expect(try !ends.receiver.open(&packet))
                // The AEAD has been there: it wipes out what is not genuine.
                #expect(packet.isWipedOut)
                #expect(try ends.receiver.stateBytes == state)
            }
        }
    }

    // Holds: 9001-6.3-1
    @Test("Which keys are tried follows from bit and number, and no others are (RFC 9001 section 6.3)")
    func noSecondAttempt() throws {
        var ends = KeyedEnds()
        let phases = (0..<3).map { _ in
            defer { ends.sender.initiateUpdate() }
            return ends.sender
        }
        #expect(try ends.receiver.opens(phases[0].sealed(10)))
        #expect(try ends.receiver.opens(phases[1].sealed(20)))
        // Three sets of keys are held. The bit of phase 1 asks for its own, the other one below 20 for those
        // of phase 0 and above for those of phase 2; all of these were sealed with others.
        let others: [(keys: Int, bit: Bool, number: UInt64)] = [
            (0, true, 15), (0, true, 30), (0, false, 30), (1, false, 15), (1, false, 30), (2, true, 15),
            (2, true, 30), (2, false, 15),
        ]
        for (keys, bit, number) in others {
            var packet = phases[keys].sealed(number)
            packet.phase = bit
            #expect(try !ends.receiver.opens(packet))
        }
    }

    // Holds: 9001-6.4-2
    @Test(
        "Newer keys on a lower number than older ones were used for are an error (RFC 9001 section 6.4)")
    func olderKeysOnHigherNumber() throws {
        var ends = KeyedEnds()
        let old = ends.sender
        #expect(try ends.receiver.opens(old.sealed(10)))
        ends.sender.initiateUpdate()
        var (above, below) = (ends.receiver, ends.receiver)
        #expect(try above.opens(ends.sender.sealed(11)))
        expectKeyUpdateError(&below, ends.sender.sealed(9))
        // Not the first packet under the new keys, but one after it.
        #expect(try above.opens(old.sealed(8)))
        expectKeyUpdateError(&above, ends.sender.sealed(9))
    }

    // Holds: 9001-6.4-2
    @Test("That holds too while an update of our own is not answered yet (RFC 9001 section 6.4)")
    func olderKeysInAnswer() throws {
        var ends = KeyedEnds()
        let old = ends.sender
        #expect(try ends.receiver.opens(old.sealed(5)))
        ends.receiver.initiateUpdate()
        #expect(try ends.receiver.opens(old.sealed(10)))
        ends.sender.initiateUpdate()
        var other = ends.receiver
        expectKeyUpdateError(&other, ends.sender.sealed(7))
        #expect(try ends.receiver.opens(ends.sender.sealed(11)))
    }

    // Holds: 9001-6.4-2
    @Test("And for as long as the connection lasts (RFC 9001 section 6.4)")
    func olderKeysLongAgo() throws {
        var ends = KeyedEnds()
        #expect(try ends.receiver.opens(ends.sender.sealed(10)))
        ends.sender.initiateUpdate()
        #expect(try ends.receiver.opens(ends.sender.sealed(20)))
        ends.receiver.dropPrevious()
        ends.receiver.onSealed(0)
        ends.receiver = OneRTTKeys(state: ends.receiver.state)
        ends.sender.initiateUpdate()
        for number in [19, 9] as [UInt64] {
            var other = ends.receiver
            expectKeyUpdateError(&other, ends.sender.sealed(number))
        }
        #expect(try ends.receiver.opens(ends.sender.sealed(21)))
    }

    private func expectKeyUpdateError(
        _ keys: inout OneRTTKeys, _ packet: SealedPayload, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do throws(TransportError) {
            let isOpened = try keys.opens(packet)
            Issue.record("opened: \(isOpened)", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == .keyUpdateError, sourceLocation: sourceLocation)
        }
    }
}
