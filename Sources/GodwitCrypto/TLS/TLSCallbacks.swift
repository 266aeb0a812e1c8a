internal import CNIOBoringSSL
internal import GodwitWire

/// What BoringSSL calls back while it handles a handshake. Each finds the ``TLSHandshake`` that it is about
/// and leaves there what it has to say.
enum TLSCallbacks {
    /// Where a session of BoringSSL's keeps the way back to ours.
    static let exDataIndex = SSL_get_ex_new_index(0, nil, nil, nil, nil)

    static func handshake(_ ssl: OpaquePointer?) -> TLSHandshake? {
        guard let ssl, let pointer = SSL_get_ex_data(ssl, exDataIndex) else { return nil }
        return Unmanaged<TLSHandshake>.fromOpaque(pointer).takeUnretainedValue()
    }

    // MARK: QUIC

    /// BoringSSL keeps the pointer, so it has to stay where it is for ever.
    nonisolated(unsafe) static let quicMethod: UnsafePointer<SSL_QUIC_METHOD> = {
        let method = UnsafeMutablePointer<SSL_QUIC_METHOD>.allocate(capacity: 1)
        method.initialize(
            to: SSL_QUIC_METHOD(
                set_read_secret: { ssl, level, cipher, secret, length in
                    install(ssl, level, cipher, secret, length) { .installReadSecret($0, $1) }
                },
                set_write_secret: { ssl, level, cipher, secret, length in
                    install(ssl, level, cipher, secret, length) { .installWriteSecret($0, $1) }
                },
                add_handshake_data: addHandshakeData, flush_flight: { _ in 1 }, send_alert: sendAlert))
        return UnsafePointer(method)
    }()

    private static func install(
        _ ssl: OpaquePointer?, _ level: ssl_encryption_level_t, _ cipher: OpaquePointer?,
        _ secret: UnsafePointer<UInt8>?, _ length: Int,
        _ action: (TrafficSecret, EncryptionLevel) -> HandshakeAction
    ) -> CInt {
        guard let handshake = handshake(ssl), let suite = CipherSuite(cipher), let secret,
            length == suite.hashLength
        else { return 0 }
        handshake.reportProgress()
        let bytes = [UInt8](UnsafeBufferPointer(start: secret, count: length))
        handshake.queue.append(action(TrafficSecret(suite: suite, bytes: bytes), EncryptionLevel(level)))
        return 1
    }

    private static let addHandshakeData:
        @convention(c) (OpaquePointer?, ssl_encryption_level_t, UnsafePointer<UInt8>?, Int) -> CInt = {
            ssl, level, data, length in
            guard let handshake = handshake(ssl) else { return 0 }
            handshake.reportProgress()
            handshake.queue.appendSend(
                UnsafeBufferPointer(start: data, count: length), at: EncryptionLevel(level))
            return 1
        }

    private static let sendAlert: @convention(c) (OpaquePointer?, ssl_encryption_level_t, UInt8) -> CInt = {
        ssl, _, alert in
        handshake(ssl)?.alert = alert
        return 1
    }

    // MARK: Secrets

    private static let exporterLabel = "EXPORTER_SECRET "

    /// The exporter secret itself is only to be had here; with it, the session need not be kept for
    /// exporting.
    static let keyLog: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?) -> Void = { ssl, line in
        guard let handshake = handshake(ssl), let line else { return }
        let text = String(cString: line)
        if text.hasPrefix(exporterLabel), let last = text.split(separator: " ").last {
            handshake.exporterSecret = Hexadecimal.decode(last) ?? []
        }
        switch handshake.side {
        case .client(let client, _): client.configuration.keyLog?(text)
        case .server(let server): server.configuration.keyLog?(text)
        }
    }

    // MARK: Certificates

    static let verify: @convention(c) (OpaquePointer?, UnsafeMutablePointer<UInt8>?) -> ssl_verify_result_t =
        { ssl, alert in
            guard let handshake = handshake(ssl) else { return ssl_verify_invalid }
            do throws(CertificateVerifier.Refusal) {
                try handshake.verifyPeer()
                return ssl_verify_ok
            } catch {
                alert?.pointee = error.alert
                handshake.callbackFailure = HandshakeFailure(alert: error.alert, reason: error.reason)
                return ssl_verify_invalid
            }
        }

    // MARK: Tickets of a client

    /// Returning 0 leaves the session BoringSSL's.
    static let newSession: @convention(c) (OpaquePointer?, OpaquePointer?) -> CInt = { ssl, session in
        if let session { handshake(ssl)?.report(ticket: session) }
        return 0
    }
}

extension TLSHandshake {
    fileprivate func verifyPeer() throws(CertificateVerifier.Refusal) {
        switch side {
        case .client(let client, let host): try client.verifier.verify(peerCertificates, host: host)
        case .server(let server): try server.verifier.verify(peerCertificates, host: nil)
        }
    }
}

extension EncryptionLevel {
    init(_ level: ssl_encryption_level_t) {
        switch level {
        case ssl_encryption_initial: self = .initial
        case ssl_encryption_early_data: self = .earlyData
        case ssl_encryption_handshake: self = .handshake
        default: self = .oneRTT
        }
    }
}

extension ssl_encryption_level_t {
    init(_ level: EncryptionLevel) {
        switch level {
        case .initial: self = ssl_encryption_initial
        case .earlyData: self = ssl_encryption_early_data
        case .handshake: self = ssl_encryption_handshake
        case .oneRTT: self = ssl_encryption_application
        }
    }
}

extension CipherSuite {
    /// Nil for what isn't one of ours.
    init?(_ cipher: OpaquePointer?) {
        guard let cipher, let suite = CipherSuite(rawValue: SSL_CIPHER_get_protocol_id(cipher)) else {
            return nil
        }
        self = suite
    }
}
