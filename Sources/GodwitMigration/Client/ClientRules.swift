import GodwitWire

/// What the server has said so far, and what it may say next (Specs/server-migration.md 3.6, 3.7).
///
/// ```
///              SERVER_MIGRATION(address)
///           ┌────────────────────────────► explicit ──────────────┐
///   nothing ┤ SERVER_MIGRATION(all zero)                           ├ the client has followed
///      ▲    └────────────────────────────► synchronizedSymmetric ─┤
///      └───────────────────────────────────────────────────────────┘
/// ```
///
/// Without the extension a pool, once told, leaves room for nothing else; with it announcements add up, and
/// sequence numbers say which one is newer.
struct ClientRules: Hashable, Sendable, Codable {
    enum Announcement: Hashable, Sendable, Codable {
        case none
        case explicit(ExplicitClient)
        case synchronizedSymmetric
    }

    let agreement: MigrationAgreement
    private(set) var announcement = Announcement.none
    private(set) var pool: PoolClient?
    private(set) var combined = CombinedClient()
    /// Whether the server has moved before.
    private var hasMoved = false
    /// The destination that the client has followed to last.
    private var reached: MigrationAddress?
    /// The newest packet that a move was made by.
    private var newestPacket: UInt64?

    init(agreement: MigrationAgreement) { self.agreement = agreement }

    // MARK: Frames

    /// Takes a frame; nil when it says nothing new.
    ///
    /// - Parameters:
    ///   - current: the server's address as far as the client knows.
    ///   - isSearching: whether the client sends to a destination already that it has not found the server
    ///     at.
    mutating func receive(
        _ frame: MigrationFrame, packetNumber: UInt64, from remote: NetworkAddress, current: NetworkAddress,
        isSearching: Bool
    ) throws(TransportError) -> ClientNews? {
        if case .alternativeAddress(let frame) = frame { return try receive(frame) }
        // Specs/server-migration.md 3.6.2.
        guard !agreement.suite.isEmpty else {
            throw .migrationViolation("a migration frame that was not negotiated", frame.type)
        }
        guard !isOld(frame, packetNumber) else { return nil }
        switch frame {
        case .serverMigration(let address) where address.isAllZero: return try receiveAnnouncement()
        case .serverMigration(let address):
            return try receive(address, current: current, isSearching: isSearching)
        case .poolMigrationAddress(let address): return try receivePool(address, current: current)
        case .serverMigrated: return remote == current ? nil : try receiveMigrated()
        case .alternativeAddress: return nil
        }
    }

    /// Specs/server-migration.md 3.7. Frames of a pool may be spread over packets in any order; frames with
    /// sequence numbers need no such rule.
    private mutating func isOld(_ frame: MigrationFrame, _ packetNumber: UInt64) -> Bool {
        if case .poolMigrationAddress = frame { return false }
        if agreement.isExtended { return false }
        if let newestPacket, packetNumber <= newestPacket { return true }
        newestPacket = packetNumber
        return false
    }

    private mutating func receive(_ frame: AlternativeAddressFrame) throws(TransportError) -> ClientNews? {
        guard agreement.allowsAlternativeAddresses else { throw .unknownFrame(frame.type) }
        return combined.receive(frame) ? .alternative(frame) : nil
    }

    private mutating func receiveAnnouncement() throws(TransportError) -> ClientNews? {
        try SynchronizedSymmetricClient.receiveAnnouncement(agreement)
        switch announcement {
        case .none:
            try refuseBesidePool(MigrationFrameType.serverMigration)
            announcement = .synchronizedSymmetric
            return .announced
        case .synchronizedSymmetric: return nil
        case .explicit:
            guard agreement.isExtended else {
                throw .migrationViolation("another strategy is under way", MigrationFrameType.serverMigration)
            }
            return .announced
        }
    }

