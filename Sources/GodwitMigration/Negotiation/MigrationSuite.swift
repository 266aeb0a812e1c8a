/// The ways to move that an endpoint knows, or that both have agreed on (Specs/server-migration.md 2.1).
public struct MigrationSuite: OptionSet, Hashable, Sendable, Codable {
    /// The bits of the transport parameter.
    public let rawValue: UInt64

    /// A suite with these bits, known ones or not.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Explicit.
    public static let explicit = MigrationSuite(rawValue: 0x1)
    /// Pool of Addresses.
    public static let poolOfAddresses = MigrationSuite(rawValue: 0x2)
    /// Symmetric.
    public static let symmetric = MigrationSuite(rawValue: 0x4)
    /// Synchronized Symmetric.
    public static let synchronizedSymmetric = MigrationSuite(rawValue: 0x8)
    /// The extension: whatever goes beyond the four, the combined strategy among it.
    public static let extended = MigrationSuite(rawValue: 0x10)

    /// The four strategies without the extension.
    public static let basic: MigrationSuite = [
        .explicit, .poolOfAddresses, .symmetric, .synchronizedSymmetric,
    ]
    /// Every bit that means something.
    public static let all: MigrationSuite = basic.union(.extended)
}

extension MigrationSuite {
    /// Whether a bit is set that means nothing.
    public var hasUnknownBits: Bool { !isSubset(of: .all) }

    /// The strategies whose bits are set.
    public var strategies: [MigrationStrategy] { MigrationStrategy.allCases.filter { contains($0.suite) } }
}

extension MigrationSuite: CustomStringConvertible {
    /// The names of the bits, or `none`.
    public var description: String {
        var names = strategies.map { $0 == .combined ? "extended" : $0.description }
        let unknown = subtracting(.all).rawValue
        if unknown != 0 { names.append("0x" + String(unknown, radix: 16)) }
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }
}
