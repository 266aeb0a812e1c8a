import Foundation
import GodwitHTTP3

/// Says what went wrong on the network in one line, and with which exit code.
struct NetworkFailure {
    /// Host and port.
    let server: String
    /// How long connecting may take.
    let connectTime: Duration

    /// The failure for an error; nil for what is none of the network's.
    func failure(_ error: any Error) -> Failure? {
        switch error {
        case let error as HTTP3Failure: failure(error)
        case let error as QUICError: failure(error)
        default: nil
        }
    }

    // MARK: Connecting

    private func failure(_ error: QUICError) -> Failure {
        switch error {
        case .nameNotFound(let host, let reason):
            Failure(GetExitCode.nameNotFound, "could not resolve the host '\(host)': \(reason)")
        case .connectFailed(_, let attempts): failure(attempts)
        case .connectionClosed(let reason): failure(reason)
        case .socket(let failure): Failure(ExitCode.system, "\(failure)")
        default: Failure(GetExitCode.quic, "\(server): \(error)")
        }
    }

    /// What most can be learned from of several attempts: silence tells least.
    private func failure(_ attempts: [FailedAttempt]) -> Failure {
        let reasons = attempts.compactMap(\.reason)
        guard let reason = reasons.first(where: { $0 != .handshakeTimeout }) ?? reasons.first else {
            return noAnswer
        }
        return failure(reason)
    }

    private var noAnswer: Failure {
        let seconds = Self.seconds(connectTime)
        let guess = "(no QUIC server there? a firewall that drops UDP?)"
        return Failure(GetExitCode.timeout, "\(server) did not answer within \(seconds) \(guess)")
    }

    static func seconds(_ duration: Duration) -> String {
        let number = duration.inSeconds
        return number == number.rounded() ? "\(Int(number)) s" : "\(number) s"
    }

    // MARK: Connections that end

    private func failure(_ reason: ConnectionCloseReason) -> Failure {
        switch reason {
        case .handshakeTimeout: return noAnswer
        case .idleTimeout:
            return Failure(GetExitCode.timeout, "\(server) has gone silent")
        case .statelessReset:
            return lost("has lost the connection (was it restarted?)")
        case .noViablePath: return lost("can't be reached any more")
        case .versionNegotiationFailed(let offered):
            let versions = offered.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
            return Failure(GetExitCode.quic, "\(server) speaks other versions of QUIC (\(versions))")
        case .transport(let code, _, let reason, let byPeer): return failure(code, reason, byPeer)
        case .application(let code, let reason, let byPeer):
            return failure(HTTP3ErrorCode(rawValue: code), reason, byPeer)
        }
    }

    private func lost(_ what: String) -> Failure {
        Failure(GetExitCode.connectionLost, "\(server) \(what)")
    }

    private func failure(_ code: TransportErrorCode, _ reason: String, _ byPeer: Bool) -> Failure {
        let detail = reason.isEmpty ? "" : ": \(reason)"
        if code == .connectionRefused, byPeer {
            return Failure(GetExitCode.refused, "\(server) refused the connection\(detail)")
        }
        if code == .noError { return lost("closed the connection before the answer was whole") }
        if let alert = code.tlsAlert { return failure(TLSAlert(rawValue: alert), reason, byPeer) }
        let what = byPeer ? "closed the connection with \(code)" : "broke the rules of QUIC: \(code)"
        return Failure(GetExitCode.quic, "\(server) \(what)\(detail)")
    }

    private func failure(_ alert: TLSAlert, _ reason: String, _ byPeer: Bool) -> Failure {
        if !byPeer, alert.isAboutCertificates {
            let what = "its certificate is not trusted: \(reason)"
            return Failure(GetExitCode.certificate, "\(server): \(what)\(CertificateHint.text(for: reason))")
        }
        if byPeer {
            return Failure(GetExitCode.handshake, "\(server) refused the TLS handshake: \(alert.phrase)")
        }
        return Failure(
            GetExitCode.handshake,
            "\(server): the TLS handshake failed: \(reason.isEmpty ? alert.phrase : reason)")
    }

    private func failure(_ code: HTTP3ErrorCode, _ reason: String, _ byPeer: Bool) -> Failure {
        if code == .noError { return lost("closed the connection before the answer was whole") }
        let what = byPeer ? "closed the connection with \(code)" : "broke the rules of HTTP/3: \(code)"
        return Failure(GetExitCode.http3, "\(server) \(what)\(reason.isEmpty ? "" : ": \(reason)")")
    }

    // MARK: Requests

    private func failure(_ error: HTTP3Failure) -> Failure {
        switch error {
        case .connectionClosed(let reason): failure(reason)
        case .timedOut(.connect): noAnswer
        case .timedOut(let timeout):
            Failure(GetExitCode.timeout, "\(server) took too long \(Self.phrase(timeout))")
        case .reset(_, let code), .stopped(_, let code):
            Failure(GetExitCode.stream, "\(server) broke the request off with \(code)")
        case .rejected:
            Failure(GetExitCode.stream, "\(server) did not want the request (H3_REQUEST_REJECTED)")
        case .goingAway: lost("is shutting down")
        case .malformed(_, let error):
            Failure(
                GetExitCode.http3, "\(server) broke the rules of HTTP/3: the answer is malformed: \(error)")
        case .fieldSectionTooLarge(_, let limit):
            Failure(GetExitCode.http3, "\(server) sent a header section larger than \(limit) bytes")
        case .notSent(.fieldSectionTooLarge(let size, let limit)):
            Failure(ExitCode.usage, "--header: \(size) bytes of fields, and \(server) takes \(limit)")
        case .notSent, .contentTooLarge, .cancelled, .contentNotAllowed:
            Failure(GetExitCode.http3, "\(server): \(error)")
        }
    }

    private static func phrase(_ timeout: HTTP3Timeout) -> String {
        switch timeout {
        case .connect, .requestHeaders, .responseHeaders: "to answer"
        case .content: "to send more"
        case .sending: "to take more"
        }
    }
}

/// An alert of TLS (RFC 8446 section 6.2).
struct TLSAlert: RawRepresentable, Hashable {
    let rawValue: UInt8

    /// Whether it is about the certificate of the one who gets it.
    var isAboutCertificates: Bool { [42, 43, 44, 45, 46, 48].contains(rawValue) }

    var phrase: String {
        let name = Self.names[rawValue].map { " (\($0))" } ?? ""
        return "alert \(rawValue)\(name)"
    }

    private static let names: [UInt8: String] = [
        10: "unexpected message", 40: "no parameters in common", 42: "bad certificate",
        43: "unsupported certificate", 44: "certificate revoked", 45: "certificate expired",
        46: "certificate unknown", 47: "illegal parameter", 48: "unknown authority", 49: "access denied",
        50: "decode error", 51: "decrypt error", 70: "protocol version", 71: "insufficient security",
        80: "internal error", 109: "missing extension", 110: "unsupported extension",
        112: "it does not know the name", 116: "it wants a certificate of the client",
        120: "it does not speak HTTP/3 there",
    ]
}

/// What to do about a certificate that is not trusted.
enum CertificateHint {
    /// A dead end in the chain can be remedied; a wrong name or date can't.
    static func text(for reason: String) -> String {
        let reason = reason.lowercased()
        let isUnknown =
            reason.contains("issuer") || reason.contains("self signed") || reason.contains("self-signed")
            || reason.contains("unable to verify")
        return isUnknown ? " (--ca-file FILE to trust its authority, --insecure to trust anyone)" : ""
    }
}
