public import GodwitWire

/// What a server's connection reports to its ``ServerMigrationMachine``.
public enum ServerMigrationInput: Hashable, Sendable {
    // Commands
    /// An operator plans a move: by the order, or by the first of the others that is possible if that is not.
    case prepare(MigrationOrder, MigrationEpoch, otherwise: [MigrationOrder] = [])
    /// The plan does not name this connection.
    case leaveOut(MigrationEpoch)
    /// The process is about to be frozen: the last occasion to say something from here.
    case hold(MigrationEpoch)
    /// The server goes on where the plan wanted it.
    case networkSwitched(MigrationEpoch, ServerThaw)
    /// The server stays, or goes on where it was before.
    case cancel(MigrationEpoch)
    /// The server may move to other addresses than it said (Specs/server-migration.md 6.5).
    case changePool(AddressPool)

    // Frames
    /// A packet with that frame was acknowledged.
    case frameAcknowledged(MigrationFrameID)
    /// A packet with that frame was declared lost.
    case frameLost(MigrationFrameID)
    /// A PATH_RESPONSE was acknowledged.
    case pathResponseAcknowledged
    /// The client acknowledged a packet that this copy of the connection never sent.
    case unsentPacketAcknowledged

    // The connection
    /// The handshake is confirmed.
    case handshakeConfirmed
    /// Data goes to another address of the client from now on.
    case clientMoved
    /// A 1-RTT packet of the client came to the address where the server is since the thaw.
    case clientPacket(isNonProbing: Bool)
    /// The client answered a challenge that was sent to that address of its.
    case pathValidated(NetworkAddress)
    /// The client has issued connection ids.
    case connectionIDsIssued
    /// The connection is over.
    case closed

    /// The time of ``ServerMigrationMachine/deadline`` has come.
    case deadline
}

/// What a server knows when it goes on in another place.
public struct ServerThaw: Hashable, Sendable, Codable {
    /// The addresses of the client that may still be good, the one in use first; at most
    /// ``clientAddressLimit`` are taken.
    public var clientAddresses: [NetworkAddress]
    /// Fresh randomness: none of what was in the image is used any more.
    public var seed: UInt64
    /// How long to wait before the first word, so that a thousand connections don't speak in one instant.
    public var delay: TimeSpan

    /// How many addresses of a client are probed.
    public static let clientAddressLimit = 4

    /// The thaw of a connection.
    public init(clientAddresses: [NetworkAddress], seed: UInt64, delay: TimeSpan = .zero) {
        self.clientAddresses = clientAddresses
        self.seed = seed
        self.delay = delay
    }
}

/// What a server's machine may know of the connection at the time of an input.
public struct ServerSurroundings: Hashable, Sendable {
    /// Our end of the active path.
    public var local: NetworkAddress
    /// The client's end of the active path.
    public var remote: NetworkAddress
    /// Whether the client was shown to own its end.
    public var isRemoteValidated: Bool
    /// Whether there is anything to send besides what the machine has.
    public var hasDataToSend: Bool
    /// Whether the client has issued a connection id with which nothing was sent, or uses none.
    public var hasSpareID: Bool

    /// A view of the connection.
    public init(
        local: NetworkAddress, remote: NetworkAddress, isRemoteValidated: Bool = true,
        hasDataToSend: Bool = false, hasSpareID: Bool = true
    ) {
        self.local = local
        self.remote = remote
        self.isRemoteValidated = isRemoteValidated
        self.hasDataToSend = hasDataToSend
        self.hasSpareID = hasSpareID
    }
}
