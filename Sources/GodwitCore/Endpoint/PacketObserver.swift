package import GodwitWire

/// Somebody who watches the packets of all connections of an endpoint: a simulation's checkers.
///
/// It sees plain values and changes nothing. An endpoint without one pays a comparison with nil for each
/// packet.
package protocol PacketObserver: AnyObject {
    /// A packet was protected, and will be sent unless the driver loses it.
    func onSealed(_ packet: SealedPacket)

    /// A packet was authenticated and is no duplicate; its frames are about to be processed.
    func onOpened(_ packet: OpenedPacket)

    /// The peer was shown to be at the address (RFC 9000 section 8).
    func onAddressValidated(_ remote: NetworkAddress, of connection: ConnectionHandle)
}

/// A packet that was protected.
package struct SealedPacket {
    package var connection: ConnectionHandle
    package var level: EncryptionLevel
    /// Stands for the key: equal for packets under one key, and different but for a chance of 2^-64
    /// otherwise.
    package var key: UInt64
    package var number: UInt64
    /// The whole packet, in bytes.
    package var size: Int
}

/// A packet that was opened.
package struct OpenedPacket {
    package var connection: ConnectionHandle
    package var level: EncryptionLevel
    package var number: UInt64
    /// Its frames. Valid only during the call.
    package var payload: UnsafeRawBufferPointer
}

extension Endpoint {
    /// Who watches the packets of all connections; nobody by default.
    package var observer: (any PacketObserver)? {
        get { environment.observer }
        set { environment.observer = newValue }
    }
}
