import GodwitWire

/// How much may be sent to an address that nobody has proved to own: three times what came from it (RFC 9000
/// section 8).
struct AmplificationLimit: Codable, Sendable, Equatable {
    private var received: UInt64 = 0
    private var sent: UInt64 = 0
    /// Whether the address is validated, or was chosen by ourselves: then nothing is limited.
    private(set) var isLifted: Bool

    init(isLifted: Bool) { self.isLifted = isLifted }

    /// How many bytes may be sent now; `Int.max` without a limit.
    var allowance: Int {
        if isLifted { return .max }
        let credit = received.multipliedReportingOverflow(by: 3)
        let total = credit.overflow ? UInt64.max : credit.partialValue
        return total > sent ? Int(clamping: total - sent) : 0
    }

    /// Counts a whole datagram, whether its packets were of any use or not (RFC 9000 section 8.1).
    mutating func onReceived(_ size: Int) {
        if !isLifted { received &+= UInt64(size) }
    }

    mutating func onSent(_ size: Int) {
        if !isLifted { sent &+= UInt64(size) }
    }

    mutating func lift() { isLifted = true }
}
