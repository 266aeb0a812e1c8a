import GodwitWire

/// The open request streams, found by their id.
///
/// Streams lie in slots that are used again, so that a request costs no allocation; an open-addressed index
/// leads to them. Ids mostly come in sequence, for which the index of a stream is its own best hash.
struct RequestStreamTable: Sendable {
    private var slots: ContiguousArray<RequestStream> = []
    private var vacant: [Int32] = []
    // A power of two of entries, at most half of them in use; -1 is none.
    private var index: [Int32] = []

    /// How many streams are open.
    var count: Int { slots.count - vacant.count }

    subscript(slot: Int) -> RequestStream {
        _read { yield slots[slot] }
        _modify { yield &slots[slot] }
    }

    /// The slot of a stream.
    func slot(of id: StreamID) -> Int? {
        guard !index.isEmpty else { return nil }
        var place = home(of: id)
        while index[place] >= 0 {
            let slot = Int(index[place])
            if slots[slot].id == id { return slot }
            place = next(place)
        }
        return nil
    }

    /// Adds a stream that is not there yet, and returns its slot.
    @discardableResult
    mutating func insert(_ stream: RequestStream) -> Int {
        if (count + 1) * 2 > index.count { grow() }
        let slot = takeSlot(for: stream)
        enter(slot)
        return slot
    }

    /// Removes a stream.
    mutating func remove(_ slot: Int) {
        unlink(slots[slot].id)
        slots[slot] = Self.placeholder
        vacant.append(Int32(slot))
    }

    /// The ids of all streams, in order.
    var ids: [StreamID] { index.lazy.filter { $0 >= 0 }.map { slots[Int($0)].id }.sorted() }

    // Made anew each time, which costs less than looking up a global.
    private static var placeholder: RequestStream {
        RequestStream(id: StreamID(rawValue: .max), role: .server)
    }

    private mutating func takeSlot(for stream: RequestStream) -> Int {
        guard let slot = vacant.popLast() else {
            slots.append(stream)
            return slots.count - 1
        }
        slots[Int(slot)] = stream
        return Int(slot)
    }
}

// MARK: The index

extension RequestStreamTable {
    private func home(of id: StreamID) -> Int { Int(truncatingIfNeeded: id.index) & (index.count - 1) }
    private func next(_ place: Int) -> Int { (place + 1) & (index.count - 1) }

    private mutating func enter(_ slot: Int) {
        var place = home(of: slots[slot].id)
        while index[place] >= 0 { place = next(place) }
        index[place] = Int32(slot)
    }

    private mutating func grow() {
        let entries = index.filter { $0 >= 0 }
        index = [Int32](repeating: -1, count: max(16, index.count * 2))
        for slot in entries { enter(Int(slot)) }
    }

    // Entries behind the gap move up, as far as they are behind their home: no marks of the dead are left.
    private mutating func unlink(_ id: StreamID) {
        var gap = home(of: id)
        while index[gap] >= 0, slots[Int(index[gap])].id != id { gap = next(gap) }
        var place = next(gap)
        while index[place] >= 0 {
            let distance = (place - home(of: slots[Int(index[place])].id)) & (index.count - 1)
            if distance >= (place - gap) & (index.count - 1) {
                index[gap] = index[place]
                gap = place
            }
            place = next(place)
        }
        index[gap] = -1
    }
}

extension RequestStreamTable: Codable {
    /// Reads what ``encode(to:)`` wrote.
    init(from decoder: any Decoder) throws {
        self.init()
        for stream in try decoder.singleValueContainer().decode([RequestStream].self) {
            guard slot(of: stream.id) == nil else {
                throw DecodingError.inconsistent(decoder, "a stream twice")
            }
            insert(stream)
        }
    }

    /// Writes the streams in order.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(ids.compactMap { slot(of: $0).map { slots[$0] } })
    }
}

extension DecodingError {
    static func inconsistent(_ decoder: any Decoder, _ reason: String) -> DecodingError {
        .dataCorrupted(Context(codingPath: decoder.codingPath, debugDescription: reason))
    }
}
