public import GodwitWire

/// One address of a host and how it is connected to the rest of the network.
///
/// Two hosts may share an IP address with different ports, as two processes of one machine do, and any number
/// of interfaces may share links, whose rate and queue they then share.
public struct Interface: Hashable, Sendable {
    /// The IP address and the UDP port.
    public var address: NetworkAddress
    /// The address translator that stands between the address and the internet; nil for a public address.
    public var behind: TranslatorID?
    /// The link that carries what the host sends; nil for one without delay, limits and faults.
    public var egress: LinkID?
    /// The link that carries what is sent to the address; nil for one without delay, limits and faults.
    public var ingress: LinkID?
    /// Links other than ``egress`` for some destinations; the first that matches is taken.
    public var routes: [Route]

    /// An interface with that address.
    public init(
        _ address: NetworkAddress, behind translator: TranslatorID? = nil, egress: LinkID? = nil,
        ingress: LinkID? = nil, routes: [Route] = []
    ) {
        self.address = address
        self.behind = translator
        self.egress = egress
        self.ingress = ingress
        self.routes = routes
    }

    func egress(to destination: NetworkAddress) -> LinkID? {
        routes.first { $0.destination == destination.ip }?.link ?? egress
    }
}

/// Which link leads to a destination.
public struct Route: Hashable, Sendable {
    /// The IP address that the datagrams are sent to.
    public var destination: IPAddress
    /// The link that carries them.
    public var link: LinkID

    /// Takes what goes to `destination` over `link`.
    public init(to destination: IPAddress, over link: LinkID) {
        self.destination = destination
        self.link = link
    }
}
