public import GodwitWire

/// Where a server is going to be: an address of one family or of both.
public struct MigrationDestination: Hashable, Sendable, Codable {
    /// The destination for clients that are on IPv4.
    public let ipv4: NetworkAddress?
    /// The destination for clients that are on IPv6.
    public let ipv6: NetworkAddress?

    /// A destination of one family or both; nil when neither is an address of its family that one host could
    /// have.
    public init?(ipv4: NetworkAddress?, ipv6: NetworkAddress?) {
        let address = MigrationAddress(ipv4: ipv4, ipv6: ipv6)
        self.ipv4 = address.address(isIPv4: true)
        self.ipv6 = address.address(isIPv4: false)
        guard self.ipv4 == ipv4, self.ipv6 == ipv6, !address.isAllZero else { return nil }
        guard addresses.allSatisfy({ AddressScope($0.ip) != .none }) else { return nil }
    }

    /// A destination of one family; nil when it is not an address that one host could have.
    public init?(_ address: NetworkAddress) {
        self.init(ipv4: address.isIPv4 ? address : nil, ipv6: address.isIPv4 ? nil : address)
    }

    /// The addresses, IPv4 first.
    public var addresses: [NetworkAddress] { [ipv4, ipv6].compactMap { $0 } }

    /// Whether one of the addresses is `address`.
    public func contains(_ address: NetworkAddress) -> Bool { ipv4 == address || ipv6 == address }

    /// The address of a family.
    func address(isIPv4: Bool) -> NetworkAddress? { isIPv4 ? ipv4 : ipv6 }

    /// The address as a SERVER_MIGRATION frame carries it.
    var frameAddress: MigrationAddress { MigrationAddress(ipv4: ipv4, ipv6: ipv6) }
}

extension MigrationDestination: CustomStringConvertible {
    /// The addresses.
    public var description: String { addresses.map(\.description).joined(separator: " or ") }
}
