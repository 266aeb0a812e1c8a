public import Godwit
public import GodwitHTTP3Core
import GodwitWire
public import Logging

/// How a client connects and what it offers. Make it once and use it for any number of connections: it holds
/// what TLS has prepared.
public struct HTTP3ClientConfiguration: Sendable {
    /// The transport's part: local address, name lookup, windows, logs of packets (qlog). What ``limits``
    /// says overrules it.
    public var quic: QUICClientConfiguration
    /// How long to wait and how much to take.
    public var limits = HTTP3ClientLimits()
    /// Whether the server may send datagrams (RFC 9297).
    public var areDatagramsEnabled = false
    /// Settings of extensions, sent as they are.
    public var additionalSettings: [HTTP3Setting] = []
    /// Gets what happens to requests, at level debug.
    public var logger = Logger(label: "GodwitHTTP3.Client")

    /// A configuration for servers whose certificates are to be trusted as given.
    ///
    /// - Parameter trust: which certificates to believe: those of the system, of a file (`.file("ca.pem")`),
    ///   any.
    /// - Throws: `TLSConfigurationError`, which says what can't be used.
    public init(trust: TrustPolicy = .system) throws {
        quic = try QUICClientConfiguration(applicationProtocols: ["h3"], trust: trust)
    }

    /// A configuration with everything about TLS said. Its application protocols have to name `h3`.
    ///
    /// - Throws: `TLSConfigurationError`, which says what can't be used.
    public init(tls: TLSClientConfiguration) throws {
        quic = try QUICClientConfiguration(tls: tls)
    }
}

extension HTTP3ClientConfiguration {
    /// What the protocol's machine is to do on each connection.
    var machine: HTTP3Configuration {
        var machine = HTTP3Configuration()
        machine.maximumFieldSectionSize = limits.fieldSectionSize
        machine.qpackMaximumTableCapacity = limits.qpackTableCapacity
        machine.qpackBlockedStreams = limits.qpackBlockedStreams
        machine.areDatagramsEnabled = areDatagramsEnabled
        machine.additionalSettings = additionalSettings
        machine.greaseSeed = .random(in: 0...UInt64.max)
        return machine
    }

    /// The transport's configuration with the limits put into it.
    var transport: QUICClientConfiguration {
        var quic = quic
        quic.cancellationCode = HTTP3ErrorCode.noError.rawValue
        quic.resolver = TimeLimitedResolver(resolver: quic.resolver, limit: limits.connectTime)
        quic.transport.handshakeTimeout = limits.connectTime
        quic.transport.idleTimeout = limits.connectionIdleTime
        // A server opens no bidirectional streams (RFC 9114 section 6.1).
        quic.transport.maxIncomingBidirectionalStreams = 0
        // Three are needed (RFC 9114 section 6.2), and some more are to be borne.
        quic.transport.maxIncomingUnidirectionalStreams = 16
        if areDatagramsEnabled, quic.transport.maxDatagramFrameSize == 0 {
            quic.transport.maxDatagramFrameSize = 65_535
        }
        return quic
    }
}

/// Gives up a name that is not found in time.
private struct TimeLimitedResolver: QUICNameResolver {
    let resolver: any QUICNameResolver
    let limit: Duration

    func addresses(of host: String) async throws -> [IPAddress] {
        try await withTimeLimit(limit, for: .connect) { try await resolver.addresses(of: host) }
    }
}
