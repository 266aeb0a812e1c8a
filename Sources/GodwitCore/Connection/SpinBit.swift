/// The latency spin bit (RFC 9000 section 17.4).
struct SpinBit: Codable, Sendable {
    let isEnabled: Bool
    private(set) var value = false
    private var largest: UInt64?

    init(isEnabled: Bool) { self.isEnabled = isEnabled }

    /// Takes the bit of a packet received: the server echoes that of the highest number, the client inverts it.
    mutating func receive(_ bit: Bool, packetNumber: UInt64, isClient: Bool) {
        guard isEnabled, largest.map({ packetNumber > $0 }) ?? true else { return }
        largest = packetNumber
        value = isClient ? !bit : bit
    }

    /// A new path starts at 0.
    mutating func reset() { value = false }
}
