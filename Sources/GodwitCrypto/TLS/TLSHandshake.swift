internal import CNIOBoringSSL
public import GodwitWire

/// A TLS 1.3 handshake of BoringSSL's, through its interface for QUIC.
///
/// ``TLSClient`` and ``TLSServer`` make it. When the handshake is confirmed and a server has sent its
/// tickets, it may be dropped: all that matters afterwards is in ``HandshakeSummary``.
public final class TLSHandshake: HandshakeSession {
    enum Side {
        case client(TLSClient, host: String)
        case server(TLSServer)

        var isClient: Bool {
            if case .client = self { true } else { false }
        }
    }

    /// A client keeps no more tickets of one session than this; a server may send any number.
    private static let maxTickets = 8

    let side: Side
    let ssl: OpaquePointer

    // What BoringSSL's callbacks leave behind.
    var queue = HandshakeActionQueue()
    var alert: UInt8?
    /// Why a callback ended the handshake; it knows more than the alert.
    var callbackFailure: HandshakeFailure?
    var exporterSecret: [UInt8] = []
    /// Whether the client of a server wants to send early data.
    var isEarlyDataOffered = false
    /// How a server answers; dropped once it has, since it may hold on to the connection.
    var serverAnswer: ServerAnswer?

    private var inbound = InboundLevels()
    private var scanner = HandshakeMessageScanner()
    private var failure: HandshakeFailure?
    private var hasReportedParameters = false
    private var hasReportedEarlyData = false
    private var ticketCount = 0

    /// Whether the handshake is complete (RFC 9001 section 4.1.1).
    public private(set) var isComplete = false

