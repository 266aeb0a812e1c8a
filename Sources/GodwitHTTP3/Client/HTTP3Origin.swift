public import HTTPTypes

/// Where requests go to: a host and a port (RFC 9110 section 4.3.1), with `https` as scheme.
public struct HTTP3Origin: Hashable, Sendable, Codable {
    /// A host name in lowercase, or an IP address without brackets.
    public var host: String
    /// The UDP port.
    public var port: UInt16

    /// The origin with that host and port.
    public init(host: String, port: UInt16 = 443) {
        self.host = host.lowercased()
        self.port = port
    }

    /// The origin of an authority: `example.org`, `example.org:8443`, `[2001:db8::1]:443`. Nil if it is none,
    /// as with user information, which `https` does not allow (RFC 9114 section 4.3.1).
    public init?(authority: some StringProtocol) {
        guard !authority.contains("@") else { return nil }
        var (host, port) = (authority[...], "443"[...].description)
        if let colon = authority.lastIndex(of: ":"), authority[colon...].allSatisfy({ $0 != "]" }) {
            host = authority[..<colon]
            port = String(authority[authority.index(after: colon)...])
        }
        let isBracketed = host.first == "[" && host.last == "]"
        if isBracketed { host = host.dropFirst().dropLast() }
        // Brackets belong to IPv6 and only to it (RFC 3986 section 3.2.2).
        guard !host.isEmpty, host.contains(":") == isBracketed else { return nil }
        guard port.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt16(port) else { return nil }
        self.init(host: String(host), port: number)
    }

    /// Where a request goes to; nil if it does not say.
    public init?(_ request: HTTPRequest) {
        guard request.scheme == "https" || request.method == .connect, let authority = request.authority
        else {
            return nil
        }
        self.init(authority: authority)
    }
}

extension HTTP3Origin: CustomStringConvertible {
    /// As in a URL, without the scheme.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
