internal import CNIOBoringSSL
internal import GodwitWire

/// Makes the TLS handshakes of a client. It is made once from a configuration and serves any number of
/// connections, on any thread.
public final class TLSClient: Sendable {
    /// What it was made from.
    public let configuration: TLSClientConfiguration

    let context: TLSContext
    let verifier: CertificateVerifier

    /// Fails if something in the configuration can't be used, and says what.
    public init(_ configuration: TLSClientConfiguration) throws(TLSConfigurationError) {
        self.configuration = configuration
        context = try TLSContext(
            applicationProtocols: configuration.applicationProtocols,
            cipherSuites: configuration.cipherSuites,
            groups: configuration.groups)
        verifier = CertificateVerifier(
            peer: .server, trust: try TrustStore.make(for: configuration.trust),
            hook: configuration.verifyPeer,
            currentTime: configuration.currentTime ?? WallClock.now)
        try setUp()
    }

    private func setUp() throws(TLSConfigurationError) {
        let context = self.context.context
        let list = self.context.applicationProtocols.list
        // Unlike all other calls this one returns 0 for success.
        guard SSL_CTX_set_alpn_protos(context, list, list.count) == 0 else {
            throw TLSConfigurationError(source: "application protocols", problem: errorText(takeError()))
        }
        SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, TLSCallbacks.verify)
        // A ticket may come from a session that was verified by other rules, or long ago.
        SSL_CTX_set_reverify_on_resume(context, 1)
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL)
        SSL_CTX_sess_set_new_cb(context, TLSCallbacks.newSession)
        if let identity = configuration.identity {
            try self.context.check(
                "client certificate", SSL_CTX_add1_credential(context, identity.credential))
        }
    }

    /// A handshake with one server.
    ///
    /// - Parameters:
    ///   - serverName: the host name, in ASCII, or the IP address that the server's certificate must be for.
    ///     A name is also told to the server; an address is not (RFC 6066 section 3).
    ///   - transportParameters: the client's, encoded.
    ///   - ticket: from an earlier session, to resume it; one of another server or damaged is left unused.
    ///   - offersEarlyData: whether to send early data, if the ticket allows it.
    ///   - usesLegacyCodepoint: whether transport parameters go by the number that they had in drafts, which
    ///     ``GodwitWire/QUICVersion/mvfst`` kept.
    /// - Throws: if the name is none.
    public func makeHandshake(
        serverName: String, transportParameters: [UInt8], ticket: [UInt8]? = nil,
        offersEarlyData: Bool = false,
        usesLegacyCodepoint: Bool = false
    ) throws(TLSConfigurationError) -> TLSHandshake {
        let host = try Self.checked(serverName)
        let ssl = try context.makeSession()
        let handshake = TLSHandshake(ssl: ssl, side: .client(self, host: host))
        SSL_set_connect_state(ssl)
        if IPAddress(host) == nil {
            try context.check("server name '\(host)'", SSL_set_tlsext_host_name(ssl, host))
        }
        SSL_set_quic_use_legacy_codepoint(ssl, usesLegacyCodepoint ? 1 : 0)
        try context.check(
            "transport parameters",
            SSL_set_quic_transport_params(ssl, transportParameters, transportParameters.count))
        if let ticket { resume(ssl, with: ticket, host, offersEarlyData) }
        return handshake
    }

    private func resume(_ ssl: OpaquePointer, with bytes: [UInt8], _ host: String, _ offersEarlyData: Bool) {
        defer { ERR_clear_error() }
        guard let ticket = SessionTicket(bytes), ticket.serverName == host,
            let session = SSL_SESSION_from_bytes(ticket.session, ticket.session.count, context.context)
        else { return }
        defer { SSL_SESSION_free(session) }
        SSL_set_session(ssl, session)
        SSL_set_early_data_enabled(ssl, offersEarlyData ? 1 : 0)
    }

    /// The name in the form in which tickets keep it.
    private static func checked(_ serverName: String) throws(TLSConfigurationError) -> String {
        let name = SessionTicket.normalized(serverName)
        let isPrintable = name.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard (1...255).contains(name.utf8.count), isPrintable else {
            throw TLSConfigurationError(
                source: "server name",
                problem: "'\(serverName)' is not a host name in ASCII, nor an IP address")
        }
        return name
    }
}
