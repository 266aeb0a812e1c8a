internal import GodwitWire

/// What the client of a stand-in keeps of a session.
struct StandInTicket {
    let serverName: String
    let applicationProtocol: String
    let allowsEarlyData: Bool
    let presharedKey: [UInt8]
    let certificate: [UInt8]
    /// What the server sealed for itself.
    let sealed: [UInt8]

    var bytes: [UInt8] {
        StandInMessage(
            .newSessionTicket,
            [
                Array(serverName.utf8), Array(applicationProtocol.utf8), [allowsEarlyData ? 1 : 0],
                presharedKey,
                certificate, sealed,
            ]
        ).bytes
    }
}

extension StandInTicket {
    /// Nil if the bytes are none of ours.
    init?(_ bytes: [UInt8]) {
        var buffer = StandInMessageBuffer()
        let message = try? bytes.withUnsafeBytes {
            try buffer.append($0)
            return try buffer.next()
        }
        guard let message, message.kind == .newSessionTicket, let fields = try? message.fields(6),
            fields[3].count == 32
        else { return nil }
        serverName = String(decoding: fields[0], as: UTF8.self)
        applicationProtocol = String(decoding: fields[1], as: UTF8.self)
        allowsEarlyData = fields[2] == [1]
        presharedKey = fields[3]
        certificate = fields[4]
        sealed = fields[5]
    }
}
