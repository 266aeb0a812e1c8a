public import GodwitWire

/// What bounds the challenges to addresses that have not answered (Specs/server-migration.md 5.5).
///
/// Whoever is made to probe an address that belongs to somebody else must not become a burden to it, however
/// the addresses are told, withdrawn and told again: so spent challenges are remembered by address for a
/// minute, and not with the candidates. The burden is the host's, whatever the port: the ports of one IP address
/// share what there is for it.
///
/// The last eighth of each allowance is spread over the minute. What would be used up in the first seconds
/// lets a server that comes back later be found all the same.
public struct ProbeBudget: Hashable, Sendable, Codable {
    private struct Spent: Hashable, Sendable, Codable {
        var address: NetworkAddress
        var sentAt: Instant
    }

    /// How many addresses that the server has told are probed at the same time.
    public static let candidateLimit = 8
    /// How many unanswered challenges an IP address is sent in any ``window``, at all of its ports together.
    public static let addressLimit = 64
    /// How many unanswered challenges a connection sends in any ``window``.
    public static let connectionLimit = 256
    /// The time that the limits are counted over.
    public static let window = TimeSpan.seconds(60)

    /// In the order in which they were sent.
    private var spent: ContiguousArray<Spent> = []

    /// Nothing spent.
    public init() {}

    /// How many unanswered challenges count now.
    public var count: Int { spent.count }

    /// How many unanswered challenges to the host of `address` count now, of those that were sent before a moment.
    public func count(for address: NetworkAddress, before time: Instant = .distantFuture) -> Int {
        spent.reduce(0) { $0 + ($1.address.ip == address.ip && $1.sentAt < time ? 1 : 0) }
    }

    /// From when on `address` may be sent one more challenge.
    public func opensAt(for address: NetworkAddress) -> Instant {
        var own = (count: 0, first: Instant?.none, last: Instant?.none)
        for entry in spent where entry.address.ip == address.ip {
            own = (own.count + 1, own.first ?? entry.sentAt, entry.sentAt)
        }
        return max(
            Self.opensAt(own.count, limit: Self.addressLimit, first: own.first, last: own.last),
            Self.opensAt(
                spent.count, limit: Self.connectionLimit, first: spent.first?.sentAt, last: spent.last?.sentAt
            ))
    }

    private static func opensAt(_ count: Int, limit: Int, first: Instant?, last: Instant?) -> Instant {
        guard let first, let last, count >= limit - limit / 8 else { return .distantPast }
        return count >= limit ? first + window : last + window / Int64(limit / 8)
    }

    /// Notes a challenge that was sent.
    public mutating func spend(on address: NetworkAddress, at now: Instant) {
        expire(at: now)
        spent.append(Spent(address: address, sentAt: now))
    }

    /// `address` has answered: whoever is there wants to be asked. That says nothing of the host's other ports.
    public mutating func onAnswer(from address: NetworkAddress) { spent.removeAll { $0.address == address } }

    /// Forgets what was sent before the window.
    public mutating func expire(at now: Instant) {
        // Exactly a window later it no longer counts: that is when ``opensAt(for:)`` says.
        guard let first = spent.first, first.sentAt + Self.window <= now else { return }
        spent.removeAll { $0.sentAt + Self.window <= now }
    }

    /// Moves the count over a freeze, during which nothing is forgiven.
    mutating func shift(by span: TimeSpan) {
        for index in spent.indices { spent[index].sentAt += span }
    }
}
