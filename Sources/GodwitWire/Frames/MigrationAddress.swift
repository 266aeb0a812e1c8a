/// The addresses that a SERVER_MIGRATION or POOL_MIGRATION_ADDRESS frame carries: one a family, or none
/// (Specs/server-migration.md 3.1).
///
/// On the wire these are always 24 bytes, all zero for a family that is not named. What is neither zero nor
/// an address that anybody could be reached at is kept as it came: it is for the protocol to refuse.
@frozen
public struct MigrationAddress: Hashable, Sendable, Codable {
    /// The four bytes and the port of the IPv4 address; nil when both are zero.
    public let ipv4: NetworkAddress?
    /// The sixteen bytes and the port of the IPv6 address; nil when both are zero.
    public let ipv6: NetworkAddress?

    /// No address at all, which is how Synchronized Symmetric announces a move.
    @inlinable
    public static var none: MigrationAddress { MigrationAddress(ipv4: nil, ipv6: nil) }

    /// One address a family. One that is not of the family it is given for, or that has neither bytes nor
    /// port, is left out.
    @inlinable
    public init(ipv4: NetworkAddress?, ipv6: NetworkAddress?) {
        self.ipv4 = ipv4.flatMap { $0.isIPv4 && !($0.ip == .anyIPv4 && $0.port == 0) ? $0 : nil }
        self.ipv6 = ipv6.flatMap { $0.ip == .anyIPv6 && $0.port == 0 ? nil : Self.unscoped($0) }
    }

    /// One address, in the field of its family.
    @inlinable
    public init(_ address: NetworkAddress) {
        self.init(ipv4: address.isIPv4 ? address : nil, ipv6: address.isIPv4 ? nil : address)
    }

    /// Frames carry no interface.
    @inlinable
    static func unscoped(_ address: NetworkAddress) -> NetworkAddress {
        NetworkAddress(ip: IPAddress(high: address.ip.high, low: address.ip.low), port: address.port)
    }

    /// Whether all 24 bytes are zero.
    @inlinable
    public var isAllZero: Bool { ipv4 == nil && ipv6 == nil }

    /// The address of a family; nil when there is none that a host could have: no bytes, no port, or an IPv4
    /// address in the field for IPv6.
    @inlinable
    public func address(isIPv4: Bool) -> NetworkAddress? {
        guard let named = isIPv4 ? ipv4 : ipv6, named.isIPv4 == isIPv4, !named.ip.isUnspecified,
            named.port != 0
        else { return nil }
        return named
    }

    /// Every address that a host could have, IPv4 first.
    public var addresses: [NetworkAddress] {
        [address(isIPv4: true), address(isIPv4: false)].compactMap { $0 }
    }
}

extension MigrationAddress {
    /// How many bytes the fields take.
    static let encodedSize = 24

    init(from reader: inout ByteReader, of frameType: UInt64) throws(TransportError) {
        guard reader.remaining >= Self.encodedSize, let v4 = reader.readInteger(UInt32.self),
            let v4Port = reader.readInteger(UInt16.self), let high = reader.readInteger(UInt64.self),
            let low = reader.readInteger(UInt64.self), let v6Port = reader.readInteger(UInt16.self)
        else { throw .cutOffFrame(type: frameType) }
        self.init(
            ipv4: NetworkAddress(ip: IPAddress(v4: v4), port: v4Port),
            ipv6: NetworkAddress(ip: IPAddress(high: high, low: low), port: v6Port))
    }

    func encode(into writer: inout ByteWriter) {
        writer.writeInteger(ipv4?.ip.v4 ?? 0)
        writer.writeInteger(ipv4?.port ?? 0)
        writer.writeInteger(ipv6?.ip.high ?? 0)
        writer.writeInteger(ipv6?.ip.low ?? 0)
        writer.writeInteger(ipv6?.port ?? 0)
    }
}

extension MigrationAddress: CustomStringConvertible {
    /// The addresses, or `none`.
    public var description: String {
        let named = [ipv4, ipv6].compactMap { $0?.description }
        return named.isEmpty ? "none" : named.joined(separator: " ")
    }
}
