/// Linked lists of slot numbers. A slot is in one list of the set at most, and leaves it in constant time
/// wherever it stands.
///
/// The links lie beside the slots, so that a set is a value of its own. An unused set owns no memory.
struct SlotLists: Sendable {
    private struct Link: Sendable {
        var previous: Int32 = -1
        var next: Int32 = -1
        var list: Int8 = -1
    }

    private struct Ends: Sendable {
        var first: Int32 = -1
        var last: Int32 = -1
    }

    private let listCount: Int8
    private var links: ContiguousArray<Link> = []
    private var ends: ContiguousArray<Ends> = []

    init(listCount: Int8) { self.listCount = listCount }

    func first(_ list: Int) -> Int? { ends.isEmpty || ends[list].first < 0 ? nil : Int(ends[list].first) }
    func last(_ list: Int) -> Int? { ends.isEmpty || ends[list].last < 0 ? nil : Int(ends[list].last) }
    func isEmpty(_ list: Int) -> Bool { ends.isEmpty || ends[list].first < 0 }

    func previous(_ slot: Int) -> Int? { links[slot].previous < 0 ? nil : Int(links[slot].previous) }
    func next(_ slot: Int) -> Int? { links[slot].next < 0 ? nil : Int(links[slot].next) }

    /// The list that the slot is in.
    func list(of slot: Int) -> Int? {
        slot < links.count && links[slot].list >= 0 ? Int(links[slot].list) : nil
    }

    mutating func append(_ slot: Int, to list: Int) {
        prepare(slot)
        link(slot, behind: ends[list].last, before: -1, list)
    }

    /// Puts a slot behind another one of the same list, or first.
    mutating func insert(_ slot: Int, behind other: Int?, in list: Int) {
        prepare(slot)
        let previous = other.map { Int32($0) } ?? -1
        link(slot, behind: previous, before: other.map { links[$0].next } ?? ends[list].first, list)
    }

    private mutating func prepare(_ slot: Int) {
        if ends.isEmpty { ends = ContiguousArray(repeating: Ends(), count: Int(listCount)) }
        while links.count <= slot { links.append(Link()) }
        precondition(links[slot].list < 0)
    }

    private mutating func link(_ slot: Int, behind previous: Int32, before next: Int32, _ list: Int) {
        links[slot] = Link(previous: previous, next: next, list: Int8(list))
        if previous < 0 { ends[list].first = Int32(slot) } else { links[Int(previous)].next = Int32(slot) }
        if next < 0 { ends[list].last = Int32(slot) } else { links[Int(next)].previous = Int32(slot) }
    }

    /// Does nothing for a slot that is in no list.
    mutating func remove(_ slot: Int) {
        guard let list = list(of: slot) else { return }
        let link = links[slot]
        if link.previous < 0 {
            ends[list].first = link.next
        } else {
            links[Int(link.previous)].next = link.next
        }
        if link.next < 0 {
            ends[list].last = link.previous
        } else {
            links[Int(link.next)].previous = link.previous
        }
        links[slot] = Link()
    }

    /// Makes the slot the last of its list.
    mutating func moveToEnd(_ slot: Int) {
        guard let list = list(of: slot), ends[list].last != Int32(slot) else { return }
        remove(slot)
        append(slot, to: list)
    }

    /// The slots of a list in order, for a snapshot.
    func slots(in list: Int) -> [Int] {
        var slots: [Int] = []
        var slot = first(list)
        while let current = slot {
            slots.append(current)
            slot = next(current)
        }
        return slots
    }

    mutating func removeAll() {
        links = []
        ends = []
    }
}
