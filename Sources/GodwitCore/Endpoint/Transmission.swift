public import GodwitWire

/// What ``Endpoint/transmit(into:now:)`` wrote: one datagram, or several of equal size for one destination,
/// of which the last may be smaller.
public struct Transmission: Sendable, Hashable {
    /// How many bytes were written.
    public var count: Int
    /// The size of each datagram but the last.
    public var segmentSize: Int
    /// Where to send them.
    public var remote: NetworkAddress
    /// From where; an unspecified address leaves it to the system.
    public var local: NetworkAddress
    /// How to mark them.
    public var ecn: ECNCodepoint

    /// How many datagrams they are.
    public var datagramCount: Int { (count + segmentSize - 1) / segmentSize }
}
