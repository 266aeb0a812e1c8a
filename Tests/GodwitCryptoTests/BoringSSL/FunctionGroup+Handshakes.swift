internal import CNIOBoringSSL
import GodwitWire

@testable import GodwitCrypto

extension FunctionGroup {
    static let handshakes = [
        FunctionGroup(
            "SSL_CTX_new, SSL_CTX_set_min_proto_version, SSL_CTX_set1_tls13_ciphers, SSL_CTX_set1_group_ids"
        ) {
            let pair = try completed(
                .test { $0.cipherSuites = [.aes256GCM] }, .test { $0.groups = [.p256] })
            return pair.client.summary?.cipherSuite == .aes256GCM
                && pair.client.summary?.keyExchangeGroup == .p256
        },
        FunctionGroup("SSL_CTX_set_quic_method, SSL_provide_quic_data, SSL_do_handshake, SSL_quic_read_level")
        {
            let pair = try completed()
            return pair.client.writeSecret(.oneRTT) == pair.server.readSecret(.oneRTT)
                && pair.client.readSecret(.handshake) == pair.server.writeSecret(.handshake)
        },
        FunctionGroup("SSL_set_quic_transport_params, SSL_get_peer_quic_transport_params") {
            let pair = try completed()
            return pair.client.peerParameters == Array("server parameters".utf8)
                && pair.server.peerParameters == Array("client parameters".utf8)
        },
        FunctionGroup("SSL_set_quic_use_legacy_codepoint") {
            let hellos = try [false, true].map { isLegacy in
                let client = HandshakeParticipant(
                    try TLSClient(.test()).makeHandshake(
                        serverName: "server.test", transportParameters: [7], usesLegacyCodepoint: isLegacy))
                client.start()
                return HandshakeMessages(client.sent(at: .initial))
            }
            return hellos[0].extensionData(57, inMessage: 1) == [7]
                && hellos[1].extensionData(0xffa5, inMessage: 1) == [7]
        },
        FunctionGroup("SSL_CTX_set_alpn_protos, SSL_CTX_set_alpn_select_cb, SSL_get0_alpn_selected") {
            let pair = try completed(
                .test { $0.applicationProtocols = ["a", "b", "c"] }, .test { $0.applicationProtocols = ["b"] }
            )
            return pair.client.summary?.applicationProtocol == "b"
                && pair.server.summary?.applicationProtocol == "b"
        },
        FunctionGroup("SSL_set_tlsext_host_name, SSL_get_servername, SSL_CTX_set_select_certificate_cb") {
            try completed().server.summary?.serverName == "server.test"
        },
        FunctionGroup(
            "SSL_CTX_set_custom_verify, SSL_get0_peer_certificates, CRYPTO_BUFFER_data, CRYPTO_BUFFER_len"
        ) {
            try completed().client.summary?.peerCertificates == [TestIdentities.server.certificate.der]
        },
        FunctionGroup("SSL_CTX_set_verify_algorithm_prefs, SSL_CTX_add1_credential, SSL_add1_credential") {
            let trust = TrustPolicy.certificates([TestIdentities.client.certificate])
            let pair = try completed(
                .test { $0.identity = try! TestIdentities.client.identity() },
                .test { $0.clientAuthentication = .required(trust) })
            return pair.server.summary?.peerCertificates == [TestIdentities.client.certificate.der]
        },
        FunctionGroup(
            "SSL_CTX_set_keylog_callback, SSL_CIPHER_get_protocol_id, SSL_get_group_id"
        ) {
            let pair = try completed()
            return pair.client.summary?.exporterSecret == pair.server.summary?.exporterSecret
                && pair.client.summary?.cipherSuite == pair.server.summary?.cipherSuite
                && pair.client.summary?.keyExchangeGroup == .x25519MLKEM768
        },
        FunctionGroup("SSL_get_error, SSL_early_callback_ctx_extension_get, the callback send_alert") {
            ERR_clear_error()
            let client = try TLSClient(.test { $0.applicationProtocols = ["other"] })
            let pair = HandshakePair(client.handshake(), try TLSServer(.test()).handshake())
            pair.run()
            return pair.server.failure?.alert == 120 && ERR_peek_error() == 0
        },
        FunctionGroup(
            "SSL_CTX_set_ticket_aead_method, SSL_CTX_set_num_tickets, SSL_process_quic_post_handshake"
        ) {
            try completed(.test(), .test { ($0.ticketKeys, $0.ticketCount) = (.random(), 3) }).client.tickets
                .count == 3
        },
        FunctionGroup(
            "SSL_CTX_sess_set_new_cb, SSL_SESSION_to_bytes, SSL_SESSION_from_bytes, SSL_set_session"
        ) {
            let (first, second) = try resumed(earlyData: false)
            return first.server.summary?.isResumed == false && second.server.summary?.isResumed == true
                && second.client.summary?.isResumed == true
        },
        FunctionGroup("SSL_set_early_data_enabled, SSL_set_quic_early_data_context, SSL_early_data_accepted")
        {
            let pair = try resumed(earlyData: true).second
            return pair.client.summary?.earlyDataAccepted == true
                && pair.client.writeSecret(.earlyData) == pair.server.readSecret(.earlyData)
        },
        FunctionGroup("SSL_reset_early_data_reject, SSL_get_early_data_reason, SSL_ERROR_EARLY_DATA_REJECTED")
        {
            let pair = try resumed(earlyData: true, changesContext: true).second
            return pair.isComplete && pair.client.actions.contains(.earlyDataRejected)
                && pair.server.actions.contains(.earlyDataRejected)
        },
        FunctionGroup(
            "SSL_CTX_set_options, SSL_CTX_set_session_psk_dhe_timeout, SSL_CTX_set_session_cache_mode"
        ) {
            let none = try completed()
            let some = try completed(
                .test(), .test { ($0.ticketKeys, $0.ticketLifetime) = (.random(), 0x1234) })
            // A ticket's lifetime is its first field (RFC 8446 section 4.6.1), less the seconds since the session
            // began.
            let field = some.server.sent(at: .oneRTT).dropFirst(4).prefix(4)
            let lifetime = field.reduce(0) { $0 << 8 | Int($1) }
            return none.server.sent(at: .oneRTT).isEmpty && (1...0x1234).contains(lifetime)
        },
        FunctionGroup("SSL_CTX_set_reverify_on_resume, SSL_CTX_set_session_id_context") {
            let keys = TicketKeys.random()
            let server = try TLSServer(.test { $0.ticketKeys = keys })
            let trust = TrustPolicy.certificates([TestIdentities.client.certificate])
            let asking = try TLSServer(
                .test { ($0.ticketKeys, $0.clientAuthentication) = (keys, .optional(trust)) })
            let counter = Lines()
            let client = try TLSClient(
                .test {
                    $0.verifyPeer = { _ in
                        counter.append("verified")
                        return true
                    }
                })
            var pairs = [HandshakePair(client.handshake(), server.handshake())]
            pairs[0].run()
            for other in [server, asking] {
                let pair = HandshakePair(
                    client.handshake(ticket: pairs[0].client.tickets.first), other.handshake())
                pair.run()
                pairs.append(pair)
            }
            return pairs.map { $0.client.summary?.isResumed } == [false, true, false]
                && counter.all.count == 3
        },
        FunctionGroup("SSL_quic_max_handshake_flight_len") {
            let session = try TLSClient(.test()).handshake()
            return SSL_quic_max_handshake_flight_len(session.ssl, ssl_encryption_application) >= 4096
        },
        FunctionGroup("SSL_get_ex_new_index, SSL_set_ex_data, SSL_get_ex_data, SSL_free") {
            weak var session: TLSHandshake?
            var isFound = false
            do {
                let made = try TLSClient(.test()).handshake()
                session = made
                isFound = TLSCallbacks.handshake(made.ssl) === made
            }
            return isFound && session == nil
        },
    ]

    private static func completed(
        _ client: TLSClientConfiguration = .test(), _ server: TLSServerConfiguration = .test()
    ) throws -> HandshakePair {
        let pair = HandshakePair(try TLSClient(client).handshake(), try TLSServer(server).handshake())
        pair.run()
        return pair
    }

    private static func resumed(
        earlyData: Bool, changesContext: Bool = false
    ) throws -> (first: HandshakePair, second: HandshakePair) {
        let client = try TLSClient(.test())
        let server = try TLSServer(
            .test {
                $0.ticketKeys = .random()
                if earlyData { $0.earlyData = ReplayFilter(refusesFirstWindow: false) }
            })
        let first = HandshakePair(client.handshake(), server.handshake(earlyDataContext: "a"))
        first.run()
        let second = HandshakePair(
            client.handshake(ticket: first.client.tickets.first, early: earlyData),
            server.handshake(earlyDataContext: changesContext ? "b" : "a"))
        second.run()
        return (first, second)
    }
}
