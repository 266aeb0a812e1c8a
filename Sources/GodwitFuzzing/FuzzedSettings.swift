import GodwitCore
import GodwitCrypto
import GodwitWire

/// How the endpoints of a pair are set up. All keys and all randomness are fixed.
enum FuzzedSettings {
    static func server(_ script: FuzzScript, edits: Bool) -> Endpoint {
        var tls = DeterministicTLSServer(applicationProtocols: ["fuzz"])
        tls.ticketKeys = TicketKeys([SharedKey([UInt8](repeating: 9, count: 32))!])
        tls.earlyData = ReplayFilter(refusesFirstWindow: false)
        if edits { tls.editParameters = edit(script.parameters) }
        var server = ServerConfiguration(
            handshake: .deterministic(tls), tokenKeys: [SharedKey([UInt8](repeating: 7, count: 32))!])
        server.retryPolicy = script.beginning.contains(.retry) ? .always : .never
        server.maxConnections = 24
        server.maxHandshakes = 16
        if script.beginning.contains(.preferredAddress) {
            server.preferredIPv4Address = NetworkAddress(ip: IPAddress(v4: 0xc633_6402), port: 444)
        }
        return endpoint(script, key: 2, server: server)
    }

    static func client(_ script: FuzzScript) -> Endpoint { endpoint(script, key: 1, server: nil) }

    static func request(_ script: FuzzScript, edits: Bool, ticket: ResumptionTicket? = nil) -> ConnectRequest
    {
        var tls = DeterministicTLSClient(applicationProtocols: ["fuzz"])
        tls.offersMLKEM = false
        if edits { tls.editParameters = edit(script.parameters) }
        var request = ConnectRequest(
            remote: FuzzedPair.serverAddress, local: FuzzedPair.clientAddress, serverName: "fuzz.test",
            handshake: .deterministic(tls))
        request.resumption = ticket
        request.offersEarlyData = ticket != nil
        return request
    }

    private static func endpoint(_ script: FuzzScript, key: UInt8, server: ServerConfiguration?) -> Endpoint {
        var configuration = EndpointConfiguration(
            connectionIDKey: SharedKey([UInt8](repeating: key, count: 32))!,
            statelessResetKey: SharedKey([UInt8](repeating: 3, count: 32))!, unixTimeAtEpoch: 1_800_000_000)
        configuration.transport = transport(script)
        configuration.server = server
        return Endpoint(
            configuration: configuration, entropy: Entropy(seed: [UInt8](repeating: key, count: 32)))
    }

    private static func transport(_ script: FuzzScript) -> TransportConfiguration {
        var transport = TransportConfiguration()
        if script.beginning.contains(.version2) { transport.versions = [.v2, .v1] }
        if script.beginning.contains(.datagrams) { transport.maxDatagramFrameSize = 1200 }
        if script.beginning.contains(.smallWindows) {
            transport.initialStreamWindow = 2000
            transport.maxStreamWindow = 4000
            transport.initialConnectionWindow = 3000
            transport.maxConnectionWindow = 8000
            transport.maxIncomingBidirectionalStreams = 3
            transport.maxIncomingUnidirectionalStreams = 3
            transport.streamSendBuffer = 4000
        }
        return transport
    }

    /// Puts `parameters` in place of those of the same ids.
    private static func edit(_ parameters: [UInt8]) -> (@Sendable ([UInt8]) -> [UInt8])? {
        guard !parameters.isEmpty else { return nil }
        let ids = Set(split(parameters).map(\.id))
        return { own in split(own).filter { !ids.contains($0.id) }.flatMap(\.bytes) + parameters }
    }

    private static func split(_ parameters: [UInt8]) -> [(id: UInt64, bytes: [UInt8])] {
        parameters.withUnsafeBytes { view in
            var reader = ByteReader(view)
            var found: [(id: UInt64, bytes: [UInt8])] = []
            while true {
                let start = view.count - reader.remaining
                guard let id = reader.readVarint(), reader.readLengthPrefixedBytes() != nil else {
                    return found
                }
                found.append((id, [UInt8](view[start..<view.count - reader.remaining])))
            }
        }
    }
}
