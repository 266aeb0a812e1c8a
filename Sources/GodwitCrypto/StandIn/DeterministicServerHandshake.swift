package import GodwitWire

/// The server's side of the stand-in; see ``DeterministicTLSClient``.
package final class DeterministicServerHandshake: HandshakeSession {
    private enum State {
        case awaitingClientHello
        case awaitingFinished
        case complete
    }

    private let configuration: DeterministicTLSServer
    private let earlyDataContext: [UInt8]
    /// Dropped once it was called, since it may hold on to the connection.
    private var makeParameters: TransportParametersAnswer?

    private var generator: RandomGenerator
    private var session = StandInSession()
    private var state = State.awaitingClientHello
    private var schedule = StandInKeySchedule(presharedKey: nil)
    private var isResumed = false
    private var earlyDataAccepted = false
    private var usesMLKEM = false
    private var clientFinished: StandInMessage?
    private var application: StandInApplicationSecrets?

    package private(set) var applicationProtocol: String?
    package private(set) var serverName: String?

    package var isComplete: Bool { state == .complete }

    init(
        configuration: DeterministicTLSServer, earlyDataContext: [UInt8], random: RandomGenerator,
        transportParameters: @escaping TransportParametersAnswer
    ) {
        self.configuration = configuration
        self.earlyDataContext = KeyDerivation.hash(earlyDataContext, suite: StandInKeySchedule.suite)
        self.generator = random
        self.makeParameters = transportParameters
    }

    // MARK: HandshakeSession

    package func start() {}

    package func receive(
        _ bytes: UnsafeRawBufferPointer, at level: EncryptionLevel
    ) throws(HandshakeFailure) {
        try session.append(bytes, at: level)
        do throws(HandshakeFailure) {
            while let message = try session.nextMessage() { try handle(message) }
        } catch {
            throw session.fail(error)
        }
    }

    package func nextAction() -> HandshakeAction? { session.nextAction() }

    // MARK: Messages

    private func handle(_ message: StandInMessage) throws(HandshakeFailure) {
        switch (state, message.kind) {
        case (.awaitingClientHello, .clientHello): try handleClientHello(message)
        case (.awaitingFinished, .finished): try handleFinished(message)
        default: throw .unexpected(message)
        }
    }

    private func handleClientHello(_ message: StandInMessage) throws(HandshakeFailure) {
        let hello = try StandInClientHello(message)
        session.queue.append(.peerTransportParameters(hello.transportParameters))
        let parameters = try answer(to: hello.transportParameters)
        guard
            let chosen = configuration.applicationProtocols.first(where: hello.applicationProtocols.contains)
        else { throw HandshakeFailure(alert: 120, reason: "NO_APPLICATION_PROTOCOL") }
        applicationProtocol = chosen
        serverName = hello.serverName
        usesMLKEM = hello.offersMLKEM
        resume(hello)
        schedule.add(message)
        let early = earlyDataAccepted ? schedule.trafficSecret("c e traffic") : nil
        if hello.offersEarlyData {
            session.queue.append(earlyDataAccepted ? .earlyDataAccepted : .earlyDataRejected)
        }
        try answer(hello, parameters, earlySecret: early)
    }

    private func answer(to parameters: [UInt8]) throws(HandshakeFailure) -> [UInt8] {
        defer { makeParameters = nil }
        do throws(TransportError) { return try makeParameters?(parameters) ?? [] } catch {
            throw HandshakeFailure(code: error.code, reason: error.reason)
        }
    }

    private func resume(_ hello: StandInClientHello) {
        guard let keys = configuration.ticketKeys, !hello.ticket.isEmpty,
            let opened = keys.current.open(hello.ticket, associatedData: []),
            let state = StandInSessionState(opened)
        else { return }
        isResumed = true
        schedule = StandInKeySchedule(presharedKey: state.presharedKey)
        guard hello.offersEarlyData, let filter = configuration.earlyData,
            state.applicationProtocol == applicationProtocol, state.earlyDataContext == earlyDataContext
        else { return }
        earlyDataAccepted = filter.admit(hello.random + hello.ticket, now: configuration.currentTime())
    }

    private func answer(
        _ hello: StandInClientHello, _ parameters: [UInt8], earlySecret: TrafficSecret?
    ) throws(HandshakeFailure) {
        let random = generator.bytes(32)
        let serverHello = StandInMessage(
            .serverHello, [random, [isResumed ? 1 : 0, usesMLKEM ? 1 : 0]],
            paddedTo: StandInSizes.serverHello(usesMLKEM: usesMLKEM, isResumed: isResumed))
        send(serverHello, at: .initial)
        schedule.advance(hello.random + random)
        let clientSecret = schedule.trafficSecret("c hs traffic")
        let serverSecret = schedule.trafficSecret("s hs traffic")
        session.queue.append(.installWriteSecret(serverSecret, .handshake))
        sendFlight(parameters, serverSecret)
        let finished = schedule.finished(clientSecret)
        clientFinished = finished
        schedule.advance([])
        let application = StandInApplicationSecrets(schedule)
        self.application = application
        schedule.add(finished)
        session.queue.append(.installWriteSecret(application.server, .oneRTT))
        if let earlySecret {
            sendTickets()
            session.queue.append(.installReadSecret(earlySecret, .earlyData))
        }
        session.queue.append(.installReadSecret(clientSecret, .handshake))
        state = .awaitingFinished
        try session.read(at: .handshake)
    }

    private func sendFlight(_ parameters: [UInt8], _ secret: TrafficSecret) {
        let name = applicationProtocol ?? ""
        let size = StandInSizes.encryptedExtensions(
            applicationProtocol: name, parameters: parameters.count, isEarly: earlyDataAccepted)
        let extensions = StandInMessage(
            .encryptedExtensions, [Array(name.utf8), parameters, [earlyDataAccepted ? 1 : 0]], paddedTo: size)
        send(extensions, at: .handshake)
        if !isResumed {
            // The certificate's first bytes are random like a key, so that two servers' differ.
            var certificate = generator.bytes(min(32, configuration.certificateLength))
            certificate += [UInt8](
                repeating: 0x30, count: configuration.certificateLength - certificate.count)
            let size = StandInSizes.certificate(configuration.certificateLength)
            send(StandInMessage(.certificate, [certificate], paddedTo: size), at: .handshake)
            send(
                StandInMessage(.certificateVerify, [], paddedTo: StandInSizes.certificateVerify),
                at: .handshake)
        }
        send(schedule.finished(secret), at: .handshake)
    }

    private func send(_ message: StandInMessage, at level: EncryptionLevel) {
        session.send(message, at: level)
        schedule.add(message)
    }

    private func handleFinished(_ message: StandInMessage) throws(HandshakeFailure) {
        guard let application, message.bytes == clientFinished?.bytes else {
            throw HandshakeFailure(alert: 51, reason: "the handshake was changed on the way")
        }
        session.queue.append(.installReadSecret(application.client, .oneRTT))
        if !earlyDataAccepted { sendTickets() }
        state = .complete
        session.queue.append(
            .complete(
                HandshakeSummary(
                    applicationProtocol: applicationProtocol ?? "", serverName: serverName,
                    cipherSuite: StandInKeySchedule.suite, peerCertificates: [], isResumed: isResumed,
                    earlyDataAccepted: earlyDataAccepted, exporterSecret: application.exporter,
                    keyExchangeGroup: usesMLKEM ? .x25519MLKEM768 : .x25519)))
        try session.read(at: .oneRTT)
    }

    private func sendTickets() {
        guard let keys = configuration.ticketKeys else { return }
        let isEarly = configuration.earlyData != nil
        let name = applicationProtocol ?? ""
        let room = StandInSizes.ticketPayload(
            usesMLKEM: usesMLKEM, applicationProtocol: name, allowsEarlyData: isEarly)
        for number in 0..<max(0, min(configuration.ticketCount, 16)) {
            let nonce: [UInt8] = [UInt8(number)]
            let state = StandInSessionState(
                presharedKey: schedule.resumptionKey(nonce: nonce), applicationProtocol: name,
                earlyDataContext: earlyDataContext)
            let ticket = keys.current.seal(state.bytes(paddedTo: room), associatedData: [], using: &generator)
            let size = StandInSizes.newSessionTicket(ticket: ticket.count, allowsEarlyData: isEarly)
            session.send(
                StandInMessage(.newSessionTicket, [ticket, nonce, [isEarly ? 1 : 0]], paddedTo: size),
                at: .oneRTT)
        }
    }
}

