import GodwitHTTP3

/// Where to listen, as the user says it: `IP:PORT`, `localhost:PORT` for both loopback addresses, `:PORT` for
/// all of this machine.
public struct ListenAddress: Hashable, Sendable {
    /// As it was given.
    public let text: String
    /// One or two.
    let addresses: [NetworkAddress]
    /// Whether the machine may lack one of them.
    let isLocalhost: Bool

    /// - Parameter option: is named in the failure.
    public init(_ text: String, option: String) throws(Failure) {
        self.text = text
        let host = text.prefix { $0 != ":" }
        isLocalhost = host == "localhost"
        if isLocalhost || text.hasPrefix(":") {
            // The port is read by the parser of addresses.
            let port = text.dropFirst(host.count)
            let hosts = isLocalhost ? ["127.0.0.1", "[::1]"] : ["[::]"]
            addresses = hosts.compactMap { NetworkAddress($0 + port) }
        } else {
            addresses = NetworkAddress(text).map { [$0] } ?? []
        }
        guard !addresses.isEmpty else {
            throw Failure(
                ExitCode.usage,
                "\(option): '\(text)' is not an IP:PORT, localhost:PORT or :PORT ([::1]:4433 for IPv6)")
        }
    }
}
