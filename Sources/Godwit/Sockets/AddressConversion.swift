import CGodwitSocket
import GodwitWire
import NIOCore

extension godwit_address {
    init(_ address: NetworkAddress) {
        self.init(high: address.ip.high, low: address.ip.low, scope: address.ip.scope, port: address.port)
    }

    var ip: IPAddress { IPAddress(high: high, low: low, scope: scope) }

    var networkAddress: NetworkAddress { NetworkAddress(ip: ip, port: port) }
}

extension NetworkAddress {
    /// Nil for an address that is not an IP address.
    init?(_ address: SocketAddress) {
        var converted = godwit_address()
        let isIP =
            switch address {
            case .v4(let ipv4):
                withUnsafeBytes(of: ipv4.address) { godwit_address_read($0.baseAddress!, &converted) }
            case .v6(let ipv6):
                withUnsafeBytes(of: ipv6.address) { godwit_address_read($0.baseAddress!, &converted) }
            case .unixDomainSocket: false
            }
        guard isIP else { return nil }
        self = converted.networkAddress
    }

    /// The wildcard of both families, on any port.
    static let anywhere = NetworkAddress(ip: .anyIPv6, port: 0)
    /// The wildcard of IPv4, on any port.
    static let anywhereIPv4 = NetworkAddress(ip: .anyIPv4, port: 0)
}
