/// How a connection is to move: the strategy and what it needs to know.
public enum MigrationOrder: Hashable, Sendable, Codable {
    /// Explicit, to the destination of the client's address family.
    case explicit(destination: MigrationDestination)
    /// To one of the addresses of the pool.
    case poolOfAddresses
    /// Symmetric.
    case symmetric
    /// Synchronized Symmetric.
    case synchronizedSymmetric
    /// Combined, to either destination.
    case combined(destination: MigrationDestination)
}

extension MigrationOrder {
    /// An order to move by a strategy; those that name no destination leave it out.
    package init(_ strategy: MigrationStrategy, to destination: MigrationDestination) {
        self =
            switch strategy {
            case .explicit: .explicit(destination: destination)
            case .poolOfAddresses: .poolOfAddresses
            case .symmetric: .symmetric
            case .synchronizedSymmetric: .synchronizedSymmetric
            case .combined: .combined(destination: destination)
            }
    }

    /// The strategy.
    public var strategy: MigrationStrategy {
        switch self {
        case .explicit: .explicit
        case .poolOfAddresses: .poolOfAddresses
        case .symmetric: .symmetric
        case .synchronizedSymmetric: .synchronizedSymmetric
        case .combined: .combined
        }
    }

    /// Where the server is going to be, as far as the order says.
    public var destination: MigrationDestination? {
        switch self {
        case .explicit(let destination), .combined(let destination): destination
        case .poolOfAddresses, .symmetric, .synchronizedSymmetric: nil
        }
    }
}

extension MigrationOrder: CustomStringConvertible {
    /// The strategy and the destination.
    public var description: String {
        destination.map { "\(strategy) to \($0)" } ?? strategy.description
    }
}
