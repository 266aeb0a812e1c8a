import GodwitWire

/// The bindings of an address translator (RFC 4787), without the links around it.
struct AddressTranslator {
    private struct Binding {
        var inside: NetworkAddress
        var outside: NetworkAddress
        var key: MappingKey
        var lastRefresh: Instant
        /// The remotes that are let in, by the part of their address that filtering looks at.
        var admitted: Set<NetworkAddress>
    }

    private struct MappingKey: Hashable {
        var inside: NetworkAddress
        var remote: NetworkAddress
    }

    let name: String
    let parameters: TranslatorParameters
    /// The addresses that the outside sees: at most one of each family is used at a time, the first.
    private(set) var outsideAddresses: [IPAddress]

    private var bindings: ContiguousArray<Binding?> = []
    private var freeIndices: ContiguousArray<Int> = []
    private var indicesByInside: [MappingKey: Int] = [:]
    private var indicesByOutside: [NetworkAddress: Int] = [:]
    /// What a forced rebinding took away is not given again, else it might give the same again.
    private var retired: Set<NetworkAddress> = []
    private var ports: PortAllocator

    init(
        name: String, parameters: TranslatorParameters, outsideAddresses: [IPAddress],
        random: DeterministicRandom
    ) {
        self.name = name
        self.parameters = parameters
        self.outsideAddresses = outsideAddresses
        self.ports = PortAllocator(parameters.ports, random: random)
    }

    /// How many bindings there are, those that have expired unnoticed included.
    var bindingCount: Int { indicesByOutside.count }

    // MARK: Outbound

    /// The source that the outside sees on a datagram from `inside`; nil when there is no port or address
    /// left.
    mutating func translateOutbound(
        from inside: NetworkAddress, to remote: NetworkAddress, now: Instant
    ) -> NetworkAddress? {
        let key = MappingKey(inside: inside, remote: parameters.mapping.key(remote))
        guard let index = liveIndex(indicesByInside[key], now: now) ?? bind(key, now: now) else { return nil }
        bindings[index]?.lastRefresh = now
        bindings[index]?.admitted.insert(parameters.filtering.key(remote))
        return bindings[index]?.outside
    }

    private mutating func bind(_ key: MappingKey, now: Instant) -> Int? {
        guard let outside = allocate(for: key.inside, now: now) else { return nil }
        let index = freeIndices.popLast() ?? bindings.count
        if index == bindings.count { bindings.append(nil) }
        bindings[index] = Binding(
            inside: key.inside, outside: outside, key: key, lastRefresh: now, admitted: [])
        indicesByInside[key] = index
        indicesByOutside[outside] = index
        return index
    }

    private mutating func allocate(for inside: NetworkAddress, now: Instant) -> NetworkAddress? {
        guard let ip = outsideAddresses.first(where: { $0.isIPv4 == inside.isIPv4 }) else { return nil }
        removeExpired(now: now)
        let (used, retired) = (indicesByOutside, retired)
        let port = ports.allocate(preferred: inside.port) { port in
            let candidate = NetworkAddress(ip: ip, port: port)
            return used[candidate] == nil && !retired.contains(candidate)
        }
        return port.map { NetworkAddress(ip: ip, port: $0) }
    }

    // MARK: Inbound

    enum Inbound: Equatable {
        case admitted(NetworkAddress)
        case dropped(DropReason)
    }

    /// Where a datagram to an outside address goes inside.
    mutating func translateInbound(
        from remote: NetworkAddress, to outside: NetworkAddress, now: Instant
    ) -> Inbound {
        guard let index = liveIndex(indicesByOutside[outside], now: now), let binding = bindings[index] else {
            return .dropped(.noBinding)
        }
        let isAdmitted =
            parameters.filtering == .endpointIndependent
            || binding.admitted.contains(parameters.filtering.key(remote))
        guard isAdmitted else { return .dropped(.filtered) }
        if parameters.inboundRefreshes { bindings[index]?.lastRefresh = now }
        return .admitted(binding.inside)
    }

    // MARK: The life of bindings

    private mutating func liveIndex(_ index: Int?, now: Instant) -> Int? {
        guard let index, let binding = bindings[index] else { return nil }
        guard isExpired(binding, now: now) else { return index }
        remove(index)
        return nil
    }

    private func isExpired(_ binding: Binding, now: Instant) -> Bool {
        now - binding.lastRefresh >= parameters.bindingLifetime
    }

    private mutating func removeExpired(now: Instant) {
        for index in bindings.indices {
            if let binding = bindings[index], isExpired(binding, now: now) { remove(index) }
        }
    }

    private mutating func remove(_ index: Int) {
        guard let binding = bindings[index] else { return }
        indicesByInside[binding.key] = nil
        indicesByOutside[binding.outside] = nil
        bindings[index] = nil
        freeIndices.append(index)
    }

    /// Forgets every binding; the next datagram from inside gets another port, of another address if one is
    /// given.
    mutating func rebind(to newAddresses: [IPAddress]?) {
        for index in bindings.indices {
            guard let binding = bindings[index] else { continue }
            retired.insert(binding.outside)
            remove(index)
        }
        if let newAddresses { outsideAddresses = newAddresses }
    }
}
