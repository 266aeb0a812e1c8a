import GodwitWire

/// The connections of an endpoint, by slot and by every connection id that leads to them.
struct ConnectionTable {
    private struct Slot {
        var generation: UInt32 = 0
        var connection: Connection?
    }

    private var slots: ContiguousArray<Slot> = []
    private var freeSlots: ContiguousArray<UInt32> = []
    private var slotsByID: [ConnectionID: UInt32] = [:]
    /// The client's first choice of destination id leads to a connection only from the address that chose it:
    /// two clients may choose the same.
    private var slotsByOriginalID: [OriginalID: UInt32] = [:]
    private var slotsByResetToken: [StatelessResetToken: UInt32] = [:]
    private(set) var count = 0

    private struct OriginalID: Hashable {
        var id: ConnectionID
        var remote: NetworkAddress
    }

    /// Reserves a slot for the connection that `make` builds with the handle of that slot.
    /// Nothing is kept if there is none.
    mutating func insert(_ make: (ConnectionHandle) -> Connection?) -> Connection? {
        let slot =
            freeSlots.popLast()
            ?? {
                slots.append(Slot())
                return UInt32(slots.count - 1)
            }()
        let handle = ConnectionHandle(slot: slot, generation: slots[Int(slot)].generation)
        guard let connection = make(handle) else {
            freeSlots.append(slot)
            return nil
        }
        slots[Int(slot)].connection = connection
        count += 1
        return connection
    }

    mutating func replace(_ handle: ConnectionHandle, by connection: Connection) {
        guard self[handle] != nil else { return }
        slots[Int(handle.slot)].connection = connection
    }

    /// Forgets a connection whose ids have been unregistered already.
    mutating func remove(_ handle: ConnectionHandle) {
        guard self[handle] != nil else { return }
        slots[Int(handle.slot)].connection = nil
        slots[Int(handle.slot)].generation &+= 1
        freeSlots.append(handle.slot)
        count -= 1
    }

    subscript(handle: ConnectionHandle) -> Connection? {
        guard Int(handle.slot) < slots.count, slots[Int(handle.slot)].generation == handle.generation else {
            return nil
        }
        return slots[Int(handle.slot)].connection
    }

    subscript(slot slot: UInt32) -> Connection? {
        Int(slot) < slots.count ? slots[Int(slot)].connection : nil
    }

    var all: [Connection] { slots.compactMap(\.connection) }

    // MARK: Look-up by what a datagram carries

    func connection(for id: ConnectionID) -> Connection? { slotsByID[id].flatMap { self[slot: $0] } }

    func connection(forOriginal id: ConnectionID, from remote: NetworkAddress) -> Connection? {
        slotsByOriginalID[OriginalID(id: id, remote: remote)].flatMap { self[slot: $0] }
    }

    func connection(for token: StatelessResetToken) -> Connection? {
        slotsByResetToken[token].flatMap { self[slot: $0] }
    }

    func contains(_ id: ConnectionID) -> Bool { slotsByID[id] != nil }

    mutating func register(_ id: ConnectionID, for handle: ConnectionHandle) { slotsByID[id] = handle.slot }

    mutating func unregister(_ id: ConnectionID, for handle: ConnectionHandle) {
        if slotsByID[id] == handle.slot { slotsByID[id] = nil }
    }

    mutating func registerOriginal(
        _ id: ConnectionID, from remote: NetworkAddress, for handle: ConnectionHandle
    ) {
        slotsByOriginalID[OriginalID(id: id, remote: remote)] = handle.slot
    }

    mutating func unregisterOriginal(_ id: ConnectionID, from remote: NetworkAddress) {
        slotsByOriginalID[OriginalID(id: id, remote: remote)] = nil
    }

    mutating func register(_ token: StatelessResetToken, for handle: ConnectionHandle) {
        slotsByResetToken[token] = handle.slot
    }

    mutating func unregister(_ token: StatelessResetToken, for handle: ConnectionHandle) {
        if slotsByResetToken[token] == handle.slot { slotsByResetToken[token] = nil }
    }
}
