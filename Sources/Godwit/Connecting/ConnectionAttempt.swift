import CGodwitSocket
import GodwitCore
import GodwitWire
import NIOCore

/// What a client does to get a connection: find the addresses, make an endpoint, and let them race.
struct ConnectionAttempt: Sendable {
    private let configuration: QUICClientConfiguration
    private let resumption: QUICResumption?
    private let addresses: [NetworkAddress]
    private let request: ConnectRequest
    private let loop: EndpointLoop

    /// Looks the host up.
    init(
        _ host: String, _ port: UInt16, _ configuration: QUICClientConfiguration,
        _ resumption: QUICResumption?,
        _ offersEarlyData: Bool, on eventLoop: any EventLoop
    ) async throws {
        addresses = try await Self.find(host, port, configuration)
        self.configuration = configuration
        self.resumption = resumption
        var request = ConnectRequest(
            remote: addresses[0], local: .anywhere, serverName: host, handshake: configuration.handshake)
        request.resumption = resumption?.ticket
        request.token = resumption?.addressToken(for: host) ?? []
        request.offersEarlyData = offersEarlyData
        self.request = request
        loop = Self.makeEndpoint(configuration, on: eventLoop)
    }

    var driver: LoopDriver { loop.driver }

    /// The connection; to be called on the event loop.
    func run() async throws -> QUICConnection {
        var request = request
        request.local = try await loop.addClientSocket(configuration.localAddress).localAddress
        let race = ConnectionRace(
            AddressRace(addresses, favourite: resumption?.remoteAddress), request,
            delay: configuration.attemptDelay,
            on: loop)
        // Early data can go to one address only.
        let isAlone = request.offersEarlyData && resumption?.allowsEarlyData == true
        return QUICConnection(isAlone ? try race.beginAlone() : try await race.run())
    }

    private static func find(
        _ host: String, _ port: UInt16, _ configuration: QUICClientConfiguration
    ) async throws -> [NetworkAddress] {
        let found =
            if let address = IPAddress(host) { [address] } else {
                try await configuration.resolver.addresses(of: host)
            }
        let reachable = found.filter { configuration.canReach($0) }
        guard !reachable.isEmpty else {
            throw QUICError.nameNotFound(host: host, reason: "it has no address of the right family")
        }
        return reachable.map { NetworkAddress(ip: $0, port: port) }
    }

    private static func makeEndpoint(
        _ configuration: QUICClientConfiguration, on eventLoop: any EventLoop
    ) -> EndpointLoop {
        var endpoint = EndpointConfiguration(unixTimeAtEpoch: godwit_unix_time())
        endpoint.transport = configuration.transport
        endpoint.qlog = configuration.qlogFolder.map { QlogFolder(path: $0, logger: configuration.logger) }
        return EndpointLoop(
            driver: .of(eventLoop), configuration: endpoint,
            settings: EndpointSettings(
                role: .client, cancellationCode: configuration.cancellationCode, logger: configuration.logger,
                metrics: configuration.metrics, sharing: .never, tap: configuration.tap))
    }
}

extension QUICClientConfiguration {
    /// A socket of one family reaches the other only if it is bound to the wildcard of both.
    fileprivate func canReach(_ ip: IPAddress) -> Bool {
        guard let localAddress, localAddress.ip != .anyIPv6 else { return true }
        return localAddress.isIPv4 == ip.isIPv4
    }
}

extension EndpointLoop {
    /// Opens a client's socket; without an address one that reaches both families, if the machine has both.
    func addClientSocket(_ local: NetworkAddress?) async throws -> UDPSocket {
        if let local { return try await addSocket(local, sharing: .never) }
        do {
            return try await addSocket(.anywhere, sharing: .never)
        } catch {
            return try await addSocket(.anywhereIPv4, sharing: .never)
        }
    }

    /// Puts a client's sockets aside for a new one.
    func rebind(to local: NetworkAddress?) async throws {
        let old = sockets
        let new = try await addClientSocket(local)
        resume(at: new.localAddress)
        for socket in old { remove(socket) }
    }
}
