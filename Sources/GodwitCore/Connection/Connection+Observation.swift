import GodwitCrypto
import GodwitWire

// What a simulation sees of a connection.
extension Connection {
    func tell(_ observer: any PacketObserver, ofSealed packet: PacketBuilder, size: Int) {
        observer.onSealed(
            SealedPacket(
                connection: handle, level: packet.level, key: writeKeyName(at: packet.level),
                number: packet.number,
                size: size))
    }

    func tell(_ observer: any PacketObserver, ofOpened packet: ReceivedPacket) {
        observer.onOpened(
            OpenedPacket(
                connection: handle, level: packet.level, number: packet.number, payload: packet.payload))
    }

    /// A 1-RTT key is named by its secret, which copies of a connection share. The keys of a handshake, which
    /// has no copies, are named by what tells handshakes apart.
    private func writeKeyName(at level: EncryptionLevel) -> UInt64 {
        if level == .oneRTT, let keys = protection.oneRTT { return Self.name(keys.state.writeSecret.bytes) }
        let ids =
            [identity.originalDestination, identity.localHandshakeID]
            + [identity.retrySource].compactMap { $0 }
        let version = identity.version.rawValue
        let tail = [
            UInt8(level.rawValue), UInt8(truncatingIfNeeded: version >> 24),
            UInt8(truncatingIfNeeded: version),
        ]
        return Self.name(ids.flatMap(\.bytes) + tail)
    }

    /// A number for bytes (FNV-1a, then mixed).
    private static func name(_ bytes: [UInt8]) -> UInt64 {
        let digest = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return (digest ^ digest >> 29) &* 0x9e37_79b9_7f4a_7c15
    }

    /// What both ends call the connection: the id that the client's first packet was addressed to (RFC 9000
    /// section 7.3).
    package var number: UInt64 { Self.name(identity.originalDestination.bytes) }
}
