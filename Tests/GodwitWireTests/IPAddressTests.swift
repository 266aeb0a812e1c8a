import GodwitWire
import Testing

@Suite("Addresses")
struct IPAddressTests {
    @Test(
        "Every form of IPv6 text is read and printed in the canonical one (RFC 4291 section 2.2, RFC 5952)",
        arguments: [
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::0001", "2001:db8::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("fe80::1", "fe80::1"), ("0:0:0:0:0:0:0:0", "::"),
            ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"), ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:c000:201", "192.0.2.1"),
        ])
    func ipv6(text: String, canonical: String) {
        let address = IPAddress(text)
        #expect(address?.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(
        "What is not an address is refused",
        arguments: [
            "", ":", ":::", "1:::2", "::1::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "12345::", "g::", "::-1", "::+1",
            "fe80::1%eth0",
            "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "1.2.3.4::", "::1.2.3.4:1", "1.2.3", "1.2.3.4.5",
            "1.2.3.256",
            "1.2.3.", ".1.2.3", "1..2.3", "+1.2.3.4", "0x1.2.3.4", "1.2.3.4 ", "1.2.3.0004", "host",
            "１.2.3.4",
        ])
    func notAnAddress(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("An IPv4 address is the same whether a socket shows it as IPv4 or as IPv4-mapped")
    func mappedEquality() {
        let plain = IPAddress("192.0.2.1")!
        let mapped = IPAddress(high: 0, low: 0xffff_c000_0201)
        #expect(plain == mapped)
        #expect(Set([plain, mapped, IPAddress("::ffff:192.0.2.1")!, IPAddress(v4: 0xc000_0201)]).count == 1)
        #expect(mapped.isIPv4)
        #expect(mapped.v4 == 0xc000_0201)
        // The deprecated IPv4-compatible form is another address (RFC 4291 section 2.5.5.1).
        #expect(IPAddress("::192.0.2.1") != plain)
        #expect(IPAddress("::192.0.2.1")?.isIPv4 == false)
    }

    @Test("A scope tells link-local addresses apart and no others (RFC 4007 section 6)")
    func scopes() {
        let linkLocal = IPAddress("fe80::1")!
        #expect(IPAddress(high: linkLocal.high, low: 1, scope: 2) != linkLocal)
        #expect(IPAddress(high: 0x2001_0db8_0000_0000, low: 1, scope: 2) == IPAddress("2001:db8::1"))
        #expect(IPAddress(high: 0, low: 0xffff_c000_0201, scope: 2) == IPAddress("192.0.2.1"))
    }

    @Test("Addresses know their kind")
    func kinds() {
        #expect(IPAddress("127.1.2.3")!.isLoopback)
        #expect(IPAddress("::1")!.isLoopback)
        #expect(!IPAddress("::2")!.isLoopback)
        #expect(IPAddress("224.0.0.1")!.isMulticast)
        #expect(IPAddress("ff02::1")!.isMulticast)
        #expect(!IPAddress("223.255.255.255")!.isMulticast)
        #expect(IPAddress("255.255.255.255")!.isBroadcast)
        #expect(IPAddress("169.254.0.1")!.isLinkLocal)
        #expect(IPAddress("febf::1")!.isLinkLocal)
        #expect(!IPAddress("fec0::1")!.isLinkLocal)
        for text in ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fd00::1"] {
            #expect(IPAddress(text)!.isPrivate, "\(text)")
        }
        for text in ["11.0.0.1", "172.32.0.1", "192.169.0.1", "fe00::1", "2001:db8::1"] {
            #expect(!IPAddress(text)!.isPrivate, "\(text)")
        }
        for text in ["::", "0.0.0.0"] { #expect(IPAddress(text)!.isUnspecified) }
    }

    @Test("Addresses with a port are read in the form in which they are printed")
    func networkAddresses() {
        for text in ["192.0.2.1:443", "[2001:db8::1]:443", "0.0.0.0:0", "[::]:65535"] {
            #expect(NetworkAddress(text)?.description == text)
        }
        #expect(NetworkAddress("192.0.2.1", port: 443) == NetworkAddress("[::ffff:192.0.2.1]:443"))
        for text in [
            "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:+443", "192.0.2.1:-1", "2001:db8::1:443",
            "[2001:db8::1]", "[2001:db8::1:443", "2001:db8::1]:443", "[192.0.2.1]:443", "[]:443", ":443",
            "host:443",
            "[[::1]]:443", "192.0.2.1:000443",
        ] {
            #expect(NetworkAddress(text) == nil, "\(text)")
        }
    }

    @Test("Printing and reading any address gives it back")
    func roundTrip() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<500 {
            // Half of the groups are zero, so that runs of them are common.
            let groups = (0..<8).map { _ in Bool.random(using: &generator) ? 0 : generator.next() & 0xffff }
            let address = IPAddress(
                high: groups[..<4].reduce(0) { $0 << 16 | $1 }, low: groups[4...].reduce(0) { $0 << 16 | $1 })
            #expect(IPAddress(address.description) == address)
        }
    }
}
