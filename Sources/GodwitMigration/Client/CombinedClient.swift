import GodwitWire

/// What a server has said about its addresses in ALTERNATIVE_ADDRESS frames (Specs/server-migration.md 4.5,
/// 6.5).
///
/// Of two frames about one address the one with the higher sequence number holds, in whichever order they
/// come. So addresses that were withdrawn are remembered; of too many the oldest are forgotten, and with them
/// everything that could only be older.
struct CombinedClient: Hashable, Sendable, Codable {
    private struct Entry: Hashable, Sendable, Codable {
        var address: NetworkAddress
        var sequenceNumber: UInt64
        var isPreferred: Bool
        var isRetired: Bool
    }

    private static let capacity = 4 * ProbeBudget.candidateLimit

    private var entries: ContiguousArray<Entry> = []
    /// Numbers below this say nothing new about an address that is not among the entries.
    private var forgottenBelow: UInt64 = 0

    /// Whether the server wants the client at the address.
    func prefers(_ address: NetworkAddress) -> Bool {
        entries.contains { $0.address == address && $0.isPreferred && !$0.isRetired }
    }

    /// Whether the server has withdrawn the address.
    func hasRetired(_ address: NetworkAddress) -> Bool {
        entries.contains { $0.address == address && $0.isRetired }
    }

    /// Takes a frame; false when it is older than what is known.
    mutating func receive(_ frame: AlternativeAddressFrame) -> Bool {
        if let index = entries.firstIndex(where: { $0.address == frame.address }) {
            guard frame.sequenceNumber > entries[index].sequenceNumber else { return false }
            entries.remove(at: index)
        } else {
            guard frame.sequenceNumber >= forgottenBelow else { return false }
            makeRoom()
        }
        // A withdrawn address is not wanted, whatever else the flags say.
        entries.append(
            Entry(
                address: frame.address, sequenceNumber: frame.sequenceNumber,
                isPreferred: frame.isPreferred && !frame.isRetired, isRetired: frame.isRetired))
        return true
    }

    private mutating func makeRoom() {
        guard entries.count >= Self.capacity else { return }
        let oldest = entries.indices.min {
            (entries[$0].isRetired ? 0 : 1, entries[$0].sequenceNumber)
                < (entries[$1].isRetired ? 0 : 1, entries[$1].sequenceNumber)
        }
        guard let oldest else { return }
        forgottenBelow = max(forgottenBelow, entries[oldest].sequenceNumber + 1)
        entries.remove(at: oldest)
    }
}