/// The ClientHello of the stand-in.
struct StandInClientHello {
    let random: [UInt8]
    let offersEarlyData: Bool
    let offersMLKEM: Bool
    let applicationProtocols: [String]
    let serverName: String?
    let transportParameters: [UInt8]
    let ticket: [UInt8]

    init(_ message: StandInMessage) throws(HandshakeFailure) {
        let fields = try message.fields(6)
        guard fields[0].count == 32, fields[1].count == 2 else {
            throw HandshakeFailure(alert: 50, reason: "a damaged ClientHello")
        }
        random = fields[0]
        offersEarlyData = fields[1][0] == 1
        offersMLKEM = fields[1][1] == 1
        applicationProtocols = StandInProtocols.decode(fields[2])
        serverName = fields[3].isEmpty ? nil : String(decoding: fields[3], as: UTF8.self)
        transportParameters = fields[4]
        ticket = fields[5]
    }
}

/// What a server of the stand-in seals into a ticket.
struct StandInSessionState {
    let presharedKey: [UInt8]
    let applicationProtocol: String
    let earlyDataContext: [UInt8]

    init(presharedKey: [UInt8], applicationProtocol: String, earlyDataContext: [UInt8]) {
        self.presharedKey = presharedKey
        self.applicationProtocol = applicationProtocol
        self.earlyDataContext = earlyDataContext
    }

    /// Nil if the bytes are none of ours.
    init?(_ bytes: [UInt8]) {
        var buffer = StandInMessageBuffer()
        let message = try? bytes.withUnsafeBytes {
            try buffer.append($0)
            return try buffer.next()
        }
        guard let fields = try? message?.fields(3), fields[0].count == 32 else { return nil }
        presharedKey = fields[0]
        applicationProtocol = String(decoding: fields[1], as: UTF8.self)
        earlyDataContext = fields[2]
    }

    func bytes(paddedTo length: Int) -> [UInt8] {
        StandInMessage(
            .newSessionTicket, [presharedKey, Array(applicationProtocol.utf8), earlyDataContext],
            paddedTo: length
        ).bytes
    }
}
