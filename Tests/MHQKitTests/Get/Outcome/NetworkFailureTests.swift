import Godwit
import GodwitHTTP3
import Testing

@testable import MHQKit

@Suite struct NetworkFailureTests {
    private let network = NetworkFailure(server: "localhost:4434", connectTime: .seconds(5))

    private func failure(_ reason: ConnectionCloseReason) -> Failure? {
        network.failure(HTTP3Failure.connectionClosed(reason))
    }

    private func attempts(_ reasons: ConnectionCloseReason?...) -> QUICError {
        let address = NetworkAddress("127.0.0.1:4434")!
        return .connectFailed(
            host: "localhost", attempts: reasons.map { FailedAttempt(address: address, reason: $0) })
    }

    private func alert(_ number: UInt8, _ reason: String, byPeer: Bool) -> ConnectionCloseReason {
        .transport(code: .cryptoError(alert: number), frameType: 6, reason: reason, byPeer: byPeer)
    }

    @Test("Silence is told with what may be behind it")
    func silence() {
        let expected = Failure(
            28, "localhost:4434 did not answer within 5 s (no QUIC server there? a firewall that drops UDP?)")
        #expect(network.failure(attempts(.handshakeTimeout, nil)) == expected)
        #expect(network.failure(attempts()) == expected)
        #expect(network.failure(HTTP3Failure.timedOut(.connect)) == expected)
        #expect(failure(.handshakeTimeout) == expected)
    }

    @Test("Of several attempts the one counts that tells most")
    func severalAttempts() {
        let refused = ConnectionCloseReason.transport(
            code: .connectionRefused, frameType: 0, reason: "", byPeer: true)
        #expect(
            network.failure(attempts(.handshakeTimeout, refused))
                == Failure(7, "localhost:4434 refused the connection"))
    }

    @Test("A name that is unknown")
    func unknownName() {
        let error = QUICError.nameNotFound(host: "x.invalid", reason: "Name or service not known")
        #expect(
            network.failure(error)
                == Failure(6, "could not resolve the host 'x.invalid': Name or service not known"))
    }

    @Test(
        "A certificate that is not trusted is told with the reason, and with a way out if there is one",
        arguments: [
            (48, "unable to get local issuer certificate", true), (48, "self signed certificate", true),
            (42, "Hostname mismatch", false), (45, "certificate has expired", false),
        ] as [(UInt8, String, Bool)])
    func certificates(number: UInt8, reason: String, hasHint: Bool) throws {
        let failure = try #require(network.failure(attempts(alert(number, reason, byPeer: false))))
        #expect(failure.exitCode == 60)
        #expect(failure.message.hasPrefix("localhost:4434: its certificate is not trusted: \(reason)"))
        #expect(failure.message.contains("--ca-file") == hasHint)
    }

    @Test("A handshake that fails is told with the alert's meaning")
    func handshakes() {
        #expect(
            failure(alert(120, "", byPeer: true))
                == Failure(
                    35, "localhost:4434 refused the TLS handshake: alert 120 (it does not speak HTTP/3 there)"
                ))
        #expect(
            failure(alert(40, "NO_SHARED_GROUP", byPeer: false))
                == Failure(35, "localhost:4434: the TLS handshake failed: NO_SHARED_GROUP"))
    }

    @Test("Who broke which rules, with which code")
    func rules() {
        let flow = TransportErrorCode.flowControlError
        #expect(
            failure(.transport(code: flow, frameType: 0, reason: "too much", byPeer: true))
                == Failure(96, "localhost:4434 closed the connection with FLOW_CONTROL_ERROR: too much"))
        #expect(
            failure(.transport(code: flow, frameType: 0, reason: "too much", byPeer: false))
                == Failure(96, "localhost:4434 broke the rules of QUIC: FLOW_CONTROL_ERROR: too much"))
        #expect(
            failure(.application(code: 0x105, reason: "", byPeer: true))
                == Failure(95, "localhost:4434 closed the connection with H3_FRAME_UNEXPECTED"))
        #expect(
            failure(.application(code: 0x106, reason: "x", byPeer: false))
                == Failure(95, "localhost:4434 broke the rules of HTTP/3: H3_FRAME_ERROR: x"))
        #expect(failure(.versionNegotiationFailed(offered: [0xff00_001d]))?.exitCode == 96)
    }

    @Test("Connections that are lost")
    func lost() {
        #expect(failure(.application(code: 0x100, reason: "", byPeer: true))?.exitCode == 56)
        #expect(failure(.transport(code: .noError, frameType: 0, reason: "", byPeer: true))?.exitCode == 56)
        #expect(failure(.statelessReset)?.exitCode == 56)
        #expect(failure(.noViablePath)?.exitCode == 56)
        #expect(failure(.idleTimeout)?.exitCode == 28)
        #expect(network.failure(HTTP3Failure.goingAway)?.exitCode == 56)
    }

    @Test("Requests that come to nothing")
    func requests() {
        func code(_ failure: HTTP3Failure) -> Int32? { network.failure(failure)?.exitCode }
        #expect(code(.reset(stream: StreamID(rawValue: 0), code: .internalError)) == 92)
        #expect(code(.rejected(stream: StreamID(rawValue: 0))) == 92)
        #expect(code(.timedOut(.responseHeaders)) == 28)
        #expect(code(.fieldSectionTooLarge(stream: StreamID(rawValue: 0), limit: 5)) == 95)
        #expect(code(.notSent(.fieldSectionTooLarge(size: 6, limit: 5))) == ExitCode.usage)
        #expect(network.failure(CancellationError()) == nil)
    }

    @Test("Every message is one line")
    func oneLine() {
        let reasons: [ConnectionCloseReason] = [
            .handshakeTimeout, .idleTimeout, .statelessReset, .noViablePath, alert(48, "x", byPeer: false),
            .versionNegotiationFailed(offered: [1, 2]), .application(code: 7, reason: "y", byPeer: true),
        ]
        for reason in reasons { #expect(failure(reason)?.message.contains("\n") == false) }
    }
}

@Suite struct TransferReportTests {
    @Test("A transfer is one JSON object")
    func whole() {
        var report = TransferReport(url: "https://a/", status: 200, bytes: 5, duration: .milliseconds(1500))
        report.connection = ConnectionFacts(
            version: "v1", isResumed: true, earlyDataAccepted: true, localAddress: "[::]:1",
            remoteAddress: "127.0.0.1:4433")
        report.usedEarlyData = true
        report.file = "x"
        let expected = """
            {"url":"https://a/","status":200,"bytes":5,"seconds":1.500000,"protocol":"h3","version":"v1",\
            "resumed":true,"earlyData":true,"localAddress":"[::]:1","remoteAddress":"127.0.0.1:4433","file":"x"}
            """
        #expect(report.json == expected)
    }

    @Test("A failure has its message and exit code")
    func failed() {
        var report = TransferReport(url: "https://a/")
        report.failure = Failure(28, "a did not answer")
        let expected =
            #"{"url":"https://a/","bytes":0,"seconds":0.000000,"error":"a did not answer","exitCode":28}"#
        #expect(report.json == expected)
    }
}
