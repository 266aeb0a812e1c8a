import GodwitWire

/// How far an address reaches (Specs/server-migration.md 5.2).
enum AddressScope: UInt8, Hashable, Sendable, Codable {
    /// Not an address that one host could have and be reached at.
    case none
    case loopback
    case linkLocal
    /// The networks of RFC 1918, RFC 4193 and RFC 6598.
    case privateNetwork
    case global

    init(_ ip: IPAddress) {
        if ip.isUnspecified || ip.isMulticast || ip.isBroadcast || ip.isReserved {
            self = .none
        } else if ip.isLoopback {
            self = .loopback
        } else if ip.isLinkLocal {
            self = .linkLocal
        } else {
            self = ip.isPrivate || ip.isShared ? .privateNetwork : .global
        }
    }
}

extension IPAddress {
    /// `0.0.0.0/8`, `240.0.0.0/4`, and the IPv6 forms that hide an IPv4 address from whoever looks at the
    /// scope alone: IPv4-compatible ones (RFC 4291 section 2.5.5.1) and those of translators and tunnels (RFC
    /// 6052, RFC 8215, RFC 3056).
    fileprivate var isReserved: Bool {
        if let v4 { return v4 >> 24 == 0 || v4 >> 28 == 0xf }
        if high == 0 { return low > 1 && low >> 32 == 0 }
        return (high == 0x0064_ff9b_0000_0000 && low >> 32 == 0) || high >> 16 == 0x0064_ff9b_0001
            || high >> 48 == 0x2002
    }

    /// `100.64.0.0/10`, the addresses behind a carrier's translator (RFC 6598).
    fileprivate var isShared: Bool { v4.map { $0 >> 22 == 0x191 } ?? false }
}