    /// Takes over the session of BoringSSL's.
    init(ssl: OpaquePointer, side: Side) {
        self.ssl = ssl
        self.side = side
        SSL_set_ex_data(ssl, TLSCallbacks.exDataIndex, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { SSL_free(ssl) }

    // MARK: HandshakeSession

    /// Makes a client's ClientHello; does nothing for a server.
    public func start() throws(HandshakeFailure) {
        guard side.isClient else { return }
        try orFail { () throws(HandshakeFailure) in try advance() }
    }

    /// Takes CRYPTO bytes in the order of their offsets and goes as far as they allow.
    public func receive(_ bytes: UnsafeRawBufferPointer, at level: EncryptionLevel) throws(HandshakeFailure) {
        guard !bytes.isEmpty else { return }
        try orFail { () throws(HandshakeFailure) in
            try checkAllowed(bytes, at: level)
            if level == readLevel {
                try provide(bytes, at: level)
                try advance()
            } else {
                let limit = SSL_quic_max_handshake_flight_len(ssl, ssl_encryption_level_t(level))
                try inbound.hold(bytes, at: level, limit: limit)
            }
        }
    }

    /// What there is to be done next; nil when nothing is left.
    public func nextAction() -> HandshakeAction? { queue.popFirst() }

    /// The application protocol, as soon as it is known; before early data is answered, the ticket's.
    public var applicationProtocol: String? {
        var (name, length): (UnsafePointer<UInt8>?, UInt32) = (nil, 0)
        SSL_get0_alpn_selected(ssl, &name, &length)
        guard let name, length > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    /// The host name that the client asked for; nil if it asked for none.
    public var serverName: String? {
        guard let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
        return String(cString: name)
    }

    // MARK: Bytes of the peer

    private var readLevel: EncryptionLevel { EncryptionLevel(SSL_quic_read_level(ssl)) }

    private func checkAllowed(_ bytes: UnsafeRawBufferPointer, at level: EncryptionLevel)
        throws(HandshakeFailure)
    {
        // RFC 9001 section 8.3: 0-RTT packets carry no CRYPTO frames. Section 4.1.3: nothing new comes at a
        // level that TLS has left.
        guard level != .earlyData, level.rawValue >= readLevel.rawValue else {
            throw HandshakeFailure(
                code: .protocolViolation, reason: "handshake bytes at a level that has none")
        }
        if level == .oneRTT { try checkPostHandshake(bytes) }
    }

    /// RFC 9001 sections 4.4 and 6: QUIC has other errors for these two than TLS.
    private func checkPostHandshake(_ bytes: UnsafeRawBufferPointer) throws(HandshakeFailure) {
        for type in scanner.scan(bytes) {
            if type == HandshakeMessageScanner.keyUpdate {
                throw HandshakeFailure(alert: UInt8(SSL_AD_UNEXPECTED_MESSAGE), reason: "a KeyUpdate of TLS")
            }
            if type == HandshakeMessageScanner.certificateRequest, side.isClient {
                throw HandshakeFailure(
                    code: .protocolViolation, reason: "a CertificateRequest after the handshake")
            }
        }
    }

    private func provide(_ bytes: UnsafeRawBufferPointer, at level: EncryptionLevel) throws(HandshakeFailure)
    {
        let pointer = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        ERR_clear_error()
        guard SSL_provide_quic_data(ssl, ssl_encryption_level_t(level), pointer, bytes.count) != 1 else {
            return
        }
        let error = takeError()
        guard ERR_GET_REASON(error) != SSL_R_EXCESSIVE_MESSAGE_SIZE else {
            throw HandshakeFailure(code: .cryptoBufferExceeded, reason: "too many handshake bytes at once")
        }
        throw HandshakeFailure(alert: UInt8(SSL_AD_INTERNAL_ERROR), reason: errorText(error))
    }

    // MARK: Driving BoringSSL

    /// Whether BoringSSL can go on at once, or needs bytes.
    private enum Step {
        case goOn
        case needsBytes
    }

    private func advance() throws(HandshakeFailure) {
        repeat {
            while try step() == .goOn {}
        } while try takeHeldBytes()
    }

    private func step() throws(HandshakeFailure) -> Step {
        ERR_clear_error()
        if isComplete {
            guard SSL_process_quic_post_handshake(ssl) == 1 else { throw makeFailure() }
            return .needsBytes
        }
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            // With early data BoringSSL pauses once, before the handshake is over.
            if SSL_in_init(ssl) == 0 { try finish() } else { reportProgress() }
            return .goOn
        }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            reportProgress()
            return .needsBytes
        case SSL_ERROR_EARLY_DATA_REJECTED:
            SSL_reset_early_data_reject(ssl)
            queue.append(.earlyDataRejected)
            return .goOn
        default: throw makeFailure()
        }
    }

    /// Hands on what came before TLS was ready for its level.
    private func takeHeldBytes() throws(HandshakeFailure) -> Bool {
        let level = readLevel
        guard let bytes = inbound.release(level) else { return false }
        try bytes.withUnsafeBufferPointer { (bytes) throws(HandshakeFailure) in
            try provide(UnsafeRawBufferPointer(bytes), at: level)
        }
        return true
    }

    private func finish() throws(HandshakeFailure) {
        reportProgress()
        if !hasReportedParameters { report(parameters: []) }
        let summary = try makeSummary()
        isComplete = true
        queue.append(.complete(summary))
    }

    // MARK: Failures

    /// A session that has failed stays so.
    private func orFail(_ body: () throws(HandshakeFailure) -> Void) throws(HandshakeFailure) {
        if let failure { throw failure }
        do throws(HandshakeFailure) { try body() } catch {
            failure = error
            throw error
        }
    }

    private func makeFailure() -> HandshakeFailure {
        let error = takeError()
        if let callbackFailure { return callbackFailure }
        let reason = errorText(error)
        // RFC 9001 section 8.1 asks for this alert also where the server picked what wasn't offered.
        if ERR_GET_REASON(error) == SSL_R_INVALID_ALPN_PROTOCOL {
            return HandshakeFailure(alert: UInt8(SSL_AD_NO_APPLICATION_PROTOCOL), reason: reason)
        }
        if isViolation(ERR_GET_REASON(error)) {
            return HandshakeFailure(code: .protocolViolation, reason: reason)
        }
        return HandshakeFailure(alert: alert ?? UInt8(SSL_AD_INTERNAL_ERROR), reason: reason)
    }

    /// Where RFC 9001 names PROTOCOL_VIOLATION and BoringSSL sends an alert.
    private func isViolation(_ reason: CInt) -> Bool {
        switch reason {
        // Section 4.1.3: bytes that TLS hasn't consumed when the next level's keys are there.
        case SSL_R_EXCESS_HANDSHAKE_DATA: true
        // Section 8.4: the middlebox compatibility mode.
        case SSL_R_UNEXPECTED_COMPATIBILITY_MODE: true
        // Section 4.6.1: a ticket whose early data size is not 0xffffffff, which BoringSSL answers so.
        case SSL_R_DECODE_ERROR: isComplete && alert == UInt8(SSL_AD_ILLEGAL_PARAMETER)
        default: false
        }
    }
}

// MARK: - What has become known

extension TLSHandshake {
    /// Says what TLS has found out since the last time, before what follows from it.
    func reportProgress() {
        guard !isComplete else { return }
        if !hasReportedEarlyData { reportEarlyData() }
        guard side.isClient, !hasReportedParameters else { return }
        var (bytes, length): (UnsafePointer<UInt8>?, Int) = (nil, 0)
        SSL_get_peer_quic_transport_params(ssl, &bytes, &length)
        if length > 0 { report(parameters: [UInt8](UnsafeBufferPointer(start: bytes, count: length))) }
    }

