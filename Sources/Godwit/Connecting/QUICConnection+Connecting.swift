import CGodwitSocket
import GodwitCore
import GodwitCrypto
import GodwitWire
public import NIOCore
public import NIOPosix

extension QUICConnection {
    /// Connects to a server. The name's addresses are tried in turn, each a quarter of a second after the one before,
    /// and the first that completes a handshake wins (RFC 8305).
    ///
    /// - Parameters:
    ///   - host: a host name, or an IP address without brackets. The server's certificate has to be for it.
    ///   - port: the server's UDP port.
    ///   - resumption: what an earlier connection to the server has left.
    ///   - offersEarlyData: whether to return before the handshake, so that what is written goes out at once as early
    ///     data (0-RTT). It can be replayed by whoever records it, so it must ask for nothing that does harm when
    ///     done twice (RFC 9001 section 9.2). Only one address is tried then, the one that worked last if it still is
    ///     among the name's. Without a ticket that allows early data this changes nothing.
    ///   - eventLoopGroup: where the connection lives.
    /// - Returns: the connection, its handshake complete, or under way when early data is sent.
    /// - Throws: ``QUICError/nameNotFound(host:reason:)``, ``QUICError/connectFailed(host:attempts:)``,
    ///   ``QUICError/socket(_:)``, or `CancellationError` when cancelled, which ends all attempts.
    public static func connect(
        to host: String, port: UInt16, configuration: QUICClientConfiguration, resumption: QUICResumption? = nil,
        offersEarlyData: Bool = false, eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> QUICConnection {
        let addresses = try await find(host, port, configuration)
        let loop = ClientEndpoint.make(configuration, on: eventLoopGroup.next())
        var request = ConnectRequest(
            remote: addresses[0], local: .anywhere, serverName: host, handshake: configuration.handshake)
        request.resumption = resumption?.ticket
        request.token = resumption?.addressToken ?? []
        request.offersEarlyData = offersEarlyData
        let isEarly = offersEarlyData && resumption?.allowsEarlyData == true
        let race = AddressRace(addresses, favourite: resumption?.remoteAddress)
        return try await ClientEndpoint.connect(race, request, isEarly, configuration, on: loop)
    }

    /// Connects to a server, uses the connection, and closes it.
    ///
    /// What `body` does runs on the connection's event loop, where calls cost least; it must not block there. When it
    /// returns the connection is closed, as soon as what was finished is delivered; when it throws, at once.
    ///
    /// - Parameters: as ``connect(to:port:configuration:resumption:offersEarlyData:eventLoopGroup:)``.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, or what connecting does.
    public static func connect<Result: Sendable>(
        to host: String, port: UInt16, configuration: QUICClientConfiguration, resumption: QUICResumption? = nil,
        offersEarlyData: Bool = false, eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        _ body: @Sendable (QUICConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await connect(
            to: host, port: port, configuration: configuration, resumption: resumption,
            offersEarlyData: offersEarlyData, eventLoopGroup: eventLoopGroup)
        return try await connection.driver.driver.run {
            do {
                let result = try await body(connection)
                await connection.closeWhenDelivered(code: configuration.cancellationCode)
                return result
            } catch {
                await connection.close(code: configuration.cancellationCode)
                throw error
            }
        }
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
}

extension QUICClientConfiguration {
    /// A socket of one family reaches the other only if it is bound to the wildcard of both.
    fileprivate func canReach(_ ip: IPAddress) -> Bool {
        guard let localAddress, localAddress.ip != .anyIPv6 else { return true }
        return localAddress.isIPv4 == ip.isIPv4
    }
}

/// The endpoint that a client makes for a connection and the attempts at it.
enum ClientEndpoint {
    static func make(_ configuration: QUICClientConfiguration, on eventLoop: any EventLoop) -> EndpointLoop {
        var endpoint = EndpointConfiguration(unixTimeAtEpoch: godwit_unix_time())
        endpoint.transport = configuration.transport
        return EndpointLoop(
            driver: .of(eventLoop), configuration: endpoint,
            settings: EndpointSettings(
                role: .client, cancellationCode: configuration.cancellationCode, logger: configuration.logger,
                metrics: configuration.metrics, sharing: .never))
    }

    static func connect(
        _ race: AddressRace, _ request: ConnectRequest, _ isEarly: Bool, _ configuration: QUICClientConfiguration,
        on loop: EndpointLoop
    ) async throws -> QUICConnection {
        try await loop.driver.run {
            var request = request
            request.local = try await loop.addClientSocket(configuration.localAddress).localAddress
            let race = ConnectionRace(race, request, delay: configuration.attemptDelay, on: loop)
            do {
                return QUICConnection(isEarly ? try race.beginAlone() : try await race.run())
            } catch {
                loop.markBusy()
                throw error
            }
        }
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
