/// Where a server wants to be reached after the handshake, and the connection id to use there (RFC 9000
/// sections 9.6 and 18.2).
public struct PreferredAddress: Hashable, Sendable, Codable {
    /// Nil when the server names no IPv4 address.
    public var ipv4: NetworkAddress?
    /// Nil when the server names no IPv6 address.
    public var ipv6: NetworkAddress?
    /// The connection id with sequence number 1, of 1 to 20 bytes.
    public var connectionID: ConnectionID
    /// The token of a stateless reset of ``connectionID``.
    public var statelessResetToken: StatelessResetToken

    /// A preferred address in one family or both.
    public init(
        ipv4: NetworkAddress?, ipv6: NetworkAddress?, connectionID: ConnectionID,
        statelessResetToken: StatelessResetToken
    ) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.connectionID = connectionID
        self.statelessResetToken = statelessResetToken
    }
}

extension PreferredAddress {
    /// Nil when malformed or when the connection id has not 1 to 20 bytes. A family of all zeros is not
    /// named.
    init?(from reader: inout ByteReader) {
        guard let v4 = reader.readInteger(UInt32.self), let v4Port = reader.readInteger(UInt16.self),
            let high = reader.readInteger(UInt64.self), let low = reader.readInteger(UInt64.self),
            let v6Port = reader.readInteger(UInt16.self), let length = reader.readUInt8(), length > 0,
            let id = reader.readConnectionID(length: Int(length)), let token = reader.readResetToken()
        else { return nil }
        self.init(
            ipv4: v4 == 0 && v4Port == 0 ? nil : NetworkAddress(ip: IPAddress(v4: v4), port: v4Port),
            ipv6: high == 0 && low == 0 && v6Port == 0
                ? nil : NetworkAddress(ip: IPAddress(high: high, low: low), port: v6Port),
            connectionID: id, statelessResetToken: token)
    }

    var encodedSize: Int { 4 + 2 + 16 + 2 + 1 + connectionID.length + StatelessResetToken.length }

    func encode(into writer: inout ByteWriter) {
        writer.writeInteger(ipv4?.ip.v4 ?? 0)
        writer.writeInteger(ipv4?.port ?? 0)
        writer.writeInteger(ipv6?.ip.high ?? 0)
        writer.writeInteger(ipv6?.ip.low ?? 0)
        writer.writeInteger(ipv6?.port ?? 0)
        writer.writeLengthPrefixedConnectionID(connectionID)
        writer.writeResetToken(statelessResetToken)
    }
}
