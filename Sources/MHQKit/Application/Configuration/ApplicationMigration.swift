package import Godwit

/// The ways to move that a configuration of the application turns on.
package struct ApplicationMigration: Hashable, Sendable {
    package var isEnabled: Bool
    package var explicit: Bool
    package var poolOfAddresses: Bool
    package var symmetric: Bool
    package var synchronizedSymmetric: Bool

    /// - Parameter poolByDefault: the published examples differ in this.
    init(_ reader: inout ConfigurationReader, poolByDefault: Bool) throws(Failure) {
        isEnabled = try reader.flag("enable", default: true)
        explicit = try reader.flag("explicit", default: true)
        poolOfAddresses = try reader.flag("poolOfAddresses", default: poolByDefault)
        symmetric = try reader.flag("symmetric", default: true)
        synchronizedSymmetric = try reader.flag("synchronizedSymmetric", default: true)
    }

    /// What is offered or agreed to.
    package func suite(_ policy: MigrationPolicy) -> MigrationSuite {
        guard isEnabled else { return [] }
        var suite: MigrationSuite = []
        if explicit { suite.insert(.explicit) }
        if poolOfAddresses { suite.insert(.poolOfAddresses) }
        if symmetric { suite.insert(.symmetric) }
        if synchronizedSymmetric { suite.insert(.synchronizedSymmetric) }
        if policy == .godwit, !suite.isEmpty { suite.insert(.extended) }
        return suite
    }
}

/// A protocol as the configurations and the results of the experiments call it.
package enum ApplicationProtocol: String, Hashable, Sendable, Codable, CaseIterable {
    case proactiveExplicit
    case reactiveExplicit
    case poolOfAddresses
    case symmetric
    case synchronizedSymmetric

    /// As the management interface calls it.
    package var managementName: String {
        switch self {
        case .proactiveExplicit, .reactiveExplicit: "Explicit"
        case .poolOfAddresses: "Pool of Addresses"
        case .symmetric: "Symmetric"
        case .synchronizedSymmetric: "Synchronized Symmetric"
        }
    }
}
