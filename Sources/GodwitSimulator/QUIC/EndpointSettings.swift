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
    /// At a server: what becomes of the early data of clients that resume a session.
    public var earlyData = EarlyData.accepted
    /// At a server: the IPv4 address that clients are asked to move to.
    public var preferredIPv4Address: NetworkAddress?
    /// At a server: the IPv6 address that clients are asked to move to.
    public var preferredIPv6Address: NetworkAddress?
    /// At a server: whether, and how, connections move with it.
    public var migration = ServerMigrationSettings()
    /// What the network's checkers and its trace are told of.
    public var scrutiny = Scrutiny.everything

    /// How closely an endpoint is watched.
    public enum Scrutiny: Hashable, Sendable {
        /// All that its packets hold is part of the trace, and what it keeps is measured.
        case everything
        /// Checkers hear of the packets that it seals, and of nothing else. Where many runs are measured rather than
        /// tested, all else takes a fifth of the time.
        case sealedPackets
    }

    /// What a server does with early data (0-RTT).
    public enum EarlyData: Hashable, Sendable {
        /// Its tickets don't allow any.
        case unsupported
        /// Takes it, once from each ClientHello. A server that was started again on its host refuses it,
        /// since it can't know what the one before has seen (RFC 8446 section 8.2).
        case accepted
        /// Its tickets allow it, and it refuses it nevertheless.
        case refused
    }

    /// Settings for endpoints with that handshake.
    public init(_ handshake: SimulatedHandshake, transport: TransportConfiguration = TransportConfiguration())
    {
        self.handshake = handshake
        self.transport = transport
    }

    /// The core's configuration of the endpoint. All keys follow from `random`.
    ///
    /// - Parameter isRestarted: whether another one was on this host before.
    func configuration(
        isServer: Bool, isRestarted: Bool, unixTime: Int64, keys random: DeterministicRandom
    ) throws -> EndpointConfiguration {
        var random = random
        func key() -> SharedKey { SharedKey(random.bytes(SharedKey.length))! }
        var configuration = EndpointConfiguration(
            connectionIDKey: key(), statelessResetKey: key(), unixTimeAtEpoch: unixTime)
        configuration.transport = transport
        guard isServer else { return configuration }
        var server = ServerConfiguration(
            handshake: try handshake.makeServer(
                ticketKeys: TicketKeys([key()]),
                earlyData: isRestarted && earlyData == .accepted ? .refused : earlyData),
            tokenKeys: [key()])
        server.retryPolicy = retryPolicy
        server.preferredIPv4Address = preferredIPv4Address
        server.preferredIPv6Address = preferredIPv6Address
        server.migration = migration
        configuration.server = server
        return configuration
    }
}
