public import GodwitWire

/// What a client offers and what it makes of the answer (Specs/server-migration.md 2.2).
public struct ClientMigrationNegotiation: Hashable, Sendable, Codable {
    /// The ways to move that the client knows; empty when it wants none of it.
    public let suite: MigrationSuite
    /// Whether to send alternative_address as well (Specs/server-migration.md 2.4).
    public let offersAlternativeAddresses: Bool

    /// A client that knows `suite`.
    ///
    /// - Precondition: every bit of the suite means something.
    public init(suite: MigrationSuite = .all, offersAlternativeAddresses: Bool = false) {
        precondition(!suite.hasUnknownBits)
        self.suite = suite
        self.offersAlternativeAddresses = offersAlternativeAddresses
    }

    /// Migration is off.
    public static let off = ClientMigrationNegotiation(suite: [])

    /// Adds what the client offers to its parameters. A suite without a bit is not sent at all.
    public func write(to parameters: inout TransportParameters) {
        parameters.setServerMigrationSuite(suite.isEmpty ? nil : suite.rawValue)
        parameters.setOffersAlternativeAddresses(offersAlternativeAddresses)
    }

    /// Takes what the server sent.
    ///
    /// - Throws: `TRANSPORT_PARAMETER_ERROR` for a suite that was never offered, a bit that means nothing or
    ///   was not offered, and for alternative_address, which servers don't send.
    public func receive(_ parameters: TransportParameters) throws(TransportError) -> MigrationAgreement {
        if offersAlternativeAddresses, try parameters.offersAlternativeAddresses() {
            throw .migrationNegotiation("a server sent alternative_address")
        }
        return MigrationAgreement(
            suite: try agreedSuite(try parameters.serverMigrationSuite()),
            offersAlternativeAddresses: offersAlternativeAddresses)
    }

    private func agreedSuite(_ answer: UInt64?) throws(TransportError) -> MigrationSuite {
        guard let answer = answer.map({ MigrationSuite(rawValue: $0) }) else { return [] }
        guard !suite.isEmpty else {
            throw .migrationNegotiation("a server_migration_suite that was not asked for")
        }
        guard answer.isSubset(of: suite) else {
            throw .migrationNegotiation("server_migration_suite has bits that were not offered")
        }
        return answer
    }
}

/// What a server makes of an offer (Specs/server-migration.md 2.3).
public struct ServerMigrationNegotiation: Hashable, Sendable, Codable {
    /// The ways to move that the server knows; empty when it wants none of it.
    public let suite: MigrationSuite
    /// Whether to name other addresses to clients that sent alternative_address (Specs/server-migration.md
    /// 2.4).
    public let usesAlternativeAddresses: Bool
    /// Whether there is a pool. Without one, Pool of Addresses is agreed on only with clients that know of
    /// pools that change (Specs/server-migration.md 2.3.5).
    public let hasPool: Bool

    /// A server that knows `suite`.
    ///
    /// - Precondition: every bit of the suite means something.
    public init(suite: MigrationSuite = .all, usesAlternativeAddresses: Bool = true, hasPool: Bool = true) {
        precondition(!suite.hasUnknownBits)
        self.suite = suite
        self.usesAlternativeAddresses = usesAlternativeAddresses
        self.hasPool = hasPool
    }

    /// Migration is off.
    public static let off = ServerMigrationNegotiation(suite: [], usesAlternativeAddresses: false)

    /// Takes what the client sent and adds the answer to the server's own parameters: nothing unless the
    /// client asked, and 0 when the two have nothing in common.
    ///
    /// - Throws: `TRANSPORT_PARAMETER_ERROR` for a suite without a bit, and for a malformed parameter.
    public func answer(
        _ client: TransportParameters, in own: inout TransportParameters
    ) throws(TransportError) -> MigrationAgreement {
        let offersAddresses = usesAlternativeAddresses ? try client.offersAlternativeAddresses() : false
        guard !suite.isEmpty, let offer = try client.serverMigrationSuite() else {
            return MigrationAgreement(suite: [], offersAlternativeAddresses: offersAddresses)
        }
        guard offer != 0 else { throw .migrationNegotiation("server_migration_suite offers nothing") }
        var common = suite.intersection(MigrationSuite(rawValue: offer))
        if !hasPool, !common.contains(.extended) { common.remove(.poolOfAddresses) }
        own.setServerMigrationSuite(common.rawValue)
        return MigrationAgreement(suite: common, offersAlternativeAddresses: offersAddresses)
    }
}

extension TransportError {
    fileprivate static func migrationNegotiation(_ reason: String) -> TransportError {
        TransportError(.transportParameterError, reason, frameType: FrameType.crypto)
    }
}
