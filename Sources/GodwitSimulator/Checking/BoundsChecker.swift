public import GodwitWire

/// Holds quantities to their bounds: programs report ``Observation/measured(_:value:bound:)``.
public final class BoundsChecker: Checker {
    /// A quantity and the most it came to.
    public struct Quantity: Hashable, Sendable {
        /// As the program calls it.
        public var name: String
        /// The largest value so far.
        public var largest: UInt64
        /// The bound that was reported with it.
        public var bound: UInt64
    }

    private struct Entry {
        let name: StaticString
        var largest: UInt64
        var bound: UInt64
        /// By how much the bound was exceeded at worst.
        var excess: UInt64 = 0
    }

    /// `bounds`.
    public let name = "bounds"
    /// Few enough that a search beats a hash.
    private var entries: ContiguousArray<Entry> = []

    /// A checker that has seen nothing.
    public init() {}

    /// Everything measured so far.
    public var quantities: [Quantity] {
        entries.map { Quantity(name: $0.name.description, largest: $0.largest, bound: $0.bound) }
    }

    /// Judges a measurement. A quantity is complained about again only when it exceeds its bound by more.
    public func check(_ observation: Observation, from host: HostID, at time: Instant) -> String? {
        guard case .measured(let quantity, let value, let bound) = observation else { return nil }
        let index = index(of: quantity, bound)
        if value >= entries[index].largest { (entries[index].largest, entries[index].bound) = (value, bound) }
        guard value > bound, value - bound > entries[index].excess else { return nil }
        entries[index].excess = value - bound
        return "\(quantity) is \(value), at most \(bound) is allowed"
    }

    private func index(of quantity: StaticString, _ bound: UInt64) -> Int {
        if let index = entries.firstIndex(where: { isSame($0.name, quantity) }) { return index }
        entries.append(Entry(name: quantity, largest: 0, bound: bound))
        return entries.count - 1
    }

    private func isSame(_ left: StaticString, _ right: StaticString) -> Bool {
        // Mostly it is the very same literal.
        if left.hasPointerRepresentation, right.hasPointerRepresentation, left.utf8Start == right.utf8Start {
            return true
        }
        return left.withUTF8Buffer { left in right.withUTF8Buffer { left.elementsEqual($0) } }
    }
}