    private mutating func receive(
        _ address: MigrationAddress, current: NetworkAddress, isSearching: Bool
    ) throws(TransportError) -> ClientNews? {
        let type = MigrationFrameType.serverMigration
        guard agreement.permits(.explicit) else {
            throw .migrationViolation("Explicit was not negotiated", type)
        }
        try refuseBesidePool(type)
        if case .explicit = announcement, isSearching,
            address.address(isIPv4: current.isIPv4) == current
        {
            return nil
        }
        // Specs/server-migration.md 4.1.5: the acknowledgement of what brought the client here got lost.
        if address == reached, address.addresses.contains(current) { return nil }
        let destinations = try ExplicitClient.destinations(
            in: address, current: current, isExtended: agreement.isExtended)
        switch announcement {
        case .explicit(let told) where !agreement.isExtended:
            try told.receive(address)
            return nil
        case .synchronizedSymmetric where !agreement.isExtended:
            throw .migrationViolation("another strategy is under way", type)
        case .none, .synchronizedSymmetric, .explicit:
            announcement = .explicit(ExplicitClient(announced: address))
            return .destination(destinations.filter { !combined.hasRetired($0) })
        }
    }

    private mutating func receivePool(
        _ address: MigrationAddress, current: NetworkAddress
    ) throws(TransportError) -> ClientNews? {
        let type = MigrationFrameType.poolMigrationAddress
        guard agreement.permits(.poolOfAddresses) else {
            throw .migrationViolation("Pool of Addresses was not negotiated", type)
        }
        guard announcement == .none || agreement.isExtended else {
            throw .migrationViolation("another strategy is under way", type)
        }
        var known = pool ?? PoolClient()
        let addresses = try known.receive(
            address, current: current, mayChange: !hasMoved || agreement.isExtended,
            isExtended: agreement.isExtended)
        pool = known
        let news = addresses.filter { !combined.hasRetired($0) }
        return news.isEmpty ? nil : .pool(news)
    }

    private mutating func receiveMigrated() throws(TransportError) -> ClientNews? {
        try refuseBesidePool(MigrationFrameType.serverMigrated)
        switch announcement {
        case .none: try SymmetricClient.receiveMigrated(agreement)
        case .synchronizedSymmetric: break
        case .explicit:
            guard agreement.isExtended else {
                throw .migrationViolation("another strategy is under way", MigrationFrameType.serverMigrated)
            }
        }
        return .arrived
    }

    /// Specs/server-migration.md 4.2.6.
    private func refuseBesidePool(_ type: UInt64) throws(TransportError) {
        guard pool == nil || agreement.isExtended else {
            throw .migrationViolation("the pool leaves room for no other strategy", type)
        }
    }

    // MARK: Moves

    /// Whether packets from unknown addresses are worth opening (Specs/server-migration.md 4.3.3). In
    /// Synchronized Symmetric one of them may carry the announcement, of a server that was moved too early.
    var opensStrangers: Bool {
        admitsStrangers || (agreement.permits(.synchronizedSymmetric) && pool == nil && announcement == .none)
    }

    /// Whether the server may be where it was never said to be.
    var admitsStrangers: Bool {
        if agreement.allowsAlternativeAddresses { return true }
        switch announcement {
        case .none: return agreement.permits(.symmetric) && pool == nil
        case .synchronizedSymmetric: return true
        case .explicit: return false
        }
    }

    /// Whether the server said that it is about to move.
    var isMoveAnnounced: Bool { announcement != .none }

    /// The server's move was noticed in that packet, by Symmetric.
    mutating func onDetected(packetNumber: UInt64) {
        newestPacket = max(newestPacket ?? packetNumber, packetNumber)
    }

    /// The client has followed, which the packet with that number has shown.
    mutating func onMoved(packetNumber: UInt64) {
        if case .explicit(let told) = announcement { reached = told.announced }
        announcement = .none
        hasMoved = true
        onDetected(packetNumber: packetNumber)
    }

    /// The server has called its move off, by withdrawing the last address that it had announced.
    mutating func onCalledOff() { announcement = .none }
}