    /// A client learns of a refusal by an error instead; see ``step()``.
    private func reportEarlyData() {
        if SSL_early_data_accepted(ssl) == 1 {
            hasReportedEarlyData = true
            queue.append(.earlyDataAccepted)
        } else if isEarlyDataOffered, SSL_get_early_data_reason(ssl) != ssl_early_data_unknown {
            hasReportedEarlyData = true
            queue.append(.earlyDataRejected)
        }
    }

    func report(parameters: [UInt8]) {
        hasReportedParameters = true
        queue.append(.peerTransportParameters(parameters))
    }

    func report(ticket session: OpaquePointer) {
        guard case .client(let client, let host) = side, client.configuration.acceptsTickets,
            ticketCount < Self.maxTickets
        else { return }
        var (bytes, length): (UnsafeMutablePointer<UInt8>?, Int) = (nil, 0)
        guard SSL_SESSION_to_bytes(session, &bytes, &length) == 1, let bytes else { return ERR_clear_error() }
        defer { OPENSSL_free(bytes) }
        ticketCount += 1
        let ticket = SessionTicket(
            serverName: host, applicationProtocol: applicationProtocol ?? "",
            allowsEarlyData: SSL_SESSION_early_data_capable(session) == 1,
            session: [UInt8](UnsafeBufferPointer(start: bytes, count: length)))
        queue.append(.sessionTicket(ticket.bytes))
    }

    /// The peer's certificates as they came, in DER.
    var peerCertificates: [[UInt8]] {
        guard let stack = SSL_get0_peer_certificates(ssl) else { return [] }
        return (0..<OPENSSL_sk_num(stack)).compactMap { index in
            guard let buffer = OPENSSL_sk_value(stack, index).map({ OpaquePointer($0) }) else { return nil }
            return [UInt8](
                UnsafeBufferPointer(start: CRYPTO_BUFFER_data(buffer), count: CRYPTO_BUFFER_len(buffer)))
        }
    }

    private func makeSummary() throws(HandshakeFailure) -> HandshakeSummary {
        guard let suite = CipherSuite(SSL_get_current_cipher(ssl)), exporterSecret.count == suite.hashLength
        else { throw HandshakeFailure(alert: UInt8(SSL_AD_INTERNAL_ERROR), reason: "no exporter secret") }
        return HandshakeSummary(
            applicationProtocol: applicationProtocol ?? "", serverName: serverName, cipherSuite: suite,
            peerCertificates: peerCertificates, isResumed: SSL_session_reused(ssl) == 1,
            earlyDataAccepted: SSL_early_data_accepted(ssl) == 1,
            exporterSecret: ExporterSecret(suite: suite, bytes: exporterSecret),
            keyExchangeGroup: KeyExchangeGroup(rawValue: SSL_get_group_id(ssl)))
    }
}
