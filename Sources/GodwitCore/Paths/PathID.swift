/// The number of a path within its connection: 0 for the first, never used twice.
struct PathID: RawRepresentable, Hashable, Codable, Sendable {
    var rawValue: UInt32
}
