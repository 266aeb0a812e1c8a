import GodwitCrypto
import GodwitWire

// The transport parameters of both sides (RFC 9000 section 7.4) and the versions in them (RFC 9368).
extension Connection {
    /// At a server: reads the client's parameters, settles the version, and says ours. TLS asks for them while it
    /// has not yet answered, because what we say depends on what the client offers.
    func answerParameters(of client: [UInt8]) throws(TransportError) -> [UInt8] {
        try receivePeerParameters(client)
        try agreeOnMigration()
        try chooseVersion()
        if identity.version.hasHandshakeParameters {
            localParameters.versionInformation = VersionInformation(
                chosen: identity.version, available: configuration.versions)
        }
        qlog?.writeParameters(localParameters, isLocal: true)
        return localParameters.encoded(sender: .server, random: environment.random.next())
    }

    func receivePeerParameters(_ bytes: [UInt8]) throws(TransportError) {
        guard !hasPeerParameters else { return }
        let parameters = try TransportParameters.decode(
            bytes, sender: role.peer, keeping: migrationParameterIDs)
        try authenticateIDs(parameters)
        if role == .client { try verifyVersion(parameters) }
        hasPeerParameters = true
        peerParameters = parameters
        qlog?.writeParameters(parameters, isLocal: false)
        try apply(parameters)
        if role == .client { try agreeOnMigration() }
    }

    /// The ids that went over the wire in the clear have to be those that each side says it sent (RFC 9000 section
    /// 7.3).
    private func authenticateIDs(_ parameters: TransportParameters) throws(TransportError) {
        guard identity.version.hasHandshakeParameters else { return }
        guard let source = parameters.initialSourceConnectionID, source == identity.remoteHandshakeID else {
            throw TransportError(
                .transportParameterError, "initial_source_connection_id is not the id it used")
        }
        guard role == .client else { return }
        guard parameters.originalDestinationConnectionID == identity.originalDestination else {
            throw TransportError(
                .transportParameterError, "original_destination_connection_id is not the id we sent to")
        }
        guard parameters.retrySourceConnectionID == identity.retrySource else {
            throw TransportError(
                .transportParameterError, "retry_source_connection_id is not that of a Retry")
        }
    }

    private func apply(_ parameters: TransportParameters) throws(TransportError) {
        streams.applyPeerLimits(PeerStreamLimits(parameters))
        datagrams.applyPeerLimit(parameters.maxDatagramFrameSize)
        localIDs.setPeerLimit(parameters.activeConnectionIDLimit)
        paths.applyPeerParameters(
            maximumPayload: parameters.maxUDPPayloadSize,
            disablesActiveMigration: parameters.disableActiveMigration, maxAckDelay: parameters.maxAckDelay)
        if let token = parameters.statelessResetToken { paths.remoteIDs.setHandshakeResetToken(token) }
        if let preferred = parameters.preferredAddress {
            try paths.remoteIDs.addPreferredAddressID(
                preferred.connectionID, resetToken: preferred.statelessResetToken)
        }
    }

    // MARK: Versions

    /// At a server: the version to go on with, the one we want most among those the client can change to without
    /// starting over (RFC 9368 section 2.3).
    private func chooseVersion() throws(TransportError) {
        guard let information = peerParameters.versionInformation else {
            return settleVersion(identity.version)
        }
        guard information.chosen == identity.originalVersion else {
            throw TransportError(.versionNegotiationError, "the version chosen is not that of the packet")
        }
        let wanted = configuration.versions.first {
            information.available.contains($0) && $0.isCompatible(with: identity.originalVersion)
        }
        settleVersion(wanted ?? identity.version)
    }

    /// At a client: what the server says has to be what it did (RFC 9368 section 4).
    private func verifyVersion(_ parameters: TransportParameters) throws(TransportError) {
        guard let information = parameters.versionInformation else { return try verifyVersionOfOldServer() }
        guard information.chosen == identity.version else {
            throw TransportError(.versionNegotiationError, "the version chosen is not the one in use")
        }
        if identity.hasReactedToVersionNegotiation, !wouldChoose(among: information.available) {
            throw TransportError(
                .versionNegotiationError, "an attacker may have forged the Version Negotiation")
        }
        settleVersion(identity.version)
    }

    /// A server that says nothing can't have changed the version, and is taken to speak version 1 alone when a
    /// Version Negotiation packet has led there (RFC 9368 section 8).
    private func verifyVersionOfOldServer() throws(TransportError) {
        let wasLedElsewhere = identity.version != .v1 || !wouldChoose(among: [.v1])
        guard identity.version == identity.originalVersion,
            !identity.hasReactedToVersionNegotiation || !wasLedElsewhere
        else {
            throw TransportError(.versionNegotiationError, "changed the version without version_information")
        }
        settleVersion(identity.version)
    }

