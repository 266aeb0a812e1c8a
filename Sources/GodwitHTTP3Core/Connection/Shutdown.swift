/// How far the two sides are with ending the connection gracefully (RFC 9114 section 5.2).
struct Shutdown: Hashable, Sendable, Codable {
    /// What our last GOAWAY said.
    var sentGoaway: UInt64?
    /// What the peer's last GOAWAY said.
    var receivedGoaway: UInt64?
    /// We take no requests any more.
    var isComplete = false
    /// The application has been told that nothing is left.
    var isDrained = false
}
