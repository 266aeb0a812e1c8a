import GodwitWire

/// An attacker that copies datagrams; see ``AttackerParameters``.
struct Attacker {
    let name: String
    let address: NetworkAddress
    let parameters: AttackerParameters
    private var random: DeterministicRandom
    private(set) var copyCount = 0
    /// Whom the attacker last stood in for, by the destination of the datagrams.
    private var impersonated: [NetworkAddress: NetworkAddress] = [:]

    init(name: String, address: NetworkAddress, parameters: AttackerParameters, random: DeterministicRandom) {
        self.name = name
        self.address = address
        self.parameters = parameters
        self.random = random
    }

    /// A copy to be sent.
    struct Copy {
        var source: NetworkAddress
        var time: Instant
    }

    /// Whether and how a datagram that passes is copied.
    mutating func listen(from source: NetworkAddress, to destination: NetworkAddress, now: Instant) -> Copy? {
        // What the attacker itself relays passes its taps again.
        guard source != address, destination != address, copyCount < parameters.limit,
            random.chance(parameters.probability)
        else { return nil }
        copyCount += 1
        impersonated[destination] = source
        let jitter = parameters.jitter > .zero ? random.span(in: .zero...parameters.jitter) : .zero
        return Copy(source: disguised(source), time: now + parameters.delay + jitter)
    }

    private func disguised(_ source: NetworkAddress) -> NetworkAddress {
        switch parameters.disguise {
        case .genuine: source
        case .own: address
        case .forged(let address): address
        }
    }

    /// The host that a reply to the attacker, sent from `remote`, is handed on to.
    func relayTarget(for remote: NetworkAddress) -> NetworkAddress? {
        parameters.relaysReplies ? impersonated[remote] : nil
    }
}
