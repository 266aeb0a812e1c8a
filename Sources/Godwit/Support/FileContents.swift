public import GodwitCrypto

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Identity {
    /// An identity from PEM files.
    ///
    /// - Parameters:
    ///   - certificates: the path of a file with the endpoint's certificate and those that lead to a root.
    ///   - key: the path of a file with the private key, not encrypted.
    /// - Throws: `TLSConfigurationError`, which names the file and says what is wrong with it.
    public static func files(certificates: String, key: String) throws(TLSConfigurationError) -> Identity {
        try Identity(
            certificatesPEM: FileContents.text(of: certificates), keyPEM: FileContents.text(of: key),
            certificateSource: certificates, keySource: key)
    }
}

extension TrustPolicy {
    /// Believes the certificates of a PEM file and what they sign.
    ///
    /// - Throws: `TLSConfigurationError`, which names the file and says what is wrong with it.
    public static func file(_ path: String) throws(TLSConfigurationError) -> TrustPolicy {
        .certificates(try Certificate.list(pem: FileContents.text(of: path), source: path))
    }
}

/// Reads small files.
enum FileContents {
    /// More than any chain of certificates has.
    private static let limit = 1 << 20

    static func text(of path: String) throws(TLSConfigurationError) -> String {
        guard let file = fopen(path, "r") else {
            throw TLSConfigurationError(source: path, problem: SystemError.describe(errno))
        }
        defer { fclose(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = fread(buffer.baseAddress, 1, limit, file)
        }
        guard ferror(file) == 0 else { throw TLSConfigurationError(source: path, problem: "cannot be read") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
