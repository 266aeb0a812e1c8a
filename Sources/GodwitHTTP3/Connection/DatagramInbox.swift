import Godwit
import NIOCore

/// Datagrams that have come for a request and wait for its handler.
struct DatagramInbox {
    private var waiting: CircularBuffer<ByteBuffer>?
    var readers = Waiters()

    /// Makes room for another by dropping the oldest: what is newer is worth more to those who use datagrams.
    mutating func append(_ datagram: ByteBuffer, limit: Int) {
        var waiting = self.waiting ?? CircularBuffer()
        self.waiting = nil
        while waiting.count >= max(1, limit) { waiting.removeFirst() }
        waiting.append(datagram)
        self.waiting = waiting
        readers.wakeAll()
    }

    mutating func take() -> ByteBuffer? { waiting?.popFirst() }
}
