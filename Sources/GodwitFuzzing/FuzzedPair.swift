import GodwitCore
import GodwitCrypto
import GodwitWire

/// An endpoint under test and its peer, in virtual time, with a handshake that is the same on every run.
final class FuzzedPair {
    static let clientAddress = NetworkAddress(ip: IPAddress(v4: 0xc000_0201), port: 50_000)
    static let serverAddress = NetworkAddress(ip: IPAddress(v4: 0xc633_6401), port: 443)

    private struct Datagram {
        var bytes: [UInt8]
        var from: NetworkAddress
        var to: NetworkAddress
        var isFromPeer: Bool
    }

    let role: Role
    let target: Endpoint
    let peer: Endpoint
    var now = Instant.zero
    var targetApplication = FuzzedApplication()
    var peerApplication = FuzzedApplication()
    /// What a client keeps of its first connection.
    var ticket: ResumptionTicket?
    /// What the peer sent of late, oldest first.
    var history: [[UInt8]] = []
    /// What was sent and has not arrived.
    private var held: [Datagram] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

    init(role: Role, script: FuzzScript) {
        self.role = role
        let server = FuzzedSettings.server(script, edits: role == .client)
        let client = FuzzedSettings.client(script)
        target = role == .server ? server : client
        peer = role == .server ? client : server
        targetApplication.readsSlowly = script.beginning.contains(.smallWindows)
        if script.beginning.contains(.traffic) {
            targetApplication.appetite = 3000
            peerApplication.appetite = 3000
        }
    }

    deinit { buffer.deallocate() }

    private var client: Endpoint { role == .client ? target : peer }
    var targetAddress: NetworkAddress { role == .server ? Self.serverAddress : Self.clientAddress }
    var peerAddress: NetworkAddress { role == .server ? Self.clientAddress : Self.serverAddress }

    func connect(_ request: ConnectRequest) {
        _ = try? client.connect(request, now: now)
        takeEvents()
    }

    // MARK: Time

    /// Lets `span` pass, with all that becomes due in it at its end.
    func pass(_ span: TimeSpan) {
        now += span
        settle()
    }

    /// Does what is due by now. When it is done nothing may be due any more, or a driver would spin.
    func settle() {
        for endpoint in [target, peer] {
            var rounds = 0
            while let deadline = endpoint.nextDeadline, deadline <= now {
                endpoint.handleDeadline(now: now)
                takeEvents()
                transmit(from: endpoint) { bytes, sent in hold(bytes, sent, by: endpoint) }
                rounds += 1
                require(rounds < 200, "what is due is done once it was handled")
            }
        }
    }

    /// Goes on to the next deadline of either endpoint. False when there is none.
    func passToNextDeadline() -> Bool {
        guard let next = [target, peer].compactMap(\.nextDeadline).min() else { return false }
        now = max(now, next)
        settle()
        return true
    }

    // MARK: Datagrams

    /// What both have to send arrives, the peer's after `change`.
    func exchange(_ change: ([UInt8]) -> [UInt8] = { $0 }) {
        for endpoint in [peer, target] {
            transmit(from: endpoint) { bytes, sent in hold(bytes, sent, by: endpoint) }
            let arriving = held
            held = []
            for datagram in arriving { arrive(datagram, change) }
            takeEvents()
        }
    }

    func lose() {
        for endpoint in [peer, target] { transmit(from: endpoint) { _, _ in } }
        held = []
    }

    private func hold(_ bytes: [UInt8], _ sent: Transmission, by sender: Endpoint) {
        if sender === peer { remember(bytes) }
        guard held.count < 256 else { return }
        held.append(Datagram(bytes: bytes, from: sent.local, to: sent.remote, isFromPeer: sender === peer))
    }

    private func arrive(_ datagram: Datagram, _ change: ([UInt8]) -> [UInt8]) {
        let receiver = datagram.isFromPeer ? target : peer
        let bytes = datagram.isFromPeer ? change(datagram.bytes) : datagram.bytes
        receive(bytes, at: receiver, from: datagram.from, to: datagram.to)
    }

