import GodwitCrypto
import GodwitWire

// What every packet wants of its keys. All of it is `mutating`, although most changes nothing: a method that
// mutates works on the keys where they are. For one that only reads, the keys of all phases and the secrets
// they come from would be copied out of the connection first, for every packet.
extension OneRTTKeys {
    /// The key phase bit of what is sent now.
    mutating func phaseToSend() -> Bool { state.phase }

    /// Encrypts a packet in place, and counts it.
    /// - Returns: the size of the whole packet.
    mutating func seal(_ packet: inout PacketBuilder) -> Int {
        let size = packet.seal(write)
        onSealed(packet.number)
        return size
    }

    /// What protects the headers of what is sent.
    mutating func headerKeyToSend() -> HeaderProtectionKey { writeHeader }

    /// What protects the headers of what is received; nil until the peer's secret is known.
    mutating func headerKeyToReceive() -> HeaderProtectionKey? { readHeader }
}
