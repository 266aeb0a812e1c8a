import Foundation
public import Godwit

/// What the QUIC interop runner tells an endpoint through its environment.
public struct InteropContract: Sendable {
    /// The exit code for a test case that is not supported.
    public static let unsupported: Int32 = 127

    /// The test case, as the runner names it.
    public var testCase: String
    /// What to speak, by its ALPN name: `hq-interop` or `h3`.
    public var applicationProtocol: String
    /// What the client is to download.
    public var requests: [InteropRequest]
    /// What the server serves.
    public var www: String
    /// Where the client puts what it gets.
    public var downloads: String
    /// Where `cert.pem`, `priv.key` and `ca.pem` are.
    public var certificates: String
    /// Where TLS secrets go.
    public var keyLogFile: String?
    /// Where qlog files go.
    public var qlogFolder: String?
    /// Where the server listens.
    public var listen: NetworkAddress
    /// Where it listens besides, and what it tells clients of it.
    public var preferredListen: NetworkAddress?
    /// What it tells clients to prefer (RFC 9000 section 9.6).
    public var preferredAddress: NetworkAddress?

    /// Reads the contract; the defaults are those of the runner's containers.
    public init(environment: [String: String]) throws(Failure) {
        let testCase = environment["TESTCASE"] ?? ""
        self.testCase = testCase
        applicationProtocol = try Self.applicationProtocol(environment["PROTOCOL"] ?? "", testCase)
        www = environment["WWW"] ?? "/www"
        downloads = environment["DOWNLOADS"] ?? "/downloads"
        certificates = environment["CERTS"] ?? "/certs"
        keyLogFile = environment["SSLKEYLOGFILE"].flatMap { $0.isEmpty ? nil : $0 }
        qlogFolder = environment["QLOGDIR"].flatMap { $0.isEmpty ? nil : $0 }
        requests = try Self.requests(environment["REQUESTS"] ?? "")
        listen = try Self.listen(environment)
        preferredListen = try Self.address("PREFERRED_LISTEN", environment)
        preferredAddress = try Self.address("PREFERRED_ADDRESS", environment) ?? preferredListen
    }

    /// Without a word about it, the test case decides, as the runner has it.
    private static func applicationProtocol(_ name: String, _ testCase: String) throws(Failure) -> String {
        switch name {
        case "": return testCase == http3 ? http3ALPN : quicALPN
        case http3ALPN, quicALPN: return name
        default: throw Failure(ExitCode.usage, "PROTOCOL: '\(name)' is none of h3, hq-interop")
        }
    }

    static let http3 = "http3"
    static let http3ALPN = "h3"
    static let quicALPN = "hq-interop"

    private static func requests(_ text: String) throws(Failure) -> [InteropRequest] {
        var requests: [InteropRequest] = []
        for url in text.split(separator: " ") {
            guard let request = InteropRequest(String(url)) else {
                throw Failure(ExitCode.usage, "REQUESTS: '\(url)' is not an https URL")
            }
            requests.append(request)
        }
        return requests
    }

    private static func listen(_ environment: [String: String]) throws(Failure) -> NetworkAddress {
        let host = environment["IP"] ?? "::"
        guard let port = UInt16(environment["PORT"] ?? "443") else {
            throw Failure(ExitCode.usage, "PORT: '\(environment["PORT"] ?? "")' is not a port")
        }
        guard let address = NetworkAddress(host, port: port) else {
            throw Failure(ExitCode.usage, "IP: '\(host)' is not an IP address")
        }
        return address
    }

    private static func address(
        _ name: String, _ environment: [String: String]
    ) throws(Failure) -> NetworkAddress? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let address = NetworkAddress(text) else {
            throw Failure(ExitCode.usage, "\(name): '\(text)' is not an IP:PORT")
        }
        return address
    }
}

/// A file that the client is to get.
public struct InteropRequest: Sendable, Hashable {
    /// Where from.
    public var host: String
    /// The UDP port there.
    public var port: UInt16
    /// With its leading slash.
    public var path: String

    /// Nil when the text is not an https URL.
    public init?(_ url: String) {
        guard let parts = URLComponents(string: url), parts.scheme == "https", let host = parts.host else {
            return nil
        }
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        self.port = UInt16(exactly: parts.port ?? 443) ?? 443
        self.path = parts.path.isEmpty ? "/" : parts.path
    }

    /// The last part of the path.
    public var fileName: String { path.split(separator: "/").last.map(String.init) ?? "index" }
}
