import GodwitWire

/// The handshake bytes of one packet number space, both ways, as CRYPTO frames carry them (RFC 9000 sections
/// 7.5 and 19.6).
struct CryptoStream: Codable, Sendable {
    /// How far ahead of what TLS has consumed the peer may send.
    let receiveLimit: Int
    private var sending = SendBuffer()
    private var receiving = ReceiveBuffer()

    /// RFC 9000 section 7.5: at least 4,096 bytes are buffered.
    init(receiveLimit: Int = 64 << 10) {
        self.receiveLimit = min(max(4096, receiveLimit), StreamLimits.largestWindow)
    }

    // MARK: Receiving

    /// Takes a CRYPTO frame.
    ///
    /// - Throws: CRYPTO_BUFFER_EXCEEDED for data too far ahead, or in too many pieces (RFC 9000 section 7.5).
    mutating func receive(_ frame: CryptoFrame) throws(TransportError) {
        guard frame.endOffset <= receiving.consumedOffset + UInt64(receiveLimit) else {
            throw TransportError(
                .cryptoBufferExceeded, "handshake data too far ahead", frameType: FrameType.crypto)
        }
        receiving.insert(frame.data, at: frame.offset)
        guard receiving.islandCount <= ReceivingPart.islandLimit(UInt64(receiveLimit)) else {
            throw TransportError(
                .cryptoBufferExceeded, "handshake data in too many pieces", frameType: FrameType.crypto)
        }
    }

    /// How many bytes are there in order.
    var readableCount: Int { receiving.readableCount }

    /// Whether bytes have arrived that nobody has read: a level with some left when its keys change is a
    /// violation (RFC 9001 section 4.1.3).
    var hasUnreadData: Bool { receiving.readableCount > 0 || receiving.islandCount > 0 }

    /// Shows what is there in order to `body`, which returns how many bytes it consumes. The view may be
    /// shorter than ``readableCount``; `body` is not called when that is 0.
    mutating func read(_ body: (UnsafeRawBufferPointer) -> Int) -> Int {
        receiving.readableCount > 0 ? receiving.consume(body) : 0
    }

    // MARK: Sending

    mutating func write(_ bytes: UnsafeRawBufferPointer) { sending.append(bytes) }

    var hasDataToSend: Bool { sending.hasLost || sending.unsentCount > 0 }

    /// Whether all that was written has arrived.
    var isFullyAcknowledged: Bool { sending.isFullyAcknowledged }

    /// Fills the packet with CRYPTO frames, lost data first, and appends what became part of it to `records`.
    mutating func writeFrames(into writer: inout ByteWriter, records: inout SentFrameList) {
        while hasDataToSend {
            let range = sending.firstLost ?? sending.nextOffset..<sending.endOffset
            let capacity = CryptoFrame.dataCapacity(offset: range.lowerBound, space: writer.remaining) ?? 0
            let length = min(Int(range.upperBound - range.lowerBound), capacity)
            guard length > 0 else { return }
            CryptoFrame.encodeHeader(offset: range.lowerBound, length: length, into: &writer)
            sending.copy(to: writer.claim(length), from: range.lowerBound)
            noteSent(upTo: range.lowerBound + UInt64(length))
            records.append(.crypto(offset: range.lowerBound, length: UInt32(length)))
        }
    }

    private mutating func noteSent(upTo end: UInt64) {
        if end > sending.nextOffset { sending.noteSent(upTo: end) } else { sending.noteResent(upTo: end) }
    }

    /// A packet with this frame was acknowledged. Records other than of CRYPTO frames are ignored.
    mutating func onAcked(_ record: SentFrame) {
        if case .crypto(let offset, let length) = record { sending.acknowledge(offset, length: length) }
    }

    /// A packet with this frame was lost, or a probe is to carry it again.
    mutating func onLost(_ record: SentFrame) {
        if case .crypto(let offset, let length) = record { sending.markLost(offset, length: length) }
    }

    /// Sends everything unacknowledged again, as after a Retry (RFC 9000 section 17.2.5.3).
    mutating func resendAll() { sending.markAllLost() }

    /// The keys of the space are gone, and with them the need for its bytes (RFC 9001 section 4.9).
    mutating func discard() {
        sending.discard()
        _ = receiving.discard(upTo: receiving.readableEnd)
    }

    mutating func releaseSpareMemory() {
        sending.releaseSpareMemory()
        receiving.releaseSpareMemory()
    }
}
