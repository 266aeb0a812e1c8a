public import GodwitWire

/// Something that happened in a network.
public struct TraceEvent: Hashable, Sendable {
    /// What happened.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// A host's program sent a datagram.
        case sent
        /// A host's program is given a datagram.
        case delivered
        /// A datagram was lost; ``TraceEvent/reason`` says why.
        case dropped
        /// A link carries a datagram twice.
        case duplicated
        /// A link flipped bits of a datagram.
        case corrupted
        /// A link changed the ECN field of a datagram.
        case marked
        /// A translator rewrote an address of a datagram; the event has the new ones.
        case translated
        /// An attacker sent a datagram.
        case forged
        /// A host froze.
        case frozen
        /// A host was thawed.
        case thawed
        /// A host has a new address, the event's source.
        case moved
        /// A host went away for good.
        case removed
        /// A translator forgot its bindings.
        case rebound
        /// The parameters of a link changed.
        case linkChanged
        /// A program added a word to the trace; it stands in ``TraceEvent/serial``.
        case noted
        /// A host runs another program.
        case restarted
    }

    /// Where something happened.
    public enum Place: Hashable, Sendable {
        case host(HostID)
        case link(LinkID)
        case translator(TranslatorID)
        case attacker(AttackerID)
        /// Somewhere between the links.
        case internet
    }

    /// When, on the network's clock.
    public var time: Instant
    /// What.
    public var kind: Kind
    /// Why a datagram was dropped.
    public var reason: DropReason?
    /// Where.
    public var place: Place
    /// The number of the datagram, counted over all hosts; copies have the number of their original.
    public var serial: UInt64
    /// The size of the UDP payload in bytes.
    public var size: Int
    /// Where the datagram seems to come from.
    public var source: NetworkAddress
    /// Where the datagram is bound for.
    public var destination: NetworkAddress
    /// The ECN field of the datagram.
    public var ecn: ECNCodepoint
}

/// Why a datagram did not arrive.
public enum DropReason: UInt8, Hashable, Sendable, CaseIterable {
    /// Lost by chance, by itself.
    case randomLoss
    /// Lost by chance, in a burst.
    case burstLoss
    /// There was no room in the queue of a link.
    case queueFull
    /// The IP packet was bigger than the MTU of a link.
    case exceedsMTU
    /// A link or an address was in an ``Outage``.
    case blackHole
    /// The host was frozen.
    case hostFrozen
    /// The address belongs to nobody.
    case noRoute
    /// A translator has no binding for the address.
    case noBinding
    /// A translator has a binding, but does not let this sender in.
    case filtered
    /// A translator has no port left, or no address of the datagram's family.
    case translatorExhausted
    /// The sender does not have the address that it sent from.
    case sourceNotLocal
    /// An attacker kept the datagram.
    case intercepted
}
