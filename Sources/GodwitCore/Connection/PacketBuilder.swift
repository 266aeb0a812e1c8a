import GodwitCrypto
import GodwitWire

/// A packet under construction: header written, frames going in, room kept for the AEAD's tag.
struct PacketBuilder {
    let level: EncryptionLevel
    let number: UInt64
    let layout: PacketLayout
    /// Over the packet's own part of the datagram.
    var writer: ByteWriter
    var isAckEliciting = false
    /// Whether it counts as in flight although it may not be ack-eliciting (RFC 9002 section 2).
    var isPadded = false

    init(level: EncryptionLevel, number: UInt64, layout: PacketLayout, writer: ByteWriter) {
        self.level = level
        self.number = number
        self.layout = layout
        self.writer = writer
        self.writer.reserveTail(CipherSuite.tagLength)
    }

    var isEmpty: Bool { writer.count == layout.payloadOffset }

    mutating func write(_ frame: Frame) {
        frame.encode(into: &writer)
        if frame.isAckEliciting { isAckEliciting = true }
    }

    func fits(_ frame: Frame) -> Bool { frame.encodedSize <= writer.remaining }

    /// Pads so that the whole packet, its tag included, has `size` bytes, as far as there is room.
    mutating func pad(to size: Int) {
        let missing = min(size - CipherSuite.tagLength - writer.count, writer.remaining)
        guard missing > 0 else { return }
        writer.writeZeros(missing)
        isPadded = true
    }

    /// Pads to the least that header protection needs a sample of: packet number and payload have 4 bytes (RFC 9001
    /// section 5.4.2).
    mutating func padForSample() {
        let missing = 4 - layout.packetNumberLength - (writer.count - layout.payloadOffset)
        if missing > 0 { writer.writeZeros(missing) }
    }

    /// Encrypts the payload in place; header protection is left to the caller.
    /// - Returns: the size of the whole packet.
    mutating func seal(_ key: PacketKey) -> Int {
        padForSample()
        writer.releaseTail(CipherSuite.tagLength)
        layout.fillInLength(in: writer, tagLength: CipherSuite.tagLength)
        _ = writer.claim(CipherSuite.tagLength)
        let packet = writer.written
        key.seal(
            packetNumber: number, header: UnsafeRawBufferPointer(rebasing: packet[..<layout.payloadOffset]),
            payload: UnsafeMutableRawBufferPointer(rebasing: packet[layout.payloadOffset...]))
        return packet.count
    }

    func applyHeaderProtection(_ key: HeaderProtectionKey) {
        let packet = writer.written
        let sampleOffset = layout.packetNumberOffset + 4
        let sample = packet[sampleOffset..<sampleOffset + CipherSuite.sampleLength]
        HeaderProtection.apply(
            key.mask(UnsafeRawBufferPointer(rebasing: sample)), to: packet.baseAddress!,
            packetNumberOffset: layout.packetNumberOffset, packetNumberLength: layout.packetNumberLength)
    }
}
