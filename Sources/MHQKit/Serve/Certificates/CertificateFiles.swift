import Foundation
import GodwitHTTP3
import NIOSSL

/// A pair of PEM files: a chain of certificates and its private key.
public struct CertificateFiles: Hashable, Sendable {
    /// The server's certificate and those that lead to a root.
    public var certificates: String
    /// The key of the first, not encrypted.
    public var privateKey: String

    /// Files with these paths.
    public init(certificates: String, privateKey: String) {
        self.certificates = certificates
        self.privateKey = privateKey
    }
}

/// One identity in the forms that QUIC and TCP want it in.
struct ServedIdentity: Sendable {
    let identity: Identity
    let chain: [NIOSSLCertificateSource]
    let key: NIOSSLPrivateKeySource

    init(certificatesPEM: String, keyPEM: String, source: String, keySource: String) throws {
        identity = try Identity(
            certificatesPEM: certificatesPEM, keyPEM: keyPEM, certificateSource: source, keySource: keySource)
        chain = try identity.certificates.map {
            .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der))
        }
        key = .privateKey(try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem))
    }

    /// - Throws: a failure that names the file.
    init(_ files: CertificateFiles) throws(Failure) {
        let certificates = try Self.text(of: files.certificates, option: "--certificate")
        let key = try Self.text(of: files.privateKey, option: "--private-key")
        do {
            try self.init(
                certificatesPEM: certificates, keyPEM: key, source: files.certificates,
                keySource: files.privateKey)
        } catch let error as TLSConfigurationError {
            throw Failure(ExitCode.dataError, "\(error)")
        } catch {
            throw Failure(ExitCode.dataError, "\(files.privateKey): \(error)")
        }
    }

    private static func text(of path: String, option: String) throws(Failure) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw Failure(ExitCode.noInput, "\(option): \(path): \(FileProblem.describe(error))")
        }
    }
}

/// What Foundation says of a file, in few words.
enum FileProblem {
    static func describe(_ error: any Error) -> String {
        let error = error as NSError
        if let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError, cause.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(cause.code)))
        }
        if error.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(error.code))) }
        switch CocoaError.Code(rawValue: error.code) {
        case .fileReadNoSuchFile, .fileNoSuchFile: return "No such file"
        case .fileReadNoPermission, .fileWriteNoPermission: return "Permission denied"
        case .fileReadInapplicableStringEncoding, .fileReadUnknownStringEncoding: return "is no text"
        default: return "cannot be read"
        }
    }
}
