internal import NIOConcurrencyHelpers

/// The keys of a server's session tickets, which can be replaced while it runs.
///
/// Servers that are given the same keys resume each other's sessions.
public final class TicketKeys: Sendable {
    private static let purpose = "session ticket"

    private let sealer: NIOLockedValueBox<TokenSealer>

    /// - Parameter keys: the one that seals first, then those whose tickets are still taken. At least one.
    public init(_ keys: [SharedKey]) {
        sealer = NIOLockedValueBox(TokenSealer(keys: keys, purpose: Self.purpose))
    }

    /// Keys that no other server has and that end with the process.
    public static func random() -> TicketKeys { TicketKeys([.random()]) }

    /// Puts other keys in place; to let tickets go on working, list the key of before behind the new one.
    public func replace(with keys: [SharedKey]) {
        let new = TokenSealer(keys: keys, purpose: Self.purpose)
        sealer.withLockedValue { $0 = new }
    }

    var current: TokenSealer { sealer.withLockedValue { $0 } }
}
