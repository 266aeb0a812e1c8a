public import GodwitCore
import GodwitCrypto
public import GodwitWire

/// What a simulated endpoint is and how it behaves.
public struct EndpointSettings: Sendable {
    /// How it does its handshakes. Client and server have to agree.
    public var handshake: SimulatedHandshake
    /// How each connection behaves.
    public var transport: TransportConfiguration
    /// At a server: when clients have to prove their address first.
    public var retryPolicy = RetryPolicy.never
    /// At a server: the IPv4 address that clients are asked to move to.
    public var preferredIPv4Address: NetworkAddress?
    /// At a server: the IPv6 address that clients are asked to move to.
    public var preferredIPv6Address: NetworkAddress?

    /// Settings for endpoints with that handshake.
    public init(_ handshake: SimulatedHandshake, transport: TransportConfiguration = TransportConfiguration())
    {
        self.handshake = handshake
        self.transport = transport
    }

    /// The core's configuration of the endpoint. All keys follow from `random`.
    func configuration(
        isServer: Bool, unixTime: Int64, keys random: DeterministicRandom
    ) throws -> EndpointConfiguration {
        var random = random
        func key() -> SharedKey { SharedKey(random.bytes(SharedKey.length))! }
        var configuration = EndpointConfiguration(
            connectionIDKey: key(), statelessResetKey: key(), unixTimeAtEpoch: unixTime)
        configuration.transport = transport
        guard isServer else { return configuration }
        var server = ServerConfiguration(
            handshake: try handshake.makeServer(ticketKeys: TicketKeys([key()])), tokenKeys: [key()])
        server.retryPolicy = retryPolicy
        server.preferredIPv4Address = preferredIPv4Address
        server.preferredIPv6Address = preferredIPv6Address
        configuration.server = server
        return configuration
    }
}
