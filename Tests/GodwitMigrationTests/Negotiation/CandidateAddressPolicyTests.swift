import GodwitMigration
import GodwitWire
import Testing

@Suite("Which addresses nothing is sent to")
struct CandidateAddressPolicyTests {
    private let policy = CandidateAddressPolicy()

    // Specs/server-migration.md 5.2.2
    // Holds: W2
    @Test(
        "An address that no one host has is refused, whatever the present one is",
        arguments: [
            "0.0.0.0:4433", "0.1.2.3:4433", "224.0.0.1:4433", "239.255.255.250:4433", "255.255.255.255:4433",
            "240.0.0.1:4433", "198.51.100.7:0", "[::]:4433", "[ff02::1]:4433", "[::198.51.100.7]:4433",
            "[64:ff9b::c633:6407]:4433", "[64:ff9b:1::1]:4433", "[2002:c633:6407::1]:4433",
        ])
    func alwaysRefused(text: String) {
        let address = NetworkAddress(text)!
        for current in ["192.0.2.1:4433", "127.0.0.1:4433", "10.0.0.1:4433", "[2001:db8::1]:4433", text] {
            #expect(!policy.permits(address, current: NetworkAddress(current)!))
        }
    }

    // Holds: W2
    @Test(
        "A narrower address is good only where the present one is as narrow (Specs/server-migration.md 5.2.3)"
    )
    func scopes() {
        let byScope = [
            ["192.0.2.1:4433", "[2001:db8::1]:4433"], ["127.0.0.1:4433", "127.8.9.1:4433", "[::1]:4433"],
            ["169.254.1.1:4433", "[fe80::1]:4433"],
            ["10.0.0.1:4433", "172.31.0.1:4433", "192.168.1.57:4433", "100.64.0.1:4433", "[fd00::1]:4433"],
        ].map { $0.map { NetworkAddress($0)! } }
        for (scope, addresses) in byScope.enumerated() {
            for (currentScope, currents) in byScope.enumerated() {
                for address in addresses {
                    for current in currents {
                        #expect(
                            policy.permits(address, current: current) == (scope == 0 || scope == currentScope)
                        )
                    }
                }
            }
        }
    }

    // Holds: W2
    @Test("Low ports are refused, but for 443 and the one in use (Specs/server-migration.md 5.2.4)")
    func ports() {
        let current = NetworkAddress("192.0.2.1:853")!
        for (port, isGood) in [
            (443, true), (853, true), (1024, true), (65535, true), (53, false), (1023, false),
        ] {
            #expect(policy.permits(NetworkAddress("198.51.100.7:\(port)")!, current: current) == isGood)
        }
        var open = policy
        open.allowsSystemPorts = true
        #expect(open.permits(NetworkAddress("198.51.100.7:53")!, current: current))
    }

    @Test("A policy may allow narrower addresses, never those of no host (Specs/server-migration.md 5.2.5)")
    func openPolicy() {
        var open = policy
        open.allowsNarrowerScopes = true
        #expect(open.permits(NetworkAddress("127.0.0.1:4433")!, current: .old))
        #expect(!open.permits(NetworkAddress("224.0.0.1:4433")!, current: .old))
    }

    // Holds: W5
    @Test("A pool has eight addresses of hosts at most, each once (Specs/server-migration.md 4.2.1)")
    func pool() {
        #expect(AddressPool((0..<8).map { .other($0) }) != nil)
        #expect(AddressPool((0..<9).map { .other($0) }) == nil)
        #expect(AddressPool([NetworkAddress.new, .new]) == nil)
        #expect(AddressPool([NetworkAddress("198.51.100.7:0")!]) == nil)
        #expect(AddressPool([NetworkAddress("224.0.0.1:1")!]) == nil)
    }

    @Test("A destination is an address of a host in one family or both")
    func destination() {
        #expect(MigrationDestination(ipv4: .new, ipv6: .new6)?.addresses == [.new, .new6])
        #expect(MigrationDestination(ipv4: .new6, ipv6: nil) == nil)
        #expect(MigrationDestination(ipv4: nil, ipv6: nil) == nil)
        #expect(MigrationDestination(NetworkAddress("198.51.100.7:0")!) == nil)
        #expect(MigrationDestination(NetworkAddress("255.255.255.255:4433")!) == nil)
        #expect(MigrationDestination.both.description == "198.51.100.7:4433 or [2001:db8::7]:4433")
    }
}
