import GodwitCrypto
package import GodwitWire

/// What is out of order about a packet that a connection is made to send.
package struct Forgery: Sendable {
    /// The level whose keys protect it.
    package var level: EncryptionLevel
    /// How many packet numbers are left out before it.
    package var skippedNumbers = 0
    /// Whether the keys are updated before it, allowed or not (RFC 9001 section 6.1).
    package var updatesKeys = false
    /// Whether the reserved bits of its header are set (RFC 9000 section 17.2).
    package var setsReservedBits = false

    package init(level: EncryptionLevel) { self.level = level }
}

// Packets with any contents under the connection's own keys: what a hostile peer could send, and nobody else. The
// fuzz targets reach the code behind the AEAD with them.
extension Connection {
    /// Writes one packet with `payload` for its frames, as much of it as fits, and notes it as sent.
    /// - Returns: its size; nil when there are no keys for it.
    package func forge(
        _ forgery: Forgery, payload: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer,
        now: Instant
    ) -> Int? {
        guard lifecycle.isOpen, protection.canWrite(at: forgery.level) else { return nil }
        if forgery.updatesKeys { protection.oneRTT?.initiateUpdate() }
        for _ in 0..<forgery.skippedNumbers { packetNumbers[forgery.level.space].skipOne() }
        scratch.records.removeAll(keepingCapacity: true)
        guard var packet = begin(forgery.level, into: buffer) else { return nil }
        if forgery.setsReservedBits { setReservedBits(of: packet) }
        packet.writer.writeBytes(UnsafeRawBufferPointer(rebasing: payload.prefix(packet.writer.remaining)))
        packet.isAckEliciting = true
        return finish(&packet, .notECT, now: now)
    }

    private func setReservedBits(of packet: PacketBuilder) {
        let bits: UInt8 = packet.level == .oneRTT ? 0x18 : 0x0c
        packet.writer.patchUInt8(packet.writer.written[0] | bits, at: 0)
    }
}
