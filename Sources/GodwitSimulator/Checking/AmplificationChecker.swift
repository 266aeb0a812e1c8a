public import GodwitWire

/// Holds a server to the anti-amplification limit: to an address that it has not validated it sends at most
/// three times what came from there (RFC 9000 sections 8 and 21.1.1.1).
///
/// It counts the payload of datagrams by address, over all connections. The server's program reports
/// ``Observation/addressValidated(_:)`` for each address that it has validated.
public final class AmplificationChecker: Checker {
    private struct Account {
        var received: UInt64 = 0
        var sent: UInt64 = 0
        var isSettled = false
    }

    /// `amplification`.
    public let name = "amplification"
    private let server: HostID
    private let factor: UInt64
    private var accounts: [NetworkAddress: Account] = [:]

    /// Watches a server.
    ///
    /// - Parameters:
    ///   - server: the host.
    ///   - factor: how many times what it received it may send; three in RFC 9000 section 8.
    public init(server: HostID, factor: UInt64 = 3) {
        self.server = server
        self.factor = factor
    }

    /// Counts what the server is given and sends.
    public func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        guard event.place == .host(server) else { return nil }
        switch event.kind {
        case .delivered:
            accounts[event.source, default: Account()].received += UInt64(event.size)
            return nil
        case .sent: return charge(event)
        case .restarted:
            // Whoever starts anew has validated nobody.
            accounts = [:]
            return nil
        default: return nil
        }
    }

    private func charge(_ event: TraceEvent) -> String? {
        var account = accounts[event.destination] ?? Account()
        defer { accounts[event.destination] = account }
        account.sent += UInt64(event.size)
        guard !account.isSettled, account.sent > factor * account.received else { return nil }
        // One complaint an address is enough.
        account.isSettled = true
        return
            "sent \(account.sent) B to unvalidated \(event.destination), which sent \(account.received) B"
    }

    /// Lifts the limit for a validated address.
    public func check(_ observation: Observation, from host: HostID, at time: Instant) -> String? {
        if host == server, case .addressValidated(let address) = observation {
            accounts[address, default: Account()].isSettled = true
        }
        return nil
    }
}
