public import GodwitWire

/// The order of the thesis's application: pool and present address together in a random order, drawn anew for
/// each cycle.
///
/// The numbers are those of the application for the same seed, so that a run of ours and one of its own can
/// be compared address by address.
public struct ShuffledPoolScheduler: Hashable, Sendable, Codable {
    /// The pool.
    public private(set) var addresses: [NetworkAddress] = []
    private var generator: MersenneTwister
    /// What is left of the cycle; nil between cycles.
    private var remaining: [NetworkAddress]?

    /// A scheduler of an empty pool.
    public init(seed: UInt32) { generator = MersenneTwister(seed: seed) }

    mutating func insert(_ address: NetworkAddress) { addresses.insertInOrder(address) }

    mutating func next(current: NetworkAddress) -> NetworkAddress? {
        if remaining?.isEmpty ?? true { remaining = shuffled(with: current) }
        return remaining.flatMap { $0.isEmpty ? nil : remaining?.removeFirst() }
    }

    private mutating func shuffled(with current: NetworkAddress) -> [NetworkAddress] {
        guard !addresses.isEmpty else { return [] }
        var order = addresses.contains(current) ? addresses : addresses + [current]
        generator.shuffle(&order)
        return order
    }

    mutating func restart() { remaining = nil }
}
