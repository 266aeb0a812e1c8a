import Foundation
import GodwitHTTP3
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL

/// The certificates of a server, by name, for QUIC and for TCP. They can be read anew while the server runs.
final class ServedCertificates: Sendable {
    /// What the server for HTTP/3 takes them from.
    let credentials: ServerCredentials
    private let files: [CertificateFiles]
    private let table: NIOLockedValueBox<[ObjectIdentifier: ServedIdentity]>

    /// - Parameter files: at least one pair; the first serves clients that ask for no name or an unknown one.
    init(files: [CertificateFiles]) throws(Failure) {
        let identities = try files.map { file throws(Failure) in try ServedIdentity(file) }
        self.files = files
        credentials = ServerCredentials(identities.map(\.identity))
        table = NIOLockedValueBox(Self.table(identities))
    }

    /// One that was made for this run.
    init(selfSigned: SelfSignedCertificate) throws {
        let identity = try ServedIdentity(
            certificatesPEM: selfSigned.certificate.pem, keyPEM: selfSigned.key.pem,
            source: "self-signed certificate",
            keySource: "self-signed certificate")
        files = []
        credentials = ServerCredentials([identity.identity])
        table = NIOLockedValueBox(Self.table([identity]))
    }

    private static func table(_ identities: [ServedIdentity]) -> [ObjectIdentifier: ServedIdentity] {
        Dictionary(identities.map { (ObjectIdentifier($0.identity), $0) }) { first, _ in first }
    }

    /// Reads the files anew. If one of them is of no use nothing changes.
    ///
    /// - Returns: how many pairs there are.
    func reload() throws(Failure) -> Int {
        guard !files.isEmpty else { return 0 }
        let identities = try files.map { file throws(Failure) in try ServedIdentity(file) }
        // Whoever asks meanwhile finds an identity of either generation in the table.
        table.withLockedValue { $0.merge(Self.table(identities)) { $1 } }
        credentials.replace(with: identities.map(\.identity))
        table.withLockedValue { $0 = Self.table(identities) }
        return identities.count
    }

    // MARK: TCP

    /// What TLS over TCP needs. Each handshake takes the certificate that is current then.
    func makeTLSContext() throws -> NIOSSLContext {
        let first = identity(for: nil)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: first.chain, privateKey: first.key)
        configuration.applicationProtocols = ["http/1.1"]
        configuration.minimumTLSVersion = .tlsv12
        configuration.sslContextCallback = { values, promise in
            let identity = self.identity(for: values.serverHostname)
            var override = NIOSSLContextConfigurationOverride()
            override.certificateChain = identity.chain
            override.privateKey = identity.key
            promise.succeed(override)
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private func identity(for serverName: String?) -> ServedIdentity {
        // Between the two lookups the certificates may be replaced; the second attempt finds the new ones.
        while true {
            let wanted = ObjectIdentifier(credentials.identity(for: serverName))
            if let identity = table.withLockedValue({ $0[wanted] }) { return identity }
        }
    }
}
