/// The number of a plan to move, which every command about it carries (Specs/server-migration.md 6.6).
///
/// Numbers rise; one that was used is never used again, in no copy of the server.
public struct MigrationEpoch: RawRepresentable, Hashable, Sendable, Codable, Comparable {
    /// The number.
    public let rawValue: UInt64

    /// The plan with that number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Before the first plan.
    public static let none = MigrationEpoch(rawValue: 0)

    /// The number of the plan after this one.
    public var next: MigrationEpoch { MigrationEpoch(rawValue: rawValue &+ 1) }

    /// Whether `lhs` is the older plan.
    public static func < (lhs: MigrationEpoch, rhs: MigrationEpoch) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension MigrationEpoch: CustomStringConvertible {
    /// The number.
    public var description: String { String(rawValue) }
}
