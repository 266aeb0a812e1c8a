public import GodwitWire

/// The order of the thesis's library: the server's present address, then the pool by rising address.
public struct CyclicPoolScheduler: Hashable, Sendable, Codable {
    /// The pool.
    public private(set) var addresses: [NetworkAddress] = []
    /// What is left of the cycle; nil between cycles.
    private var remaining: [NetworkAddress]?

    /// A scheduler of an empty pool.
    public init() {}

    mutating func insert(_ address: NetworkAddress) { addresses.insertInOrder(address) }

    mutating func next(current: NetworkAddress) -> NetworkAddress? {
        if remaining?.isEmpty ?? true { remaining = cycle(from: current) }
        return remaining.flatMap { $0.isEmpty ? nil : remaining?.removeFirst() }
    }

    private func cycle(from current: NetworkAddress) -> [NetworkAddress] {
        addresses.isEmpty ? [] : [current] + addresses.filter { $0 != current }
    }

    mutating func restart() { remaining = nil }
}
