public import GodwitWire

/// Which of the addresses that a server names a client sends anything to (Specs/server-migration.md 5.2).
///
/// A server chooses where its clients send datagrams, so it could choose a third party, or a service inside
/// the client's own network that would take the datagram for something else (RFC 9000 section 21.5.3).
public struct CandidateAddressPolicy: Hashable, Sendable, Codable {
    /// Whether ports below 1024 are good, besides 443 and the port of the present address.
    public var allowsSystemPorts = false
    /// Whether loopback, link-local and private addresses are good, whatever the present address is.
    public var allowsNarrowerScopes = false

    /// The policy of the specification.
    public init() {}

    /// Whether to probe `address` on a connection whose server is at `current`.
    public func permits(_ address: NetworkAddress, current: NetworkAddress) -> Bool {
        let scope = AddressScope(address.ip)
        guard scope != .none, address.port != 0 else { return false }
        return permits(scope, current: AddressScope(current.ip)) && permitsPort(address.port, current.port)
    }

    private func permits(_ scope: AddressScope, current: AddressScope) -> Bool {
        scope == .global || scope == current || allowsNarrowerScopes
    }

    private func permitsPort(_ port: UInt16, _ current: UInt16) -> Bool {
        port >= 1024 || port == 443 || port == current || allowsSystemPorts
    }
}

extension NetworkAddress {
    /// The address as frames name it, without an interface.
    var asTold: NetworkAddress {
        ip.scope == 0 ? self : NetworkAddress(ip: IPAddress(high: ip.high, low: ip.low), port: port)
    }

    /// The address as it is reached from a connection whose server is at `current`: frames name no interface,
    /// so a link-local address is taken to be on the one in use (Specs/server-migration.md 5.2).
    func reached(from current: NetworkAddress) -> NetworkAddress {
        guard ip.isLinkLocal, ip.scope == 0, current.ip.scope != 0 else { return self }
        return NetworkAddress(
            ip: IPAddress(high: ip.high, low: ip.low, scope: current.ip.scope), port: port)
    }
}
