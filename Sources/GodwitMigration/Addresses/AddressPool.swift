public import GodwitWire

/// The addresses that a server may move to without further notice (Specs/server-migration.md 4.2).
///
/// A set in the order in which it was filled, of at most ``capacity``: clients don't look at more.
public struct AddressPool: Hashable, Sendable, Codable {
    /// How many addresses a pool has at most.
    public static let capacity = ProbeBudget.candidateLimit

    /// The addresses, the first one first.
    public private(set) var addresses: [NetworkAddress] = []

    /// An empty pool.
    public init() {}

    /// A pool of those addresses; nil when one of them is not an address that a host could have, stands there
    /// twice, or is one too many.
    public init?(_ addresses: some Sequence<NetworkAddress>) {
        for address in addresses where !insert(address) { return nil }
    }

    /// Whether there is no address.
    public var isEmpty: Bool { addresses.isEmpty }
    /// How many addresses there are.
    public var count: Int { addresses.count }

    /// Whether `address` is one of them.
    public func contains(_ address: NetworkAddress) -> Bool { addresses.contains(address) }

    /// Adds an address; false when it is no address of a host, is there already, or finds no room.
    public mutating func insert(_ address: NetworkAddress) -> Bool {
        guard count < Self.capacity, address.port != 0, AddressScope(address.ip) != .none,
            !contains(address)
        else { return false }
        addresses.append(address)
        return true
    }
}
