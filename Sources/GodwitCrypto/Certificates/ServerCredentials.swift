internal import NIOConcurrencyHelpers

/// The identities of a server, from which each client gets the one for the name it asks for.
///
/// They can be replaced while the server runs, say when a certificate was renewed; handshakes that have begun
/// keep what they had.
public final class ServerCredentials: Sendable {
    private let table: NIOLockedValueBox<IdentityTable>

    /// - Parameter identities: at least one. The first serves clients that ask for no name or an unknown one.
    public init(_ identities: [Identity]) {
        table = NIOLockedValueBox(IdentityTable(identities))
    }

    /// Puts others in their place, at least one.
    public func replace(with identities: [Identity]) {
        let new = IdentityTable(identities)
        table.withLockedValue { $0 = new }
    }

    /// The identity for a name: one whose certificate names it, else one with a wildcard for it (RFC 6125
    /// section 6.4.3), else the first.
    public func identity(for serverName: String?) -> Identity {
        table.withLockedValue { $0.identity(for: serverName) }
    }
}

private struct IdentityTable {
    private let first: Identity
    private var byName: [String: Identity] = [:]
    /// By what follows the first label.
    private var byWildcard: [Substring: Identity] = [:]

    init(_ identities: [Identity]) {
        precondition(!identities.isEmpty)
        first = identities[0]
        for identity in identities {
            for name in identity.certificates[0].dnsNames { add(identity, name) }
        }
    }

    /// The first identity with a name keeps it.
    private mutating func add(_ identity: Identity, _ name: String) {
        if name.hasPrefix("*.") {
            byWildcard[name.dropFirst(2)] = byWildcard[name.dropFirst(2)] ?? identity
        } else {
            byName[name] = byName[name] ?? identity
        }
    }

    func identity(for serverName: String?) -> Identity {
        guard let name = serverName?.lowercased() else { return first }
        if let exact = byName[name] { return exact }
        guard let dot = name.firstIndex(of: ".") else { return first }
        return byWildcard[name[name.index(after: dot)...]] ?? first
    }
}
