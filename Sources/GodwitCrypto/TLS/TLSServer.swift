internal import CNIOBoringSSL
internal import GodwitWire

/// Makes the TLS handshakes of a server. It is made once from a configuration and serves any number of
/// connections, on any thread.
public final class TLSServer: Sendable {
    /// What it was made from.
    public let configuration: TLSServerConfiguration

    let context: TLSContext
    let verifier: CertificateVerifier
    let currentTime: @Sendable () -> Int64

    /// Fails if something in the configuration can't be used, and says what.
    public init(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
        self.configuration = configuration
        context = try TLSContext(
            applicationProtocols: configuration.applicationProtocols,
            cipherSuites: configuration.cipherSuites,
            groups: configuration.groups)
        currentTime = configuration.currentTime ?? WallClock.now
        let trust = try TrustStore.make(for: configuration.clientAuthentication.trust)
        verifier = CertificateVerifier(
            peer: .client, trust: trust, hook: configuration.verifyPeer, currentTime: currentTime)
        try setUp()
    }

    private func setUp() throws(TLSConfigurationError) {
        let context = self.context.context
        SSL_CTX_set_alpn_select_cb(context, TLSCallbacks.selectApplicationProtocol, nil)
        SSL_CTX_set_select_certificate_cb(context, TLSCallbacks.clientHello)
        SSL_CTX_set_custom_verify(context, configuration.clientAuthentication.verifyMode, TLSCallbacks.verify)
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF)
        try setUpTickets()
    }

    private func setUpTickets() throws(TLSConfigurationError) {
        let context = self.context.context
        guard configuration.ticketKeys != nil else {
            SSL_CTX_set_options(context, UInt32(SSL_OP_NO_TICKET))
            return
        }
        SSL_CTX_set_ticket_aead_method(context, TLSCallbacks.ticketMethod)
        try self.context.check(
            "ticket count", SSL_CTX_set_num_tickets(context, max(0, configuration.ticketCount)))
        SSL_CTX_set_session_psk_dhe_timeout(context, min(configuration.ticketLifetime, 604_800))
        SSL_CTX_set_early_data_enabled(context, configuration.earlyData == nil ? 0 : 1)
        // A session of a client that didn't have to show a certificate must not resume where it has to.
        let partition = configuration.clientAuthentication.name
        try self.context.check(
            "tickets", SSL_CTX_set_session_id_context(context, partition, partition.count))
    }

    /// A handshake with one client.
    ///
    /// - Parameters:
    ///   - earlyDataContext: whatever early data depends on, such as the limits among the transport
    ///     parameters that a client remembers (RFC 9001 section 4.6.3). A ticket brings early data only while
    ///     it stays the same; an empty one allows none.
    ///   - usesLegacyCodepoint: whether transport parameters go by the number that they had in drafts, which
    ///     ``GodwitWire/QUICVersion/mvfst`` kept.
    ///   - transportParameters: makes the server's transport parameters when the client's are there. It is
    ///     called once at most.
    public func makeHandshake(
        earlyDataContext: [UInt8] = [], usesLegacyCodepoint: Bool = false,
        transportParameters: @escaping TransportParametersAnswer
    ) throws(TLSConfigurationError) -> TLSHandshake {
        let ssl = try context.makeSession()
        let answer = ServerAnswer(
            transportParameters: transportParameters,
            codepoint: usesLegacyCodepoint
                ? TransportParametersExtension.legacy : TransportParametersExtension.standard)
        let handshake = TLSHandshake(ssl: ssl, side: .server(self))
        handshake.serverAnswer = answer
        SSL_set_accept_state(ssl)
        SSL_set_quic_use_legacy_codepoint(ssl, usesLegacyCodepoint ? 1 : 0)
        if !earlyDataContext.isEmpty {
            let digest = KeyDerivation.hash(earlyDataContext, suite: .aes128GCM)
            try context.check(
                "early data context", SSL_set_quic_early_data_context(ssl, digest, digest.count))
        }
        return handshake
    }
}

/// The numbers of the transport parameters extension (RFC 9001 section 8.2).
enum TransportParametersExtension {
    static let standard = UInt16(TLSEXT_TYPE_quic_transport_parameters)
    static let legacy = UInt16(TLSEXT_TYPE_quic_transport_parameters_legacy)
}

/// How a server answers a ClientHello's transport parameters.
struct ServerAnswer {
    let transportParameters: TransportParametersAnswer
    let codepoint: UInt16
}

extension ClientAuthentication {
    fileprivate var verifyMode: CInt {
        switch self {
        case .none: SSL_VERIFY_NONE
        case .optional: SSL_VERIFY_PEER
        case .required: SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
        }
    }

    fileprivate var name: [UInt8] {
        switch self {
        case .none: Array("no client certificate".utf8)
        case .optional: Array("optional certificate".utf8)
        case .required: Array("required certificate".utf8)
        }
    }
}
