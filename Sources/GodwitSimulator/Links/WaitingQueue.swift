/// Datagrams that wait for a line, first in, first out. A ring, so that steady traffic allocates nothing.
struct WaitingQueue {
    struct Entry {
        var slot: UInt32
        var size: UInt32
    }

    private var ring: ContiguousArray<Entry> = []
    private var head = 0
    private(set) var count = 0
    private(set) var byteCount = 0

    mutating func append(_ entry: Entry) {
        if count == ring.count { grow() }
        ring[(head + count) & (ring.count - 1)] = entry
        count += 1
        byteCount += Int(entry.size)
    }

    mutating func popFirst() -> Entry? {
        guard count > 0 else { return nil }
        let entry = ring[head]
        head = (head + 1) & (ring.count - 1)
        count -= 1
        byteCount -= Int(entry.size)
        return entry
    }

    private mutating func grow() {
        let entries = (0..<count).map { ring[(head + $0) & (ring.count - 1)] }
        ring = ContiguousArray(entries)
        let capacity = max(16, 2 * count)
        ring.append(contentsOf: repeatElement(Entry(slot: 0, size: 0), count: capacity - count))
        head = 0
    }
}
