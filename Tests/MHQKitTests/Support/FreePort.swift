import NIOConcurrencyHelpers

/// Ports that nobody else has.
enum FreePort {
    private static let last = NIOLockedValueBox(UInt16.random(in: 12_000..<31_000))

    /// Not one that the system gives to others (net.ipv4.ip_local_port_range), and not tried out: processes that are
    /// started meanwhile would have the socket for a while after it was closed.
    static func next() -> UInt16 {
        last.withLockedValue { port in
            port += 1
            return port
        }
    }
}
