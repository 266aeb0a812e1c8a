import GodwitMigration
import GodwitWire

extension MigrationOrder {
    /// The simplest order of a strategy.
    init(_ strategy: MigrationStrategy, to address: NetworkAddress) {
        let destination = MigrationDestination(address)!
        self =
            switch strategy {
            case .explicit: .explicit(destination: destination)
            case .poolOfAddresses: .poolOfAddresses
            case .symmetric: .symmetric
            case .synchronizedSymmetric: .synchronizedSymmetric
            case .combined: .combined(destination: destination)
            }
    }
}
