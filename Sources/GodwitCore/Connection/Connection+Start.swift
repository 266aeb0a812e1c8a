import GodwitCrypto
import GodwitWire

// How a connection begins, on either side.
extension Connection {
    // MARK: Client

    static func client(
        _ request: ConnectRequest, environment: EndpointEnvironment, handle: ConnectionHandle, now: Instant
    ) throws(ConnectError) -> Connection {
        var configuration = request.transport ?? environment.configuration.transport
        if configuration.migration.isOn { configuration.makeRoomForMoves() }
        guard let preferred = configuration.initialVersion ?? configuration.versions.first else {
            throw .noVersion
        }
        // A ticket is good for the version it was made in (RFC 9369 section 5).
        let version = request.resumption.map(\.version) ?? preferred
        let destination = ConnectionID(environment.random.bytes(ConnectionIDGenerator.format.length))!
        let source = environment.makeConnectionID(at: now)
        var identity = ConnectionIdentity(
            role: .client, version: version, originalVersion: version, originalDestination: destination,
            localHandshakeID: source)
        identity.token = request.token
        let paths = Paths(
            role: .client, local: request.local, remote: request.remote,
            remoteIDs: RemoteConnectionIDs(
                handshakeID: destination, limit: configuration.activeConnectionIDLimit,
                toleratesRepeatedZero: configuration.migration.isOn),
            configuration: PathConfiguration(configuration, movesWithServer: configuration.migration.isOn))
        let connection = Connection(
            environment: environment, handle: handle, configuration: configuration, identity: identity,
            localParameters: TransportParameters(configuration),
            localIDs: LocalConnectionIDs(initial: source),
            paths: paths, now: now)
        connection.request = request
        connection.logStart(now: now)
        connection.drawSpinBit()
        connection.installInitialKeys()
        do { try connection.startHandshake(now: now) } catch { throw .handshake(error.reason) }
        return connection
    }

    /// RFC 9000 section 17.4: at least one connection in sixteen has it off.
    private func drawSpinBit() {
        spin = SpinBit(isEnabled: configuration.usesSpinBit && environment.random.next() % 16 != 0)
    }

    /// Makes the TLS session of a client and its first flight.
    func startHandshake(now: Instant) throws(TransportError) {
        guard let request else { return }
        // Version Negotiation may have led here from another version.
        let isNamed = identity.version.hasHandshakeParameters
        localParameters.initialSourceConnectionID = isNamed ? identity.localHandshakeID : nil
        localParameters.versionInformation =
            isNamed
            ? VersionInformation(chosen: identity.originalVersion, available: compatibleVersions) : nil
        if configuration.migration.isOn { offerMigration() }
        qlog?.writeParameters(localParameters, isLocal: true)
        let ticket = request.resumption.flatMap { $0.version == identity.version ? $0 : nil }
        let parameters = localParameters.encoded(sender: .client, random: environment.random.next())
        do {
            handshake = try request.handshake.makeSession(
                request, version: identity.version, ticket: ticket, parameters: parameters,
                random: &environment.random)
        } catch {
            throw TransportError(.internalError, "\(error)")
        }
        do { try handshake?.start() } catch { throw transportError(for: error) }
        try drainHandshake(now: now)
        // Not every ticket allows early data, and without it there are no limits but the server's real ones.
        if let ticket, protection.canWrite(at: .earlyData) { rememberLimits(of: ticket) }
        wake()
    }

    /// The versions our first flight can be understood in (RFC 9368 section 3).
    private var compatibleVersions: [QUICVersion] {
        configuration.versions.filter { $0.isCompatible(with: identity.originalVersion) }
    }

    /// Early data keeps to what the server said last time (RFC 9000 section 7.4.1).
    private func rememberLimits(of ticket: ResumptionTicket) {
        guard let remembered = try? TransportParameters.decode(ticket.transportParameters, sender: .server)
        else {
            return
        }
        earlyData = .offered(remembered)
        streams.applyPeerLimits(PeerStreamLimits(remembered))
        datagrams.applyPeerLimit(remembered.maxDatagramFrameSize)
    }

    // MARK: Server

    /// What a server knows when it accepts a connection.
    struct Acceptance {
        var version: QUICVersion
        /// Where the client's packet was addressed to.
        var destination: ConnectionID
        var source: ConnectionID
        /// What the client's first packet was addressed to, where a Retry came between.
        var originalDestination: ConnectionID?
        /// Whether a token proved the client's address.
        var isAddressValidated: Bool
    }

