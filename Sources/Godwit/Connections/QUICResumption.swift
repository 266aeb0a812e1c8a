public import GodwitCore
import GodwitCrypto
public import GodwitWire

/// What a client keeps of a connection to make the next one to the same server faster: with fewer messages,
/// and with early data (0-RTT) if the server allows it.
///
/// It holds secrets: keep it as you would a password. It can be stored, being `Codable`, and is good for one
/// connection; used for several it lets observers link them (RFC 9001 section 4.5).
public struct QUICResumption: Sendable, Hashable, Codable {
    /// The session of TLS and what the server said of its limits.
    public var ticket: ResumptionTicket
    /// By what the server knows our address (RFC 9000 section 8.1.3); empty if it gave nothing.
    public var addressToken: [UInt8]
    /// Where the server was.
    public var remoteAddress: NetworkAddress

    /// Puts the parts together.
    public init(ticket: ResumptionTicket, addressToken: [UInt8], remoteAddress: NetworkAddress) {
        self.ticket = ticket
        self.addressToken = addressToken
        self.remoteAddress = remoteAddress
    }
}

extension QUICResumption {
    /// Whether the server may take early data.
    var allowsEarlyData: Bool { session?.allowsEarlyData ?? false }

    /// The token to show to the server of this name: none, unless it is the one that gave it (RFC 9000
    /// section 8.1.3).
    func addressToken(for serverName: String) -> [UInt8] {
        session?.isFor(serverName: serverName) == true ? addressToken : []
    }

    private var session: SessionTicket? { SessionTicket(ticket.session) }
}
