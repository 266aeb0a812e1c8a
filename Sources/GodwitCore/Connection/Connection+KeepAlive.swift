import GodwitWire

extension Connection {
    /// Keeps the connection from ending for want of traffic, or no longer: for an application that waits for
    /// something (RFC 9000 section 10.1.2). It takes the place of the configuration's `keepAliveInterval`.
    public func keepAlive(_ isWanted: Bool) {
        let own = configuration.idleTimeout.map { TimeSpan($0) }
        let timeout = [own, peerParameters.maxIdleTimeout].compactMap { $0 }.min()
        let interval = timeout.map { TimeSpan(nanoseconds: $0.nanoseconds / 2) }
        configuration.keepAliveInterval = isWanted ? interval?.duration : nil
        wake()
    }
}