    /// Whether the list of the server's handshake would have led us to the version we came to by a Version
    /// Negotiation packet, which anyone can forge.
    private func wouldChoose(among available: [QUICVersion]) -> Bool {
        configuration.versions.first { available.contains($0) } == identity.originalVersion
    }

    private func settleVersion(_ version: QUICVersion) {
        identity.isVersionSettled = true
        guard version != identity.version else { return }
        identity.version = version
        installInitialKeys()
    }

    /// Whether a server may answer in this version a first flight that was in another (RFC 9369 section 4.1). It may
    /// have acknowledged some of it in the first one's before.
    func mayFollowVersion(_ version: QUICVersion) -> Bool {
        role == .client && !identity.isVersionSettled && identity.version == identity.originalVersion
            && configuration.versions.contains(version)
            && version.isCompatible(with: identity.originalVersion)
    }

    /// At a client: goes on in the version that the server has answered in.
    func followVersion(_ version: QUICVersion) {
        identity.version = version
        installInitialKeys()
    }

    func initialKeys(in version: QUICVersion) -> LevelKeys {
        var keys = PacketProtection()
        keys.installInitial(
            destination: identity.retrySource ?? identity.originalDestination, role: role, version: version)
        return keys.initial
    }

    /// Initial keys for the version in use; the id they come from is that of the client's first packet, or of the
    /// first after a Retry.
    func installInitialKeys() {
        protection.installInitial(
            destination: identity.retrySource ?? identity.originalDestination, role: role,
            version: identity.version)
    }
}

extension QUICVersion {
    /// Whether each side says by which ids and versions the handshake went (RFC 9000 section 7.3, RFC 9368). The
    /// private version of mvfst predates that.
    var hasHandshakeParameters: Bool { self != .mvfst }

    /// Whether a first flight of `other` can be answered in this version (RFC 9369 section 4.1).
    func isCompatible(with other: QUICVersion) -> Bool {
        self == other || (self == .v1 && other == .v2) || (self == .v2 && other == .v1)
    }
}

extension PeerStreamLimits {
    init(_ parameters: TransportParameters) {
        self.init(
            initialMaxData: parameters.initialMaxData,
            initialMaxStreamDataBidirectionalLocal: parameters.initialMaxStreamDataBidirectionalLocal,
            initialMaxStreamDataBidirectionalRemote: parameters.initialMaxStreamDataBidirectionalRemote,
            initialMaxStreamDataUnidirectional: parameters.initialMaxStreamDataUnidirectional,
            initialMaxStreamsBidirectional: parameters.initialMaxStreamsBidirectional,
            initialMaxStreamsUnidirectional: parameters.initialMaxStreamsUnidirectional)
    }
}

extension StreamLimits {
    init(_ configuration: TransportConfiguration) {
        self.init(
            initialMaxData: configuration.initialConnectionWindow,
            initialMaxStreamDataBidirectionalLocal: configuration.initialStreamWindow,
            initialMaxStreamDataBidirectionalRemote: configuration.initialStreamWindow,
            initialMaxStreamDataUnidirectional: configuration.initialStreamWindow,
            maximumConnectionWindow: configuration.maxConnectionWindow,
            maximumStreamWindow: configuration.maxStreamWindow,
            maxStreamsBidirectional: configuration.maxIncomingBidirectionalStreams,
            maxStreamsUnidirectional: configuration.maxIncomingUnidirectionalStreams,
            sendBufferLimit: configuration.streamSendBuffer)
    }
}

extension TransportParameters {
    /// What a configuration has us say to every peer; ids and tokens come on top.
    init(_ configuration: TransportConfiguration) {
        self.init()
        let limits = StreamLimits(configuration)
        initialMaxData = limits.initialMaxData
        initialMaxStreamDataBidirectionalLocal = limits.initialMaxStreamDataBidirectionalLocal
        initialMaxStreamDataBidirectionalRemote = limits.initialMaxStreamDataBidirectionalRemote
        initialMaxStreamDataUnidirectional = limits.initialMaxStreamDataUnidirectional
        initialMaxStreamsBidirectional = limits.maxStreamsBidirectional
        initialMaxStreamsUnidirectional = limits.maxStreamsUnidirectional
        maxIdleTimeout = configuration.idleTimeout.map { TimeSpan($0) }
        maxAckDelay = TimeSpan(configuration.maxAckDelay)
        activeConnectionIDLimit = UInt64(max(2, configuration.activeConnectionIDLimit))
        disableActiveMigration = configuration.disablesActiveMigration
        maxDatagramFrameSize = UInt64(clamping: configuration.maxDatagramFrameSize)
        greaseQUICBit = configuration.greasesQUICBit
    }
}
