import GodwitWire

/// Why a datagram was not taken for sending (RFC 9221).
public enum DatagramError: Error, Hashable, Sendable {
    /// The peer takes no DATAGRAM frames.
    case unsupportedByPeer
    /// The peer takes no more than that many bytes in one.
    case tooLarge(maximum: Int)
    /// Too many wait to be sent.
    case queueFull
}

/// Unreliable datagrams on their way in and out (RFC 9221).
///
/// Both queues are bounded. A full queue of received datagrams drops the oldest, since newer ones are worth
/// more to whoever uses an unreliable service.
struct DatagramQueue: Codable, Sendable {
    /// What to do with a datagram for which the queue has no room.
    enum Overflow: Sendable {
        case refuse
        case dropOldest
    }

    /// What became of datagrams.
    struct Counts: Codable, Sendable, Equatable {
        var sent: UInt64 = 0
        var acknowledged: UInt64 = 0
        var lost: UInt64 = 0
        /// Datagrams to be sent that gave way to newer ones.
        var displaced: UInt64 = 0
        /// Datagrams to be sent that no packet of the path could hold any more.
        var oversized: UInt64 = 0
        var received: UInt64 = 0
        /// Received datagrams that gave way to newer ones.
        var dropped: UInt64 = 0
    }

    /// An empty datagram takes a place too, so bytes alone are no bound.
    static let countLimit = 1024

    /// The largest DATAGRAM frame we take, as in our transport parameters; 0 for none at all.
    let maxFrameSize: UInt64
    /// The bound of each queue in bytes.
    let byteLimit: Int
    private var peerMaxFrameSize: UInt64 = 0
    private var incoming = MessageQueue()
    private var outgoing = MessageQueue()
    private(set) var counts = Counts()

    init(maxFrameSize: UInt64, byteLimit: Int = 256 << 10) {
        self.maxFrameSize = maxFrameSize
        self.byteLimit = min(max(0, byteLimit), StreamLimits.largestWindow / 4)
    }

    /// Takes the peer's max_datagram_frame_size, remembered or real. It never falls (RFC 9221 section 3).
    mutating func applyPeerLimit(_ size: UInt64) { peerMaxFrameSize = max(peerMaxFrameSize, size) }

    /// Early data was refused, and with it the remembered limit. Datagrams that were in it are lost.
    mutating func rejectEarlyData() { peerMaxFrameSize = 0 }

    // MARK: Sending

    /// How many bytes of data the peer takes in one frame.
    var maximumSize: Int? {
        peerMaxFrameSize == 0
            ? nil : DatagramFrame.dataCapacity(hasLength: true, space: Int(clamping: peerMaxFrameSize))
    }

    /// How many bytes of data fit into one frame of a packet that has `space` bytes for frames.
    func maximumSize(inPacketSpace space: Int) -> Int? {
        guard let maximumSize, let fitting = DatagramFrame.dataCapacity(hasLength: true, space: space) else {
            return nil
        }
        return min(maximumSize, fitting)
    }

    /// Queues a datagram, and returns the number under which ``SentFrame`` will speak of it.
    mutating func enqueue(
        _ bytes: UnsafeRawBufferPointer, overflow: Overflow = .refuse
    ) throws(DatagramError) -> UInt64 {
        guard let maximumSize else { throw .unsupportedByPeer }
        guard bytes.count <= min(maximumSize, byteLimit) else {
            throw .tooLarge(maximum: min(maximumSize, byteLimit))
        }
        while isFull(outgoing, bytes.count) {
            if overflow == .refuse { throw .queueFull }
            outgoing.removeFirst()
            counts.displaced += 1
        }
        return outgoing.append(bytes)
    }

    private func isFull(_ queue: MessageQueue, _ count: Int) -> Bool {
        queue.count >= Self.countLimit || queue.byteCount + count > byteLimit
    }

    var hasDataToSend: Bool { !outgoing.isEmpty }
    /// How many datagrams wait to be sent, or to be read, whichever are more.
    var longestQueue: Int { max(incoming.count, outgoing.count) }

    /// Fills the packet with DATAGRAM frames, in order, and appends what became part of it to `records`.
    ///
    /// A frame that reaches the end of the writer has no length: nothing may be written behind it.
    ///
    /// - Parameter isFreshPacket: nothing else stands in the packet, so that a datagram that does not fit
    ///   never will, and is dropped: the path's packets have become smaller since it was taken.
    mutating func write(
        into writer: inout ByteWriter, records: inout SentFrameList, isFreshPacket: Bool = false
    ) {
        var isFresh = isFreshPacket
        while let count = outgoing.firstCount {
            if count <= maximumSize ?? -1, writeFirst(count, into: &writer) {
                records.append(.datagram(outgoing.firstNumber))
                counts.sent += 1
                isFresh = false
            } else if isFresh || count > maximumSize ?? -1 {
                counts.oversized += 1
            } else {
                return
            }
            outgoing.removeFirst()
        }
    }

    private func writeFirst(_ count: Int, into writer: inout ByteWriter) -> Bool {
        let hasLength = count + DatagramFrame.headerSize(length: count) <= writer.remaining
        guard hasLength || count + DatagramFrame.headerSize(length: nil) == writer.remaining else {
            return false
        }
        DatagramFrame.encodeHeader(length: hasLength ? count : nil, into: &writer)
        outgoing.withFirst { writer.writeBytes($0) }
        return true
    }

    /// A packet with this frame was acknowledged. Records other than of datagrams are ignored.
    mutating func onAcked(_ record: SentFrame) {
        if case .datagram = record { counts.acknowledged += 1 }
    }

    /// A packet with this frame was lost. Datagrams are not sent again (RFC 9221 section 5).
    mutating func onLost(_ record: SentFrame) {
        if case .datagram = record { counts.lost += 1 }
    }

    // MARK: Receiving

    /// Takes the data of a DATAGRAM frame.
    ///
    /// - Throws: PROTOCOL_VIOLATION when we take none, or none so large (RFC 9221 section 3).
    mutating func receive(_ data: UnsafeRawBufferPointer) throws(TransportError) {
        guard UInt64(data.count + DatagramFrame.headerSize(length: nil)) <= maxFrameSize else {
            throw TransportError(
                .protocolViolation, "a datagram that was not allowed", frameType: FrameType.datagram)
        }
        counts.received += 1
        guard data.count <= byteLimit else {
            counts.dropped += 1
            return
        }
        while isFull(incoming, data.count) {
            incoming.removeFirst()
            counts.dropped += 1
        }
        incoming.append(data)
    }

    var hasReceived: Bool { !incoming.isEmpty }
    /// The size of the oldest datagram received.
    var nextSize: Int? { incoming.firstCount }

    /// Shows the oldest datagram received to `body` and removes it. Nil when there is none.
    mutating func read<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R? {
        if incoming.isEmpty { return nil }
        defer { incoming.removeFirst() }
        return incoming.withFirst(body)
    }

    mutating func releaseSpareMemory() {
        incoming.releaseSpareMemory()
        outgoing.releaseSpareMemory()
    }
}
