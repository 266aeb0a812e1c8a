/// What the two ends of a connection may do for a move of the server, once both have sent their transport
/// parameters (Specs/server-migration.md 2).
public struct MigrationAgreement: Hashable, Sendable, Codable {
    /// The bits that both sides set.
    public let suite: MigrationSuite
    /// Whether the client sent alternative_address, by which the server may name other addresses of its own
    /// and probe from them, and nothing else (Specs/server-migration.md 2.4).
    public let offersAlternativeAddresses: Bool

    init(suite: MigrationSuite, offersAlternativeAddresses: Bool = false) {
        self.suite = suite.intersection(.all)
        self.offersAlternativeAddresses = offersAlternativeAddresses
    }

    /// A plain connection of QUIC version 1.
    public static let none = MigrationAgreement(suite: [])

    /// Whether the connection is one of plain QUIC version 1.
    public var isNone: Bool { self == .none }
    /// Whether the bit 0x10 was agreed on, by which both know what goes beyond the four strategies.
    public var isExtended: Bool { suite.contains(.extended) }
    /// Whether there may be ALTERNATIVE_V4_ADDRESS and ALTERNATIVE_V6_ADDRESS frames.
    public var allowsAlternativeAddresses: Bool { isExtended || offersAlternativeAddresses }
    /// Whether a server may challenge the path from its new address (Specs/server-migration.md 6.3).
    public var allowsServerProbing: Bool { allowsAlternativeAddresses }

    /// Whether a server may move by `strategy` as far as the agreement goes. The combined strategy needs no
    /// more than that it may name addresses (Specs/server-migration.md 2.4).
    public func permits(_ strategy: MigrationStrategy) -> Bool {
        strategy == .combined ? allowsAlternativeAddresses : suite.contains(strategy.suite)
    }
}
