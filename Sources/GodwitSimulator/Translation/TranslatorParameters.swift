public import GodwitWire

/// What of a remote address a translator looks at (RFC 4787 sections 4.1 and 5).
public enum EndpointDependence: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing.
    case endpointIndependent
    /// The IP address.
    case addressDependent
    /// The IP address and the port.
    case addressAndPortDependent

    /// The part of `remote` that is looked at.
    func key(_ remote: NetworkAddress) -> NetworkAddress {
        switch self {
        case .endpointIndependent: NetworkAddress(ip: .anyIPv6, port: 0)
        case .addressDependent: NetworkAddress(ip: remote.ip, port: 0)
        case .addressAndPortDependent: remote
        }
    }
}

/// How a translator picks the port that the outside sees (RFC 4787 section 4.2.1).
public enum PortAssignment: String, Hashable, Sendable, Codable, CaseIterable {
    /// By chance.
    case random
    /// The inside port if it is free, else by chance.
    case preserving
    /// One after the other, from 1024.
    case sequential
}

/// How an address translator (NAT) behaves, in the terms of RFC 4787.
public struct TranslatorParameters: Hashable, Sendable, Codable {
    /// When an inside address keeps its outside address and port towards another remote (section 4.1).
    public var mapping: EndpointDependence
    /// From whom datagrams to a binding are let in (section 5).
    public var filtering: EndpointDependence
    /// How outside ports are picked.
    public var ports: PortAssignment
    /// How long a binding lives after the last datagram that refreshed it.
    public var bindingLifetime: TimeSpan
    /// Whether datagrams from outside refresh a binding as those from inside do (section 4.3).
    public var inboundRefreshes: Bool
    /// Whether a host inside reaches another one inside by its outside address (section 6).
    public var hairpinning: Bool

    /// By default the most open translator that RFC 4787 knows, with its shortest recommended lifetime.
    public init(
        mapping: EndpointDependence = .endpointIndependent,
        filtering: EndpointDependence = .endpointIndependent,
        ports: PortAssignment = .random, bindingLifetime: TimeSpan = .seconds(120),
        inboundRefreshes: Bool = false, hairpinning: Bool = true
    ) {
        self.mapping = mapping
        self.filtering = filtering
        self.ports = ports
        self.bindingLifetime = bindingLifetime
        self.inboundRefreshes = inboundRefreshes
        self.hairpinning = hairpinning
    }

    /// One outside port for each inside one, open to everyone.
    public static let fullCone = TranslatorParameters()
    /// One outside port for each inside one, open to IP addresses that were sent to.
    public static let restrictedCone = TranslatorParameters(filtering: .addressDependent)
    /// One outside port for each inside one, open to addresses and ports that were sent to.
    public static let portRestrictedCone = TranslatorParameters(filtering: .addressAndPortDependent)
    /// An outside port for each pair of inside and remote address, open to that remote only.
    public static let symmetric = TranslatorParameters(
        mapping: .addressAndPortDependent, filtering: .addressAndPortDependent)
}

extension TranslatorParameters: CustomStringConvertible {
    /// `endpointIndependent mapping, addressDependent filtering, random ports, bindings live 120.0 s`.
    public var description: String {
        "\(mapping) mapping, \(filtering) filtering, \(ports) ports, bindings live \(bindingLifetime)"
    }
}
