public import Godwit
public import GodwitHTTP3Core
public import Logging

/// How an HTTP/3 server listens and what it offers.
public struct HTTP3ServerConfiguration: Sendable {
    /// The transport's part: retries, shared keys, preferred addresses, windows, logs of packets (qlog). What
    /// ``limits`` says overrules it.
    public var quic: QUICServerConfiguration
    /// The certificates and keys by name (SNI). They can be replaced while the server runs.
    public let credentials: ServerCredentials
    /// What clients may make the server do and keep.
    public var limits = HTTP3ServerLimits()
    /// Which requests are answered that came in early data (0-RTT). Whether it is taken at all is a matter of
    /// TLS; see ``init(credentials:takesEarlyData:)``.
    public var earlyData = HTTP3EarlyDataPolicy.safeRequests
    /// Whether clients may use extended CONNECT (RFC 9220).
    public var isExtendedConnectEnabled = false
    /// Whether clients may send datagrams (RFC 9297).
    public var areDatagramsEnabled = false
    /// Whether answers get a Date field when the handler gives none (RFC 9110 section 6.6.1).
    public var addsDate = true
    /// Settings of extensions, sent as they are.
    public var additionalSettings: [HTTP3Setting] = []
    /// Gets a record of each request that has ended, those included that no handler has seen; for an access
    /// log. It is called on the connection's event loop and must not block.
    public var onRequestEnd: (@Sendable (HTTP3RequestRecord) -> Void)?
    /// Gets what happens to requests at level debug, handlers that throw at error, limits that are hit at
    /// notice.
    public var logger = Logger(label: "GodwitHTTP3.Server")

    /// A configuration for a server with these identities. Clients get tickets to resume with.
    ///
    /// - Parameters:
    ///   - credentials: the certificates and keys.
    ///   - takesEarlyData: whether clients that resume may send requests before the handshake is complete
    ///     (0-RTT). Someone who records such a request can have it repeated; ``earlyData`` says what is done
    ///     with it.
    /// - Throws: `TLSConfigurationError`, which says what can't be used.
    public init(credentials: ServerCredentials, takesEarlyData: Bool = true) throws {
        var tls = TLSServerConfiguration(applicationProtocols: ["h3"], credentials: credentials)
        tls.ticketKeys = .random()
        // The keys of tickets end with the process, so nothing recorded before it began can be repeated.
        if takesEarlyData { tls.earlyData = ReplayFilter(refusesFirstWindow: false) }
        try self.init(tls: tls)
    }

    /// A configuration for a server with one identity; as ``init(credentials:takesEarlyData:)``.
    public init(certificate: Identity, takesEarlyData: Bool = true) throws {
        try self.init(credentials: ServerCredentials([certificate]), takesEarlyData: takesEarlyData)
    }

    /// A configuration with everything about TLS said. Its application protocols have to name `h3`.
    ///
    /// - Throws: `TLSConfigurationError`, which says what can't be used.
    public init(tls: TLSServerConfiguration) throws {
        credentials = tls.credentials
        quic = try QUICServerConfiguration(tls: tls)
    }
}

/// Which requests of early data (0-RTT) a server gives to its handler. Whoever records early data can have it
/// processed again, at least by another server of the same name (RFC 8470 section 3).
public enum HTTP3EarlyDataPolicy: Hashable, Sendable {
    /// Those with a safe method: GET, HEAD, OPTIONS, TRACE. The others are answered with 425 (Too Early), and
    /// clients send them again when the handshake is complete (RFC 8470 section 5.2).
    case safeRequests
    /// All of them. The handler asks ``HTTP3RequestContext/isEarlyData`` and decides.
    case allRequests
    /// None of them: every one is answered with 425.
    case noRequests
}

extension HTTP3ServerConfiguration {
    /// What the protocol's machine is to do on each connection.
    var machine: HTTP3Configuration {
        var machine = HTTP3Configuration()
        machine.maximumFieldSectionSize = limits.fieldSectionSize
        machine.qpackMaximumTableCapacity = limits.qpackTableCapacity
        machine.qpackBlockedStreams = limits.qpackBlockedStreams
        machine.isConnectProtocolEnabled = isExtendedConnectEnabled
        machine.areDatagramsEnabled = areDatagramsEnabled
        machine.additionalSettings = additionalSettings
        machine.greaseSeed = .random(in: 0...UInt64.max)
        machine.limits.requestStreams = max(machine.limits.requestStreams, limits.concurrentRequests)
        return machine
    }

    /// The transport's configuration with the limits put into it.
    ///
    /// - Parameter loops: among how many event loops connections are divided.
    func listener(loops: Int) -> QUICServerConfiguration {
        var quic = quic
        quic.cancellationCode = HTTP3ErrorCode.noError.rawValue
        quic.maxPendingConnections = limits.waitingConnections
        quic.server.maxConnections = (limits.connections + loops - 1) / loops
        quic.server.maxHandshakes = (limits.handshakes + loops - 1) / loops
        quic.server.earlyDataContext = earlyDataContext
        quic.transport.handshakeTimeout = limits.handshakeTime
        quic.transport.idleTimeout = limits.connectionIdleTime
        quic.transport.maxIncomingBidirectionalStreams = limits.concurrentRequests
        // Three are needed (RFC 9114 section 6.2), and some more are to be borne.
        quic.transport.maxIncomingUnidirectionalStreams = 16
        quic.transport.streamSendBuffer = limits.sendBuffer
        if areDatagramsEnabled, quic.transport.maxDatagramFrameSize == 0 {
            quic.transport.maxDatagramFrameSize = 65_535
        }
        return quic
    }

    /// What a client remembers of our settings: early data keeps to it, so a server with other settings
    /// refuses it (RFC 9114 section 7.2.4.2).
    private var earlyDataContext: [UInt8] {
        let known: [UInt64] = [
            UInt64(clamping: limits.fieldSectionSize), UInt64(clamping: limits.qpackTableCapacity),
            UInt64(clamping: limits.qpackBlockedStreams), isExtendedConnectEnabled ? 1 : 0,
            areDatagramsEnabled ? 1 : 0,
        ]
        let all = known + additionalSettings.flatMap { [$0.identifier, $0.value] }
        return all.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }
    }
}

extension Identity {
    /// An identity from PEM files: `.pem("cert.pem", key: "key.pem")`.
    ///
    /// - Parameters:
    ///   - certificates: the path of a file with the server's certificate and those that lead to a root.
    ///   - key: the path of a file with the private key, not encrypted.
    /// - Throws: `TLSConfigurationError`, which names the file and says what is wrong with it.
    public static func pem(_ certificates: String, key: String) throws(TLSConfigurationError) -> Identity {
        try .files(certificates: certificates, key: key)
    }
}