    /// A datagram reaches the endpoint under test.
    func deliver(_ bytes: [UInt8], from remote: NetworkAddress? = nil) {
        receive(bytes, at: target, from: remote ?? peerAddress, to: targetAddress)
        takeEvents()
    }

    private func receive(
        _ bytes: [UInt8], at endpoint: Endpoint, from remote: NetworkAddress, to local: NetworkAddress
    ) {
        guard !bytes.isEmpty else { return }
        var bytes = bytes
        let ecn = ECNCodepoint(rawValue: bytes[bytes.count - 1] & 3) ?? .notECT
        bytes.withUnsafeMutableBytes {
            endpoint.receive($0, segmentSize: $0.count, from: remote, to: local, ecn: ecn, now: now)
        }
    }

    private func transmit(from endpoint: Endpoint, _ body: ([UInt8], Transmission) -> Void) {
        var trains = 0
        while let sent = endpoint.transmit(into: buffer, now: now) {
            trains += 1
            require(trains < 4096, "an endpoint has not sent all it has to send at a time")
            require(
                sent.count > 0 && sent.count <= buffer.count && sent.segmentSize > 0, "a train has a size")
            var rest = buffer[..<sent.count]
            while !rest.isEmpty {
                let datagram = [UInt8](rest.prefix(sent.segmentSize))
                learnIDs(from: datagram, sentBy: endpoint)
                body(datagram, sent)
                rest = rest.dropFirst(sent.segmentSize)
            }
        }
    }

    private func remember(_ bytes: [UInt8]) {
        if history.count == 16 { history.removeFirst() }
        history.append(bytes)
    }

    // MARK: Applications

    func takeEvents() {
        take(from: target, for: &targetApplication)
        take(from: peer, for: &peerApplication)
    }

    private func take(from endpoint: Endpoint, for application: inout FuzzedApplication) {
        var count = 0
        while let event = endpoint.nextEvent() {
            count += 1
            require(count < 100_000, "events come to an end")
            if case .connection(_, .resumptionTicket(let new)) = event { ticket = new }
            application.handle(event, at: endpoint, now: now)
        }
    }

    // MARK: Forging

    /// The connection ids in the client's first datagram, by whom they name.
    private(set) var ids: (target: ConnectionID, peer: ConnectionID)?

    private func learnIDs(from bytes: [UInt8], sentBy sender: Endpoint) {
        guard ids == nil, sender === client else { return }
        bytes.withUnsafeBytes { view in
            guard let header = InvariantLongHeader.decode(view),
                let server = ConnectionID(header.destinationID),
                let client = ConnectionID(header.sourceID)
            else { return }
            ids = role == .client ? (client, server) : (server, client)
        }
    }

    /// Ends the connections that there are, so that others can begin.
    func closeAll() {
        for handle in client.connectionHandles {
            client.connection(handle)?.close(code: 0, reason: "", now: now)
        }
        exchange()
        while target.connectionCount + peer.connectionCount > 0, passToNextDeadline() {}
        ids = nil
        history = []
        held = []
    }

    /// A packet of the peer's with any contents.
    func forge(_ forgery: Forgery, _ payload: UnsafeRawBufferPointer, isPadded: Bool) -> [UInt8]? {
        guard let handle = peer.connectionHandles.first, let connection = peer.connection(handle) else {
            return nil
        }
        let slice = UnsafeMutableRawBufferPointer(rebasing: buffer[..<1400])
        guard let count = connection.forge(forgery, payload: payload, into: slice, now: now) else {
            return nil
        }
        // RFC 9000 section 14.1: a server reads no first packet in a smaller datagram.
        return [UInt8](slice[..<count]) + [UInt8](repeating: 0, count: isPadded ? max(0, 1200 - count) : 0)
    }
}
