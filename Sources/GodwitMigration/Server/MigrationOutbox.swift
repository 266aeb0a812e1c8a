public import GodwitWire

/// The number of a frame that a server sends, the same each time it is sent. It is what the record of a sent
/// packet keeps.
public struct MigrationFrameID: RawRepresentable, Hashable, Sendable, Codable {
    /// Counts up from 0.
    public var rawValue: UInt32

    /// The frame with that number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A frame that waits to be sent.
public struct OutgoingMigrationFrame: Hashable, Sendable {
    /// What to report its fate under.
    public let id: MigrationFrameID
    /// The frame.
    public let frame: MigrationFrame
}

/// The frames that a server has to send, until they are acknowledged (Specs/server-migration.md 3.5).
struct MigrationOutbox: Hashable, Sendable, Codable {
    private struct Entry: Hashable, Sendable, Codable {
        var id: MigrationFrameID
        var frame: MigrationFrame
        var isUnsent = true
        /// What is not retransmitted is repeated on a timer instead, or not at all.
        var isRetransmitted: Bool
        /// Whether the peer should acknowledge it at once (Specs/server-migration.md 3.5.4).
        var isUrgent: Bool
    }

    private var entries: ContiguousArray<Entry> = []
    private var nextID: UInt32 = 0

    var isEmpty: Bool { entries.isEmpty }

    /// Whether a frame that is to be acknowledged at once waits to be sent.
    var wantsImmediateAcknowledgement: Bool { entries.contains { $0.isUnsent && $0.isUrgent } }

    /// The first frame that waits.
    var next: OutgoingMigrationFrame? {
        entries.first { $0.isUnsent }.map { OutgoingMigrationFrame(id: $0.id, frame: $0.frame) }
    }

    mutating func append(
        _ frame: MigrationFrame, isRetransmitted: Bool = true, isUrgent: Bool = false
    ) -> MigrationFrameID {
        let id = MigrationFrameID(rawValue: nextID)
        nextID &+= 1
        entries.append(Entry(id: id, frame: frame, isRetransmitted: isRetransmitted, isUrgent: isUrgent))
        return id
    }

    /// Has a frame sent once more, whatever became of it before.
    mutating func `repeat`(_ id: MigrationFrameID) { setUnsent(true, of: id) }

    /// Takes a frame back that says what is no longer so. It may have been sent.
    mutating func withdraw(_ id: MigrationFrameID) { entries.removeAll { $0.id == id } }

    mutating func onSent(_ id: MigrationFrameID) { setUnsent(false, of: id) }

    mutating func onLost(_ id: MigrationFrameID) {
        guard let entry = entries.first(where: { $0.id == id }), entry.isRetransmitted else { return }
        setUnsent(true, of: id)
    }

    /// Takes an acknowledgement; true when the frame waited for it.
    mutating func onAcknowledged(_ id: MigrationFrameID) -> Bool {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return false }
        entries.remove(at: index)
        return true
    }

    private mutating func setUnsent(_ isUnsent: Bool, of id: MigrationFrameID) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        entries[index].isUnsent = isUnsent
    }
}
