import GodwitWire

/// What a server has said about its addresses in ALTERNATIVE_ADDRESS frames (Specs/server-migration.md 6.5).
///
/// Sequence numbers rise over all of them. Of two frames about one address only the newer is sent any more.
struct AlternativeAddressLedger: Hashable, Sendable, Codable {
    private struct Entry: Hashable, Sendable, Codable {
        var address: NetworkAddress
        var isPreferred: Bool
        var isRetired: Bool
        /// Nil once it is acknowledged.
        var frame: MigrationFrameID?
    }

    private var entries: ContiguousArray<Entry> = []
    private var nextSequenceNumber: UInt64 = 0

    /// Whether anything was said yet.
    var isUsed: Bool { nextSequenceNumber > 0 }

    /// The addresses that the client may still believe in.
    var standing: [NetworkAddress] { entries.filter { !$0.isRetired }.map(\.address) }

    /// Names the addresses of a destination, and has an announcement wait for the client to know them.
    mutating func announce(
        _ destination: MigrationDestination, in announcement: inout ServerAnnouncement,
        outbox: inout MigrationOutbox
    ) {
        for address in destination.addresses {
            announcement.add(announce(address, outbox: &outbox), telling: address)
        }
    }

    /// Names an address that the server may be at.
    mutating func announce(_ address: NetworkAddress, outbox: inout MigrationOutbox) -> MigrationFrameID {
        say(address, isPreferred: false, isRetired: false, outbox: &outbox)
    }

    /// Wants the client at an address.
    mutating func prefer(_ address: NetworkAddress, outbox: inout MigrationOutbox) -> MigrationFrameID {
        say(address, isPreferred: true, isRetired: false, outbox: &outbox)
    }

    /// No longer wants the client at an address, if it did: a client that is where it is wanted goes nowhere else
    /// (Specs/server-migration.md 6.5.5).
    mutating func stopPreferring(_ address: NetworkAddress, outbox: inout MigrationOutbox) {
        guard entries.contains(where: { $0.address == address && $0.isPreferred }) else { return }
        _ = say(address, isPreferred: false, isRetired: false, outbox: &outbox)
    }

    /// Withdraws an address, whichever frame has named it.
    mutating func retire(_ address: NetworkAddress, outbox: inout MigrationOutbox) {
        _ = say(address, isPreferred: false, isRetired: true, outbox: &outbox)
    }

    private mutating func say(
        _ address: NetworkAddress, isPreferred: Bool, isRetired: Bool, outbox: inout MigrationOutbox
    ) -> MigrationFrameID {
        if let index = entries.firstIndex(where: { $0.address == address }) {
            if let old = entries[index].frame { outbox.withdraw(old) }
            entries.remove(at: index)
        }
        let frame = AlternativeAddressFrame(
            address: address, sequenceNumber: nextSequenceNumber, isPreferred: isPreferred,
            isRetired: isRetired)
        nextSequenceNumber = min(nextSequenceNumber + 1, VariableLengthInteger.max)
        let id = outbox.append(.alternativeAddress(frame), isUrgent: true)
        entries.append(Entry(address: address, isPreferred: isPreferred, isRetired: isRetired, frame: id))
        return id
    }

    mutating func onAcknowledged(_ id: MigrationFrameID) {
        guard let index = entries.firstIndex(where: { $0.frame == id }) else { return }
        entries[index].frame = nil
        if entries[index].isRetired { entries.remove(at: index) }
    }
}
