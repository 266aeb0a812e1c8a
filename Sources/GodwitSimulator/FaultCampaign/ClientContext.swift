import GodwitCore
import GodwitWire

/// What all connections of a client share.
final class ClientContext {
    let server: NetworkAddress
    let book: WorkloadBook
    let habits: ClientHabits
    /// What earlier connections left behind, the newest last.
    var tickets: [ResumptionTicket] = []
    var token: [UInt8] = []
    /// The address that the client wants its connections to be at; nil for where they are.
    var migration: NetworkAddress?
    /// When the last fault of the plan is over, on the network's clock.
    var calmFrom = Instant.zero
    /// Has an attacker repeat what the client sends next.
    var replay: () -> Void = {}
    /// Freezes the client's host for a while.
    var freeze: (TimeSpan) -> Void = { _ in }

    private static let keptTickets = 4

    init(server: NetworkAddress, book: WorkloadBook, habits: ClientHabits) {
        self.server = server
        self.book = book
        self.habits = habits
    }

    func keep(_ ticket: ResumptionTicket) {
        tickets.append(habits.hasOutdatedTickets ? ticket.outdated : ticket)
        if tickets.count > Self.keptTickets { tickets.removeFirst() }
    }
}

/// What a client does besides its work.
struct ClientHabits {
    /// How often it sends a small request, so that the server learns where it is; nil where the transport's
    /// keep-alive does that.
    var heartbeatInterval: TimeSpan?
    /// How often it updates its keys.
    var keyUpdateInterval: TimeSpan?
    /// Whether it connects from an address that it names, or leaves that to the host.
    var namesItsAddress: Bool
    /// Whether the server has asked its clients not to migrate, and where it would let them (RFC 9000 section
    /// 18.2).
    var forbiddenRemote: NetworkAddress?
    /// The versions of QUIC that the server speaks.
    var serverVersions: [QUICVersion]
    /// Whether the server, which refuses early data, seems to have had other limits when it made its tickets.
    var hasOutdatedTickets: Bool
    /// The address that the server prefers.
    var preferredRemote: NetworkAddress?
    /// Whether nothing that is sent to or by the client gets lost.
    var isFlawless: Bool
}

extension ResumptionTicket {
    /// The ticket as a server would have made it that allowed more.
    fileprivate var outdated: ResumptionTicket {
        guard var limits = try? TransportParameters.decode(transportParameters, sender: .server) else {
            return self
        }
        limits.initialMaxData *= 4
        limits.initialMaxStreamDataBidirectionalLocal *= 4
        limits.initialMaxStreamDataBidirectionalRemote *= 4
        limits.initialMaxStreamDataUnidirectional *= 4
        limits.initialMaxStreamsBidirectional += 4
        limits.initialMaxStreamsUnidirectional += 4
        limits.maxDatagramFrameSize = 65_535
        var ticket = self
        ticket.transportParameters = limits.encoded(sender: .server)
        return ticket
    }
}
