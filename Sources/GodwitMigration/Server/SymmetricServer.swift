/// A server that moves by Symmetric (Specs/server-migration.md 4.3): there is nothing to say before.
struct SymmetricServer: Hashable, Sendable, Codable {
    var isReady: Bool { true }
}
