/// A way in which a server moves (Specs/server-migration.md 4).
public enum MigrationStrategy: UInt8, Hashable, Sendable, Codable, CaseIterable {
    /// The server says where it is going to be; the client goes there when it misses the server.
    case explicit
    /// The server has told where it may be some day; the client looks there when it misses the server.
    case poolOfAddresses
    /// The server says nothing before the move and speaks up afterwards.
    case symmetric
    /// The server says that it is going to move, not where, and speaks up afterwards.
    case synchronizedSymmetric
    /// The server says where it is going to be, in both families, and both sides start.
    case combined
}

extension MigrationStrategy {
    /// The bit of the suite that stands for the strategy (Specs/server-migration.md 2.1).
    public var suite: MigrationSuite {
        switch self {
        case .explicit: .explicit
        case .poolOfAddresses: .poolOfAddresses
        case .symmetric: .symmetric
        case .synchronizedSymmetric: .synchronizedSymmetric
        case .combined: .extended
        }
    }
}

extension MigrationStrategy: CustomStringConvertible {
    /// The name in running text.
    public var description: String {
        switch self {
        case .explicit: "explicit"
        case .poolOfAddresses: "pool of addresses"
        case .symmetric: "symmetric"
        case .synchronizedSymmetric: "synchronized symmetric"
        case .combined: "combined"
        }
    }
}

extension MigrationStrategy {
    /// The value in logs and metrics (Specs/qlog-migration.md 2.2).
    package var label: StaticString {
        switch self {
        case .explicit: "explicit"
        case .poolOfAddresses: "pool_of_addresses"
        case .symmetric: "symmetric"
        case .synchronizedSymmetric: "synchronized_symmetric"
        case .combined: "combined"
        }
    }
}
