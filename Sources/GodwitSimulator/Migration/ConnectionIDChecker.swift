import GodwitWire

/// Counts how often a connection id goes with another address of the server than before (RFC 9000 section 9.5).
///
/// It looks at datagrams with a short header only, in which all ids of ours have the same length.
final class ConnectionIDChecker: Checker {
    let name = "connection ids"
    private static let length = 13
    private let client: IPAddress
    private var addresses: [ConnectionID: NetworkAddress] = [:]
    private(set) var repeated = 0
    /// How many ids were seen.
    var count: Int { addresses.count }

    init(client: IPAddress) { self.client = client }

    func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        guard event.kind == .delivered, payload.count > Self.length, payload[0] & 0x80 == 0,
            let id = ConnectionID(UnsafeRawBufferPointer(rebasing: payload[1...Self.length]))
        else { return nil }
        let server = event.source.ip == client ? event.destination : event.source
        if addresses.updateValue(server, forKey: id) ?? server != server { repeated += 1 }
        return nil
    }
}