    static func server(
        _ acceptance: Acceptance, arrival: DatagramArrival, environment: EndpointEnvironment,
        server: ServerConfiguration, handle: ConnectionHandle
    ) throws(TLSConfigurationError) -> Connection {
        var configuration = environment.configuration.transport
        if server.migration.isOn { configuration.makeRoomForMoves() }
        let source = environment.makeConnectionID(at: arrival.now)
        var identity = ConnectionIdentity(
            role: .server, version: acceptance.version, originalVersion: acceptance.version,
            originalDestination: acceptance.originalDestination ?? acceptance.destination,
            localHandshakeID: source)
        identity.remoteHandshakeID = acceptance.source
        if acceptance.originalDestination != nil { identity.retrySource = acceptance.destination }
        let resetToken = environment.connectionIDs.resetToken(for: source)
        let connection = Connection(
            environment: environment, handle: handle, configuration: configuration, identity: identity,
            localParameters: TransportParameters(configuration),
            localIDs: LocalConnectionIDs(
                initial: source, resetToken: resetToken, originalDestination: acceptance.destination),
            paths: Paths(
                role: .server, local: arrival.local, remote: arrival.remote,
                remoteIDs: RemoteConnectionIDs(
                    handshakeID: acceptance.source, limit: configuration.activeConnectionIDLimit,
                    toleratesRepeatedZero: server.migration.isOn),
                configuration: PathConfiguration(configuration, movesWithServer: server.migration.isOn),
                isAddressValidated: acceptance.isAddressValidated),
            now: arrival.now)
        connection.logStart(now: arrival.now)
        connection.drawSpinBit()
        connection.prepareParameters(server, resetToken: resetToken, now: arrival.now)
        connection.installInitialKeys()
        // Early data keeps to the limits of when its ticket was made, so a server with other limits refuses it.
        let earlyDataContext =
            connection.localParameters.rememberedForEarlyData.encoded(sender: .server)
            + server.earlyDataContext
        connection.handshake = try server.handshake.makeSession(
            version: acceptance.version, earlyDataContext: earlyDataContext, random: &environment.random
        ) { [unowned connection] (client: [UInt8]) throws(TransportError) -> [UInt8] in
            try connection.answerParameters(of: client)
        }
        return connection
    }

    private func prepareParameters(
        _ server: ServerConfiguration, resetToken: StatelessResetToken, now: Instant
    ) {
        if identity.version.hasHandshakeParameters {
            localParameters.originalDestinationConnectionID = identity.originalDestination
            localParameters.initialSourceConnectionID = identity.localHandshakeID
            localParameters.retrySourceConnectionID = identity.retrySource
        }
        localParameters.statelessResetToken = resetToken
        guard server.preferredIPv4Address != nil || server.preferredIPv6Address != nil else { return }
        let id = environment.makeConnectionID(at: now)
        let token = environment.connectionIDs.resetToken(for: id)
        localIDs.issuePreferredAddressID(id, resetToken: token)
        localParameters.preferredAddress = PreferredAddress(
            ipv4: server.preferredIPv4Address, ipv6: server.preferredIPv6Address, connectionID: id,
            statelessResetToken: token)
        paths.offerPreferredAddresses(
            [server.preferredIPv4Address, server.preferredIPv6Address].compactMap { $0 })
    }
}

/// Why a client could not even begin.
public enum ConnectError: Error, Hashable, Sendable {
    /// The configuration names no version.
    case noVersion
    /// TLS refused its configuration.
    case handshake(String)
}

extension PathConfiguration {
    /// - Parameter movesWithServer: whether there may be paths to several addresses of a server that moves.
    init(_ configuration: TransportConfiguration, movesWithServer: Bool = false) {
        self.init()
        if movesWithServer { makeRoomForMoves(configuration.migration) }
        congestionAlgorithm = configuration.congestionControl
        initialRTT = TimeSpan(configuration.initialRTT)
        granularity = TimeSpan(configuration.timerGranularity)
        usesECN = configuration.usesECN
        maximumPayloadIPv4 = configuration.maxUDPPayloadSize
        maximumPayloadIPv6 = configuration.maxUDPPayloadSize
    }
}
