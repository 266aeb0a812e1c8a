public import GodwitWire

/// What a client's connection reports to its ``ClientMigrationMachine``.
public enum ClientMigrationInput: Hashable, Sendable {
    // Packets
    /// A 1-RTT packet carried that frame. It came from `remote`.
    case frame(MigrationFrame, packetNumber: UInt64, from: NetworkAddress)
    /// All frames of a 1-RTT packet were processed. It came from `remote`; `isHighestNonProbing` says whether
    /// it was no probing packet and has the highest number of all those (RFC 9000 section 9.3).
    ///
    /// Needed when ``ClientMigrationMachine/wantsPacket(from:active:)`` says so.
    case packet(number: UInt64, from: NetworkAddress, isHighestNonProbing: Bool)
    /// An ACK that came from `remote` acknowledged packets anew, up to that number.
    ///
    /// Needed while ``ClientMigrationMachine/wantsAcknowledgements``.
    case acknowledgement(largest: UInt64, from: NetworkAddress)
    /// The server sent a packet that asks for an acknowledgement.
    ///
    /// Needed while ``ClientMigrationMachine/wantsElicitation``.
    case elicited

    // Paths
    /// The server answered a challenge that was sent to that address, in the packet with that number.
    case pathValidated(NetworkAddress, packetNumber: UInt64)
    /// The path to that address is gone, or none could be opened.
    case pathFailed(NetworkAddress)
    /// A probe timeout; the number is that of the last packet sent before it.
    case probeTimeout(largestSent: UInt64)
    /// The oldest packet that awaits its acknowledgement was sent a probe timeout ago; the number is that of the last
    /// packet sent. Packets that are sent all the while put a probe timeout off, and not this.
    ///
    /// Needed while ``ClientMigrationMachine/watchesSilence``.
    case silence(largestSent: UInt64)
    /// The network says that the address can't be reached.
    case unreachable(NetworkAddress, largestSent: UInt64)
    /// The client sends from another address of its own from now on.
    case localAddressChanged(largestSent: UInt64)

    /// The application has learnt that the server moves now.
    case moveNow(largestSent: UInt64)
    /// The time of ``ClientMigrationMachine/deadline`` has come.
    case deadline
}

/// What a client's machine may know of the connection at the time of an input.
public struct ClientSurroundings: Hashable, Sendable {
    /// The server's end of the active path.
    public var active: NetworkAddress
    /// The probe timeout of the active path, without backoff.
    public var probeTimeout: TimeSpan
    /// When the last packet came from the server.
    public var lastHeard: Instant
    /// When the last packet came that asks for an acknowledgement.
    public var lastElicited: Instant
    /// Whether something is unacknowledged, so that a probe timeout is armed.
    public var awaitsAcknowledgement: Bool
    /// How many connection ids the server has to spare.
    public var spareIDs: Int

    /// A view of the connection.
    public init(
        active: NetworkAddress, probeTimeout: TimeSpan, lastHeard: Instant, lastElicited: Instant,
        awaitsAcknowledgement: Bool, spareIDs: Int
    ) {
        self.active = active
        self.probeTimeout = probeTimeout
        self.lastHeard = lastHeard
        self.lastElicited = lastElicited
        self.awaitsAcknowledgement = awaitsAcknowledgement
        self.spareIDs = spareIDs
    }
}
