import GodwitWire
import Testing

@testable import Godwit

@Suite("The order in which addresses are tried (RFC 8305)")
struct AddressRaceTests {
    private static func addresses(_ texts: [String]) -> [NetworkAddress] {
        texts.map { NetworkAddress($0, port: 1)! }
    }

    @Test("The families take turns, the preferred one first (RFC 8305 section 4)")
    func interleaving() {
        let found = Self.addresses(["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"])
        let order = Self.addresses(["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"])
        #expect(AddressRace.interleave(found) == order)
        let other = Self.addresses(["192.0.2.2", "2001:db8::3", "192.0.2.1", "2001:db8::2", "2001:db8::1"])
        #expect(AddressRace.interleave(found.reversed()) == other)
    }

    @Test("An address that is named twice is tried once")
    func duplicates() {
        let found = Self.addresses(["192.0.2.1", "192.0.2.1", "192.0.2.2"])
        #expect(AddressRace.interleave(found) == Self.addresses(["192.0.2.1", "192.0.2.2"]))
        #expect(AddressRace.interleave([]) == [])
    }

    @Test("The next address is tried when the delay is over (RFC 8305 section 5)")
    func delays() {
        let (first, second) = (Self.addresses(["192.0.2.1"])[0], Self.addresses(["192.0.2.2"])[0])
        var race = AddressRace([first, second])
        #expect(race.begin() == .attempt(first, more: true))
        #expect(race.delayPassed() == .attempt(second, more: false))
        #expect(race.delayPassed() == .wait)
        #expect(race.attemptFailed() == .wait)
        #expect(race.attemptFailed() == .giveUp)
    }

    @Test("The next address does not wait when an attempt fails (RFC 8305 section 5)")
    func failures() {
        let (first, second) = (Self.addresses(["192.0.2.1"])[0], Self.addresses(["192.0.2.2"])[0])
        var race = AddressRace([first, second])
        #expect(race.begin() == .attempt(first, more: true))
        #expect(race.attemptFailed() == .attempt(second, more: false))
        #expect(race.attemptFailed() == .giveUp)
    }

    @Test("An address that worked before goes first, if the host still has it")
    func favourite() {
        let found = Self.addresses(["192.0.2.1", "192.0.2.2"])
        var race = AddressRace(found, favourite: found[1])
        #expect(race.begin() == .attempt(found[1], more: true))
        var other = AddressRace(found, favourite: Self.addresses(["192.0.2.3"])[0])
        #expect(other.begin() == .attempt(found[0], more: true))
    }

    @Test("A host without addresses is given up at once")
    func nothing() {
        var race = AddressRace([])
        #expect(race.begin() == .giveUp)
    }
}
