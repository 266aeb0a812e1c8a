import GodwitWire

/// Counts how often a connection id goes with another address of the server than before (RFC 9000 section 9.5).
///
/// It looks at datagrams with a short header only, in which all ids of ours have the same length.
final class ConnectionIDChecker: Checker {
    let name = "connection ids"
    private static let length = 13
    private let client: IPAddress
    private var addresses: [ConnectionID: NetworkAddress] = [:]
    private var seen: (fromClient: Set<ConnectionID>, fromServer: Set<ConnectionID>) = ([], [])
    private(set) var repeated = 0
    /// How many ids were seen of the end of which fewer were.
    var count: Int { min(seen.fromClient.count, seen.fromServer.count) }

    init(client: IPAddress) { self.client = client }

    func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        guard event.kind == .delivered, payload.count > Self.length, payload[0] & 0x80 == 0,
            let id = ConnectionID(UnsafeRawBufferPointer(rebasing: payload[1...Self.length]))
        else { return nil }
        let isFromClient = event.source.ip == client
        let server = isFromClient ? event.destination : event.source
        if isFromClient { seen.fromClient.insert(id) } else { seen.fromServer.insert(id) }
        if addresses.updateValue(server, forKey: id) ?? server != server { repeated += 1 }
        return nil
    }
}
