public import GodwitWire

/// In which order a client of the thesis tries the addresses of a pool, one a probe timeout
/// (Specs/server-migration.md 4.2).
///
/// Orders go in cycles. Addresses that are added, and the address that the server is believed to be at,
/// count from the next cycle on.
public enum PoolScheduler: Hashable, Sendable, Codable {
    /// The order of the thesis's library.
    case cyclic(CyclicPoolScheduler)
    /// The order of the thesis's application `mhq`.
    case shuffled(ShuffledPoolScheduler)

    /// The library's order.
    public static var libraryOrder: PoolScheduler { .cyclic(CyclicPoolScheduler()) }

    /// The application's order, for the seed that it gives its scheduler.
    public static func applicationOrder(seed: UInt32) -> PoolScheduler {
        .shuffled(ShuffledPoolScheduler(seed: seed))
    }

    /// The addresses that were added.
    public var addresses: [NetworkAddress] {
        switch self {
        case .cyclic(let scheduler): scheduler.addresses
        case .shuffled(let scheduler): scheduler.addresses
        }
    }

    /// Adds an address of the pool, unless it is there already.
    public mutating func insert(_ address: NetworkAddress) {
        switch self {
        case .cyclic(var scheduler):
            scheduler.insert(address)
            self = .cyclic(scheduler)
        case .shuffled(var scheduler):
            scheduler.insert(address)
            self = .shuffled(scheduler)
        }
    }

    /// The address to try next, when the server was at `current` before the search began; nil for an empty
    /// pool.
    public mutating func next(current: NetworkAddress) -> NetworkAddress? {
        switch self {
        case .cyclic(var scheduler):
            defer { self = .cyclic(scheduler) }
            return scheduler.next(current: current)
        case .shuffled(var scheduler):
            defer { self = .shuffled(scheduler) }
            return scheduler.next(current: current)
        }
    }

    /// Has the next address begin a new cycle.
    public mutating func restart() {
        switch self {
        case .cyclic(var scheduler):
            scheduler.restart()
            self = .cyclic(scheduler)
        case .shuffled(var scheduler):
            scheduler.restart()
            self = .shuffled(scheduler)
        }
    }
}

extension [NetworkAddress] {
    /// Inserts in rising order of address and port, which is that of the thesis; what is there already stays
    /// once.
    mutating func insertInOrder(_ address: NetworkAddress) {
        guard !contains(address) else { return }
        let position = firstIndex { address.precedes($0) } ?? endIndex
        insert(address, at: position)
    }
}

extension NetworkAddress {
    fileprivate func precedes(_ other: NetworkAddress) -> Bool {
        (ip.high, ip.low, UInt64(port)) < (other.ip.high, other.ip.low, UInt64(other.port))
    }
}
