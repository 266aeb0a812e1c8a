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
        let addresses = Self.addresses(["192.0.2.1", "192.0.2.2"])
        var race = AddressRace(addresses)
        let steps = [
            race.begin(), race.delayPassed(), race.delayPassed(), race.attemptFailed(), race.attemptFailed(),
        ]
        #expect(
            steps == [
                .attempt(addresses[0], more: true), .attempt(addresses[1], more: false), .wait, .wait,
                .giveUp,
            ])
    }

    @Test("The next address does not wait when an attempt fails (RFC 8305 section 5)")
    func failures() {
        let addresses = Self.addresses(["192.0.2.1", "192.0.2.2"])
        var race = AddressRace(addresses)
        let steps = [race.begin(), race.attemptFailed(), race.attemptFailed()]
        #expect(steps == [.attempt(addresses[0], more: true), .attempt(addresses[1], more: false), .giveUp])
    }

    @Test("An address that worked before goes first, if the host still has it")
    func favourite() {
        let found = Self.addresses(["192.0.2.1", "192.0.2.2"])
        #expect(Self.firstStep(found, favourite: found[1]) == .attempt(found[1], more: true))
        let gone = Self.addresses(["192.0.2.3"])[0]
        #expect(Self.firstStep(found, favourite: gone) == .attempt(found[0], more: true))
        #expect(Self.firstStep([], favourite: gone) == .giveUp)
    }

    private static func firstStep(_ found: [NetworkAddress], favourite: NetworkAddress) -> AddressRace.Step {
        var race = AddressRace(found, favourite: favourite)
        return race.begin()
    }
}
