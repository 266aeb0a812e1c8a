public import GodwitWire

/// A range of IP addresses, such as `192.0.2.0/24`.
public struct AddressPrefix: Hashable, Sendable, Codable {
    /// The first address of the range.
    public let first: IPAddress
    /// How many bits of an address of its family belong to the prefix.
    public let length: Int

    /// Nil when the length is none of the address's family, or when bits behind the prefix are set.
    public init?(_ first: IPAddress, length: Int) {
        guard (0...(first.isIPv4 ? 32 : 128)).contains(length) else { return nil }
        self.first = first
        self.length = length
        let (high, low) = mask
        guard first.high & ~high == 0, first.isIPv4 || first.low & ~low == 0 else { return nil }
        guard let v4 = first.v4 else { return }
        guard v4 & ~UInt32(truncatingIfNeeded: low) == 0 else { return nil }
    }

    /// Parses `192.0.2.0/24` or `2001:db8::/32`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = IPAddress(parts[0]), (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let length = Int(parts[1])
        else { return nil }
        self.init(first, length: length)
    }

    /// Whether the address is in the range.
    public func contains(_ address: IPAddress) -> Bool {
        let (high, low) = mask
        guard address.isIPv4 == first.isIPv4 else { return false }
        return (address.high ^ first.high) & high == 0 && (address.low ^ first.low) & low == 0
    }

    /// The bits of an address that belong to the prefix; those of IPv4 are at the end of the mapped form.
    private var mask: (high: UInt64, low: UInt64) {
        let bits = first.isIPv4 ? length + 96 : length
        return (Self.mask(min(bits, 64)), Self.mask(max(0, bits - 64)))
    }

    private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : ~0 << UInt64(64 - bits) }
}

extension AddressPrefix: CustomStringConvertible {
    /// The form that the parser takes.
    public var description: String { "\(first)/\(length)" }
}

/// Where an operator may send a server's clients (Specs/server-migration.md 7.7).
public struct AllowedDestinations: Hashable, Sendable, Codable {
    /// The ranges; nothing is allowed without one.
    public var prefixes: [AddressPrefix]

    /// Destinations in those ranges.
    public init(_ prefixes: [AddressPrefix]) { self.prefixes = prefixes }

    /// The first address of the plan that is not allowed.
    public func firstForbidden(in plan: MigrationPlan) -> NetworkAddress? {
        plan.destinations.first { !contains($0) }
    }

    /// The first address of the pool that is not allowed.
    public func firstForbidden(in pool: AddressPool) -> NetworkAddress? {
        pool.addresses.first { !contains($0) }
    }

    /// Whether clients may be sent to the address.
    public func contains(_ address: NetworkAddress) -> Bool { prefixes.contains { $0.contains(address.ip) } }
}
