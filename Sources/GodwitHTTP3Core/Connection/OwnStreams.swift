public import GodwitWire

/// The unidirectional streams that an endpoint opens for its HTTP/3 connection (RFC 9114 section 6.2).
public struct OwnStreams: Hashable, Sendable, Codable {
    /// The control stream.
    public var control: StreamID
    /// The stream of QPACK's encoder (RFC 9204 section 4.2).
    public var encoder: StreamID
    /// The stream of QPACK's decoder (RFC 9204 section 4.2).
    public var decoder: StreamID
    /// One for a reserved stream that only keeps peers tolerant (RFC 9114 section 6.2.3), if the peer allows
    /// a fourth.
    public var reserved: StreamID?

    /// Streams that the transport has opened for us and on which nothing was sent.
    public init(control: StreamID, encoder: StreamID, decoder: StreamID, reserved: StreamID? = nil) {
        self.control = control
        self.encoder = encoder
        self.decoder = decoder
        self.reserved = reserved
    }
}
