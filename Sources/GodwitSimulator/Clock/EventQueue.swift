import GodwitWire

/// Something that will happen in the network, and when.
struct ScheduledEvent {
    enum Kind: UInt8 {
        /// A datagram comes out of a link; the subject is its slot.
        case arrival
        /// A link has put a datagram onto the line; the subject is the link.
        case transmission
        /// The earliest deadline of a host's program; the subject is the host.
        case timer
        /// A host hands over the datagrams it has collected; the subject is the host.
        case batch
        /// A change that the user of the network asked for; the subject is the action's slot.
        case action
    }

    var time: Instant
    var sequence: UInt64
    var subject: UInt32
    var kind: Kind

    /// Events of one instant happen in the order they were scheduled in, so that a run repeats exactly.
    @inline(__always)
    func precedes(_ other: ScheduledEvent) -> Bool {
        time == other.time ? sequence < other.sequence : time < other.time
    }
}

/// What is still to happen, earliest first: a binary heap in one array.
struct EventQueue {
    private var heap: ContiguousArray<ScheduledEvent> = []
    private var nextSequence: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }
    var nextTime: Instant? { heap.first?.time }

    mutating func schedule(_ kind: ScheduledEvent.Kind, _ subject: UInt32, at time: Instant) {
        let event = ScheduledEvent(time: time, sequence: nextSequence, subject: subject, kind: kind)
        nextSequence += 1
        heap.append(event)
        rise(event, from: heap.count - 1)
    }

    mutating func popFirst() -> ScheduledEvent? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        sink(last)
        return first
    }

    private mutating func rise(_ event: ScheduledEvent, from start: Int) {
        heap.withUnsafeMutableBufferPointer { heap in
            var hole = start
            while hole > 0 {
                let parent = (hole - 1) / 2
                guard event.precedes(heap[parent]) else { break }
                heap[hole] = heap[parent]
                hole = parent
            }
            heap[hole] = event
        }
    }

    private mutating func sink(_ event: ScheduledEvent) {
        heap.withUnsafeMutableBufferPointer { heap in
            var hole = 0
            while true {
                var child = 2 * hole + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
                guard heap[child].precedes(event) else { break }
                heap[hole] = heap[child]
                hole = child
            }
            heap[hole] = event
        }
    }
}
