internal import CNIOBoringSSL
internal import GodwitWire

/// The callbacks that only a server gets.
extension TLSCallbacks {
    /// Before anything of a ClientHello is decided.
    static let clientHello: @convention(c) (UnsafePointer<SSL_CLIENT_HELLO>?) -> ssl_select_cert_result_t = {
        hello in
        guard let hello, let handshake = handshake(hello.pointee.ssl),
            case .server(let server) = handshake.side, let answer = handshake.serverAnswer
        else { return ssl_select_cert_error }
        handshake.serverAnswer = nil
        do throws(HandshakeFailure) {
            try handshake.answer(hello, server, answer)
            return ssl_select_cert_success
        } catch {
            handshake.callbackFailure = error
            return ssl_select_cert_error
        }
    }

    static let selectApplicationProtocol:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
            UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> CInt = { ssl, chosen, chosenLength, list, length, _ in
            guard let handshake = handshake(ssl), case .server(let server) = handshake.side, let list
            else {
                return SSL_TLSEXT_ERR_ALERT_FATAL
            }
            let offered = UnsafeBufferPointer(start: list, count: Int(length))
            guard let range = server.context.applicationProtocols.choose(from: offered) else {
                return SSL_TLSEXT_ERR_ALERT_FATAL
            }
            chosen?.pointee = list + range.lowerBound
            chosenLength?.pointee = UInt8(range.count)
            return SSL_TLSEXT_ERR_OK
        }

    // MARK: Tickets

    nonisolated(unsafe) static let ticketMethod: UnsafePointer<SSL_TICKET_AEAD_METHOD> = {
        let method = UnsafeMutablePointer<SSL_TICKET_AEAD_METHOD>.allocate(capacity: 1)
        method.initialize(
            to: SSL_TICKET_AEAD_METHOD(
                max_overhead: { _ in TokenSealer.overhead }, seal: sealTicket, open: openTicket))
        return UnsafePointer(method)
    }()

    private static func sealer(_ ssl: OpaquePointer?) -> TokenSealer? {
        guard case .server(let server)? = handshake(ssl)?.side else { return nil }
        return server.configuration.ticketKeys?.current
    }

    private static let sealTicket:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, Int,
            UnsafePointer<UInt8>?,
            Int
        ) -> CInt = { ssl, output, outputLength, room, input, count in
            guard let sealer = sealer(ssl), let output else { return 0 }
            let plaintext = [UInt8](UnsafeBufferPointer(start: input, count: count))
            let ticket = sealer.seal(plaintext, associatedData: [], nonce: boringSSLRandomBytes(12))
            guard ticket.count <= room else { return 0 }
            output.update(from: ticket, count: ticket.count)
            outputLength?.pointee = ticket.count
            return 1
        }

    private static let openTicket:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?, Int,
            UnsafePointer<UInt8>?,
            Int
        ) -> ssl_ticket_aead_result_t = { ssl, output, outputLength, room, input, count in
            let ticket = [UInt8](UnsafeBufferPointer(start: input, count: count))
            guard let sealer = sealer(ssl), let output,
                let plaintext = sealer.open(ticket, associatedData: []), plaintext.count <= room
            else { return ssl_ticket_aead_ignore_ticket }
            output.update(from: plaintext, count: plaintext.count)
            outputLength?.pointee = plaintext.count
            return ssl_ticket_aead_success
        }

    /// BoringSSL's own randomness: that of the keys which the tickets are for.
    private static func boringSSLRandomBytes(_ count: Int) -> [UInt8] {
        .filled(count, by: { RAND_bytes($0, count) }, "RAND_bytes")
    }
}

// MARK: - Answering a ClientHello

extension TLSHandshake {
    fileprivate func answer(
        _ hello: UnsafePointer<SSL_CLIENT_HELLO>, _ server: TLSServer, _ answer: ServerAnswer
    ) throws(HandshakeFailure) {
        // RFC 9001 section 8.2: a handshake without transport parameters has to fail.
        guard let parameters = hello.bytes(ofExtension: answer.codepoint) else {
            throw HandshakeFailure(alert: UInt8(SSL_AD_MISSING_EXTENSION), reason: "no transport parameters")
        }
        report(parameters: parameters)
        try setParameters(answer, for: parameters)
        let identity = server.configuration.credentials.identity(for: serverName)
        guard SSL_add1_credential(ssl, identity.credential) == 1 else {
            throw HandshakeFailure(alert: UInt8(SSL_AD_INTERNAL_ERROR), reason: errorText(takeError()))
        }
        refuseReplay(hello, server)
    }

    private func setParameters(_ answer: ServerAnswer, for client: [UInt8]) throws(HandshakeFailure) {
        let own: [UInt8]
        do throws(TransportError) { own = try answer.transportParameters(client) } catch {
            throw HandshakeFailure(code: error.code, reason: error.reason)
        }
        guard SSL_set_quic_transport_params(ssl, own, own.count) == 1 else {
            throw HandshakeFailure(alert: UInt8(SSL_AD_INTERNAL_ERROR), reason: errorText(takeError()))
        }
    }

    /// RFC 9001 section 9.2: early data of a ClientHello that was seen before is not taken.
    private func refuseReplay(_ hello: UnsafePointer<SSL_CLIENT_HELLO>, _ server: TLSServer) {
        isEarlyDataOffered = hello.bytes(ofExtension: UInt16(TLSEXT_TYPE_early_data)) != nil
        guard isEarlyDataOffered, let filter = server.configuration.earlyData else { return }
        let random = UnsafeBufferPointer(start: hello.pointee.random, count: hello.pointee.random_len)
        let binder = hello.bytes(ofExtension: UInt16(TLSEXT_TYPE_pre_shared_key)) ?? []
        if !filter.admit(random + binder, now: server.currentTime()) { SSL_set_early_data_enabled(ssl, 0) }
    }
}

extension UnsafePointer<SSL_CLIENT_HELLO> {
    fileprivate func bytes(ofExtension type: UInt16) -> [UInt8]? {
        var (bytes, length): (UnsafePointer<UInt8>?, Int) = (nil, 0)
        guard SSL_early_callback_ctx_extension_get(self, type, &bytes, &length) == 1 else { return nil }
        return [UInt8](UnsafeBufferPointer(start: bytes, count: length))
    }
}
