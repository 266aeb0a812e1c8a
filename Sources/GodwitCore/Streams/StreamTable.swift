import GodwitWire

/// The open streams, in numbered slots.
///
/// A slot that falls free keeps some storage for the stream that takes it next, so that a server of small
/// requests allocates nothing once it has warmed up.
struct StreamTable: Sendable {
    /// The storage that a freed stream leaves in each direction at most, and all free slots together.
    static let recycledCapacity = 64 << 10
    static let spareBudget = 256 << 10

    var slots: ContiguousArray<OpenStream> = []
    private var freeSlots: ContiguousArray<Int32> = []
    /// Only looked up and never walked: the order of a dictionary differs from run to run.
    private var slotByID: [UInt64: Int32] = [:]
    private var spareBytes = 0
    /// Frames come in runs for one stream.
    private var lastID = UInt64.max
    private var lastSlot = 0

    var count: Int { slotByID.count }

    /// The slot of an open stream.
    mutating func slot(of id: StreamID) -> Int? {
        if id.rawValue == lastID { return lastSlot }
        guard let slot = slotByID[id.rawValue] else { return nil }
        lastID = id.rawValue
        lastSlot = Int(slot)
        return lastSlot
    }

    /// The slot of an open stream, without a note for next time.
    func peekSlot(of id: StreamID) -> Int? {
        id.rawValue == lastID ? lastSlot : slotByID[id.rawValue].map { Int($0) }
    }

    /// Whether a slot holds a stream.
    func isOpen(_ slot: Int) -> Bool { peekSlot(of: slots[slot].id) == slot }

    /// The slots that hold streams.
    var openSlots: [Int] { slots.indices.filter { isOpen($0) } }

    mutating func open(_ id: StreamID, credit: UInt64?, window: UInt64?) -> Int {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = Int(free)
            spareBytes -= slots[slot].capacity
            slots[slot].reopen(id: id, credit: credit, window: window)
        } else {
            slot = slots.count
            slots.append(OpenStream(id: id, credit: credit, window: window))
        }
        register(id, slot)
        return slot
    }

    private mutating func register(_ id: StreamID, _ slot: Int) {
        precondition(slotByID.updateValue(Int32(slot), forKey: id.rawValue) == nil)
        lastID = id.rawValue
        lastSlot = slot
    }

    mutating func close(_ slot: Int) {
        slotByID[slots[slot].id.rawValue] = nil
        if lastSlot == slot { lastID = .max }
        let budget = Self.spareBudget - spareBytes
        slots[slot].recycle(capacityLimit: min(Self.recycledCapacity, budget / 2))
        spareBytes += slots[slot].capacity
        freeSlots.append(Int32(slot))
    }

    /// Puts back a stream from a snapshot. Nil when its id is taken.
    mutating func restore(_ stream: OpenStream) -> Int? {
        guard slotByID[stream.id.rawValue] == nil else { return nil }
        slots.append(stream)
        register(stream.id, slots.count - 1)
        return slots.count - 1
    }

    /// Gives up all memory that holds nothing.
    mutating func releaseSpareMemory() {
        if slotByID.isEmpty {
            self = StreamTable()
            return
        }
        for slot in slots.indices {
            slots[slot].sending.releaseSpareMemory()
            slots[slot].receiving.releaseSpareMemory()
        }
        spareBytes = 0
    }
}
