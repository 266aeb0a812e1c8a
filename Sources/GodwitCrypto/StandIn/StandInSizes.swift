internal import GodwitWire

/// The sizes of BoringSSL's messages, so that packets of a simulation are as full as real ones. A test
/// compares them.
enum StandInSizes {
    static let finished = 36
    static let certificateVerify = 72

    static func clientHello(
        offersMLKEM: Bool, serverName: String, protocols: [String], parameters: Int, ticket: Int?,
        isEarly: Bool
    ) -> Int {
        let names = protocols.reduce(0) { $0 + 1 + $1.utf8.count }
        let host = IPAddress(serverName) == nil ? 9 + serverName.utf8.count : 0
        let psk = ticket.map { $0 + 47 } ?? 0
        return (offersMLKEM ? 1362 : 140) + host + 6 + names + 4 + parameters + psk + (isEarly ? 4 : 0)
    }

    static func serverHello(usesMLKEM: Bool, isResumed: Bool) -> Int {
        (usesMLKEM ? 1178 : 90) + (isResumed ? 6 : 0)
    }

    static func encryptedExtensions(applicationProtocol: String, parameters: Int, isEarly: Bool) -> Int {
        17 + applicationProtocol.utf8.count + parameters + (isEarly ? 4 : 0)
    }

    static func certificate(_ length: Int) -> Int { 13 + length }

    /// What the server seals into a ticket.
    static func ticketPayload(usesMLKEM: Bool, applicationProtocol: String, allowsEarlyData: Bool) -> Int {
        (usesMLKEM ? 165 : 164) + applicationProtocol.utf8.count - (allowsEarlyData ? 0 : 46)
    }

    static func newSessionTicket(ticket: Int, allowsEarlyData: Bool) -> Int {
        ticket + (allowsEarlyData ? 30 : 22)
    }
}
