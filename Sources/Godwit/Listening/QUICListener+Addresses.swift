public import GodwitWire

// A server with more than one address.
extension QUICListener {
    /// Listens at another address besides, such as the one that clients are asked to prefer (RFC 9000 section
    /// 9.6).
    ///
    /// Connections are the same at all addresses: one that moves from one to another goes on.
    ///
    /// - Throws: ``QUICError/socket(_:)`` if the address can't be had.
    public func listen(alsoAt address: NetworkAddress) async throws {
        _ = try await bindSockets(to: address)
    }
}
