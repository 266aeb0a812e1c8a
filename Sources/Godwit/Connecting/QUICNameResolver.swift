import CGodwitSocket
public import GodwitWire
import NIOPosix

/// Finds the addresses of a host.
public protocol QUICNameResolver: Sendable {
    /// The host's addresses, most wanted first (RFC 6724).
    ///
    /// - Throws: ``QUICError/nameNotFound(host:reason:)``.
    func addresses(of host: String) async throws -> [IPAddress]
}

/// Asks the operating system (`getaddrinfo`), on a thread of its own because that blocks.
public struct SystemNameResolver: QUICNameResolver {
    /// More addresses than anybody would try.
    private static let capacity = 32

    /// A resolver; they are all alike.
    public init() {}

    /// The addresses that the system finds, in its order of preference.
    public func addresses(of host: String) async throws -> [IPAddress] {
        try await NIOThreadPool.singleton.runIfActive { try Self.resolve(host) }
    }

    private static func resolve(_ host: String) throws -> [IPAddress] {
        try withUnsafeTemporaryAllocation(of: godwit_address.self, capacity: capacity) { addresses in
            var problem: UnsafePointer<CChar>?
            let count = godwit_resolve(host, addresses.baseAddress, capacity, &problem)
            guard count > 0 else {
                throw QUICError.nameNotFound(host: host, reason: problem.map { String(cString: $0) } ?? "")
            }
            return addresses.prefix(count).map(\.ip)
        }
    }
}
