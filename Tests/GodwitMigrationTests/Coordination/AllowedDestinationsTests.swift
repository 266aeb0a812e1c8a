import GodwitMigration
import GodwitWire
import Testing

@Suite("Where an operator may send clients")
struct AllowedDestinationsTests {
    @Test(
        "A range contains what begins with its bits",
        arguments: [
            ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false),
            ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false), ("::/0", "8.8.8.8", false),
            ("10.0.0.1/32", "10.0.0.1", true), ("10.0.0.1/32", "10.0.0.0", false),
            ("128.0.0.0/1", "255.0.0.1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::8/127", "2001:db8::9", true), ("2001:db8::8/127", "2001:db8::a", false),
            ("2001:db8:0:1::/64", "2001:db8:0:1:ffff::", true), ("::/0", "2001:db8::1", true),
        ])
    func contains(range: String, address: String, isInside: Bool) throws {
        let prefix = try #require(AddressPrefix(range))
        #expect(prefix.contains(IPAddress(address)!) == isInside)
        #expect(AddressPrefix(prefix.description) == prefix)
    }

    @Test(
        "What is no range is refused",
        arguments: [
            "192.0.2.0", "192.0.2.1/24", "192.0.2.0/33", "2001:db8::1/64", "::/129", "10.0.0.0/-1",
            "10.0.0.0/8/8", "/8", "a/8", "10.0.0.0/+8", "1.0.0.0/0",
        ])
    func malformed(text: String) { #expect(AddressPrefix(text) == nil) }

    // Holds: W24
    @Test("A plan that leads elsewhere is found out (Specs/server-migration.md 7.7)")
    func plan() {
        let allowed = AllowedDestinations([AddressPrefix("198.51.100.0/24")!])
        #expect(allowed.firstForbidden(in: MigrationPlan(default: .explicit(destination: .new))) == nil)
        #expect(allowed.firstForbidden(in: MigrationPlan(default: .combined(destination: .both))) == .new6)
        let exception = MigrationPlan(
            default: .symmetric,
            exceptions: [ConnectionID([1])!: .explicit(destination: MigrationDestination(.old)!)])
        #expect(allowed.firstForbidden(in: exception) == .old)
        #expect(AllowedDestinations([]).firstForbidden(in: .best(to: .new)) == .new)
    }
}
