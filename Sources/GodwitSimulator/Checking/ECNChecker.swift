import GodwitWire

/// Holds endpoints to noticing that a path does not carry ECN marks (RFC 9000 section 13.4.2): where none of
/// a flow's marks arrives as it was set, marking has to end soon.
///
/// A flow is what goes from one address to another. Where marks pass for a while and then no longer, an
/// endpoint may take as long as its packets under way, and nothing is said.
public final class ECNChecker: Checker {
    private struct Flow: Hashable {
        var source: NetworkAddress
        var destination: NetworkAddress
    }

    private struct Account {
        var sent = 0
        var changed = 0
        var passed = 0
        var isSettled = false
    }

    /// `ECN`.
    public let name = "ECN"
    private let limit: Int
    private var accounts: [Flow: Account] = [:]
    /// The flows of marked datagrams on their way; a translator on the way gives them another name.
    private var underWay: [UInt64: Flow] = [:]
    /// How many datagrams came with a mark of congestion.
    public private(set) var congestionMarks: UInt64 = 0

    /// A checker that has seen nothing.
    ///
    /// - Parameter limit: how many marked datagrams a flow may have where marks don't pass: what the tests of
    ///   all its connections take.
    public init(limit: Int) { self.limit = limit }

    /// Counts what is marked, and what becomes of it.
    public func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        switch event.kind {
        case .sent: return event.ecn == .notECT ? nil : send(event)
        case .marked where event.ecn != .congestionExperienced:
            settle(event) { $0.changed += 1 }
        case .delivered:
            if event.ecn == .congestionExperienced { congestionMarks += 1 }
            settle(event) { $0.passed += 1 }
        case .dropped: settle(event) { _ in }
        default: break
        }
        return nil
    }

    private func send(_ event: TraceEvent) -> String? {
        let flow = Flow(source: event.source, destination: event.destination)
        underWay[event.serial] = flow
        accounts[flow, default: Account()].sent += 1
        guard let account = accounts[flow], !account.isSettled, account.passed == 0, account.changed > 0,
            account.sent > limit
        else { return nil }
        accounts[flow]?.isSettled = true
        return "\(account.sent) datagrams from \(event.source) to \(event.destination) were marked, and no "
            + "mark came through"
    }

    private func settle(_ event: TraceEvent, _ note: (inout Account) -> Void) {
        guard let flow = underWay.removeValue(forKey: event.serial) else { return }
        note(&accounts[flow, default: Account()])
    }
}
