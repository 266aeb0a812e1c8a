import GodwitWire

/// What goes with an input.
struct ClientContext: Hashable, Sendable {
    let now: Instant
    let surroundings: ClientSurroundings
    /// Whether the bit 0x10 was agreed on.
    let isExtended: Bool

    var active: NetworkAddress { surroundings.active }
}
