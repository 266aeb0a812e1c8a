import GodwitWire

/// In which order, and when, the addresses of a host are tried (RFC 8305). Reads no clock and opens nothing.
struct AddressRace {
    /// What to do next.
    enum Step: Equatable {
        /// Try an address. If there are `more`, the next one's turn comes when the delay is over.
        case attempt(NetworkAddress, more: Bool)
        /// An attempt that is under way may still succeed.
        case wait
        /// Every attempt has failed.
        case giveUp
    }

    private var untried: ArraySlice<NetworkAddress>
    private var underWay = 0

    /// - Parameters:
    ///   - addresses: in the order in which the resolver wants them.
    ///   - favourite: an address to try first, because it is known to have worked, if it is among the others.
    init(_ addresses: [NetworkAddress], favourite: NetworkAddress? = nil) {
        var order = AddressRace.interleave(addresses)
        if let favourite, let index = order.firstIndex(of: favourite) {
            order.insert(order.remove(at: index), at: 0)
        }
        untried = order[...]
    }

    /// What to do at first.
    mutating func begin() -> Step { next() }

    /// The delay after the last attempt is over.
    mutating func delayPassed() -> Step { untried.isEmpty ? .wait : next() }

    /// An attempt has failed. The next address does not have to wait for its turn (RFC 8305 section 5).
    mutating func attemptFailed() -> Step {
        underWay -= 1
        return next()
    }

    private mutating func next() -> Step {
        guard let address = untried.popFirst() else { return underWay > 0 ? .wait : .giveUp }
        underWay += 1
        return .attempt(address, more: !untried.isEmpty)
    }

    /// Lets the address families take turns, beginning with the one that the resolver prefers, so that a
    /// family which is down costs one delay and no more (RFC 8305 section 4). Drops what comes twice.
    static func interleave(_ addresses: [NetworkAddress]) -> [NetworkAddress] {
        guard let first = addresses.first else { return [] }
        let families = [
            addresses.filter { $0.isIPv4 == first.isIPv4 }, addresses.filter { $0.isIPv4 != first.isIPv4 },
        ]
        var result: [NetworkAddress] = []
        for index in 0..<(families.map(\.count).max() ?? 0) {
            for family in families where index < family.count && !result.contains(family[index]) {
                result.append(family[index])
            }
        }
        return result
    }
}
