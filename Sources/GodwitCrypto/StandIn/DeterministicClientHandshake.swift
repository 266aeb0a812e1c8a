package import GodwitWire

/// The client's side of the stand-in; see ``DeterministicTLSClient``.
package final class DeterministicClientHandshake: HandshakeSession {
    private enum State {
        case idle
        case awaitingServerHello
        case awaitingEncryptedExtensions
        case awaitingCertificate
        case awaitingCertificateVerify
        case awaitingFinished
        case complete
    }

    private let configuration: DeterministicTLSClient
    private let host: String
    private let transportParameters: [UInt8]
    private let ticket: StandInTicket?
    private let sendsEarlyData: Bool

    private var random: [UInt8]
    private var session = StandInSession()
    private var state = State.idle
    private var schedule: StandInKeySchedule
    private var isResumed = false
    private var earlyDataAccepted = false
    private var usesMLKEM = false
    private var certificate: [UInt8] = []
    private var serverHandshake: TrafficSecret?
    private var clientHandshake: TrafficSecret?

    package private(set) var applicationProtocol: String?

    package var serverName: String? { IPAddress(host) == nil ? host : nil }
    package var isComplete: Bool { state == .complete }

    init(
        configuration: DeterministicTLSClient, serverName: String, transportParameters: [UInt8],
        ticket: StandInTicket?, offersEarlyData: Bool, random generator: RandomGenerator
    ) {
        self.configuration = configuration
        self.host = serverName
        self.transportParameters = transportParameters
        self.ticket = ticket
        self.sendsEarlyData =
            offersEarlyData && ticket?.allowsEarlyData == true
            && configuration.applicationProtocols.contains(ticket?.applicationProtocol ?? "")
        var generator = generator
        self.random = generator.bytes(32)
        self.schedule = StandInKeySchedule(presharedKey: ticket?.presharedKey)
    }

    // MARK: HandshakeSession

    package func start() throws(HandshakeFailure) {
        guard state == .idle else { return }
        let hello = StandInMessage(
            .clientHello,
            [
                random, [sendsEarlyData ? 1 : 0, configuration.offersMLKEM ? 1 : 0],
                StandInProtocols.encode(configuration.applicationProtocols), Array((serverName ?? "").utf8),
                transportParameters, ticket?.sealed ?? [],
            ],
            paddedTo: StandInSizes.clientHello(
                offersMLKEM: configuration.offersMLKEM, serverName: host,
                protocols: configuration.applicationProtocols, parameters: transportParameters.count,
                ticket: ticket?.sealed.count, isEarly: sendsEarlyData))
        session.send(hello, at: .initial)
        schedule.add(hello)
        state = .awaitingServerHello
        guard sendsEarlyData else { return }
        applicationProtocol = ticket?.applicationProtocol
        session.queue.append(.installWriteSecret(schedule.trafficSecret("c e traffic"), .earlyData))
    }

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
        case (.awaitingServerHello, .serverHello): try handleServerHello(message)
        case (.awaitingEncryptedExtensions, .encryptedExtensions): try handleEncryptedExtensions(message)
        case (.awaitingCertificate, .certificate):
            certificate = try message.fields(1)[0]
            schedule.add(message)
            state = .awaitingCertificateVerify
        case (.awaitingCertificateVerify, .certificateVerify):
            schedule.add(message)
            state = .awaitingFinished
        case (.awaitingFinished, .finished): try handleFinished(message)
        case (.complete, .newSessionTicket): try handleTicket(message)
        default: throw .unexpected(message)
        }
    }

    private func handleServerHello(_ message: StandInMessage) throws(HandshakeFailure) {
        let fields = try message.fields(2)
        guard fields[0].count == 32, fields[1].count == 2 else {
            throw HandshakeFailure(alert: 50, reason: "a damaged ServerHello")
        }
        isResumed = fields[1][0] == 1
        usesMLKEM = fields[1][1] == 1
        guard !isResumed || ticket != nil else {
            throw HandshakeFailure(alert: 47, reason: "resumed a session that wasn't offered")
        }
        if !isResumed, ticket != nil { schedule.restart() }
        schedule.add(message)
        schedule.advance(random + fields[0])
        let client = schedule.trafficSecret("c hs traffic")
        let server = schedule.trafficSecret("s hs traffic")
        (clientHandshake, serverHandshake) = (client, server)
        session.queue.append(.installWriteSecret(client, .handshake))
        session.queue.append(.installReadSecret(server, .handshake))
        state = .awaitingEncryptedExtensions
        try session.read(at: .handshake)
    }

    private func handleEncryptedExtensions(_ message: StandInMessage) throws(HandshakeFailure) {
        let fields = try message.fields(3)
        let chosen = String(decoding: fields[0], as: UTF8.self)
        guard configuration.applicationProtocols.contains(chosen) else {
            throw HandshakeFailure(alert: 120, reason: "an application protocol that wasn't offered")
        }
        applicationProtocol = chosen
        earlyDataAccepted = fields[2] == [1]
        if sendsEarlyData {
            session.queue.append(earlyDataAccepted ? .earlyDataAccepted : .earlyDataRejected)
        }
        session.queue.append(.peerTransportParameters(fields[1]))
        schedule.add(message)
        if isResumed { certificate = ticket?.certificate ?? [] }
        state = isResumed ? .awaitingFinished : .awaitingCertificate
    }

    private func handleFinished(_ message: StandInMessage) throws(HandshakeFailure) {
        guard let serverHandshake, let clientHandshake,
            message.bytes == schedule.finished(serverHandshake).bytes
        else { throw HandshakeFailure(alert: 51, reason: "the handshake was changed on the way") }
        schedule.add(message)
        let finished = schedule.finished(clientHandshake)
        schedule.advance([])
        let application = StandInApplicationSecrets(schedule)
        schedule.add(finished)
        session.send(finished, at: .handshake)
        session.queue.append(.installWriteSecret(application.client, .oneRTT))
        session.queue.append(.installReadSecret(application.server, .oneRTT))
        state = .complete
        session.queue.append(
            .complete(
                HandshakeSummary(
                    applicationProtocol: applicationProtocol ?? "", serverName: serverName,
                    cipherSuite: StandInKeySchedule.suite, peerCertificates: [certificate],
                    isResumed: isResumed,
                    earlyDataAccepted: earlyDataAccepted, exporterSecret: application.exporter,
                    keyExchangeGroup: usesMLKEM ? .x25519MLKEM768 : .x25519)))
        try session.read(at: .oneRTT)
    }

    private func handleTicket(_ message: StandInMessage) throws(HandshakeFailure) {
        let fields = try message.fields(3)
        let ticket = StandInTicket(
            serverName: host, applicationProtocol: applicationProtocol ?? "",
            allowsEarlyData: fields[2] == [1],
            presharedKey: schedule.resumptionKey(nonce: fields[1]), certificate: certificate,
            sealed: fields[0])
        session.queue.append(.sessionTicket(ticket.bytes))
    }
}
