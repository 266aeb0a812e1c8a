public import GodwitMigration
public import GodwitWire

/// Why a command about a move was not carried out.
public enum MigrationError: Error, Hashable, Sendable {
    /// The command is not one for this plan at this time.
    case refused(EpochLedger.Refusal)
    /// The plan leads to an address that is not allowed.
    case forbiddenDestination(NetworkAddress)
    /// Another copy of the server goes on (Specs/server-migration.md 6.6.4).
    case anotherCopyGoesOn(MigrationEpoch)
}

extension MigrationError: CustomStringConvertible {
    /// A sentence for the operator.
    public var description: String {
        switch self {
        case .refused(let refusal): "\(refusal)"
        case .forbiddenDestination(let address): "\(address) is not among the allowed destinations"
        case .anotherCopyGoesOn(let epoch): "another copy of the server goes on under plan \(epoch)"
        }
    }
}
