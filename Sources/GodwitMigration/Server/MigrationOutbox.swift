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
        /// How often it is to be sent as things stand, each time in another packet.
        var copies = 1
        /// What is not retransmitted is repeated on a timer instead, or not at all.
        var isRetransmitted: Bool
        /// Whether the peer should acknowledge it at once (Specs/server-migration.md 3.5.4).
        var isUrgent: Bool

        var isUnsent: Bool { copies > 0 }
    }

    /// How often the last word before a freeze is said: nobody will be there to say it again.
    static let lastWordCopies = 3

    private var entries: ContiguousArray<Entry> = []
    private var nextID: UInt32 = 0

    var isEmpty: Bool { entries.isEmpty }

    /// Whether a frame that is to be acknowledged at once waits to be sent.
    var wantsImmediateAcknowledgement: Bool { entries.contains { $0.isUnsent && $0.isUrgent } }

    /// The first frame that waits, behind another if that is given.
    func next(after id: MigrationFrameID? = nil) -> OutgoingMigrationFrame? {
        entries.first { entry in entry.isUnsent && id.map { entry.id.rawValue > $0.rawValue } ?? true }
            .map { OutgoingMigrationFrame(id: $0.id, frame: $0.frame) }
    }

    /// Whether a frame waits for an acknowledgement that is wanted at once.
    var hasUrgent: Bool { entries.contains { $0.isUrgent } }

    mutating func append(
        _ frame: MigrationFrame, isRetransmitted: Bool = true, isUrgent: Bool = false
    ) -> MigrationFrameID {
        let id = MigrationFrameID(rawValue: nextID)
        nextID &+= 1
        entries.append(Entry(id: id, frame: frame, isRetransmitted: isRetransmitted, isUrgent: isUrgent))
        return id
    }

    /// Has a frame sent once more, whatever became of it before.
    mutating func `repeat`(_ id: MigrationFrameID) { demand(id) }

    /// Has what is to be acknowledged at once sent again, without waiting to learn that it was lost.
    mutating func repeatUrgent() {
        for index in entries.indices where entries[index].isUrgent {
            entries[index].copies = max(entries[index].copies, 1)
        }
    }

    /// Has everything that is not acknowledged said for the last time.
    mutating func sayLastWords() {
        for index in entries.indices { entries[index].copies = Self.lastWordCopies }
    }

    /// What was to be said several times and was not goes out once.
    mutating func endLastWords() {
        for index in entries.indices { entries[index].copies = min(entries[index].copies, 1) }
    }

    /// Takes a frame back that says what is no longer so. It may have been sent.
    mutating func withdraw(_ id: MigrationFrameID) { entries.removeAll { $0.id == id } }

    mutating func onSent(_ id: MigrationFrameID) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        entries[index].copies = max(0, entries[index].copies - 1)
    }

    mutating func onLost(_ id: MigrationFrameID) {
        guard let entry = entries.first(where: { $0.id == id }), entry.isRetransmitted else { return }
        demand(id)
    }

    /// Takes an acknowledgement; the frame, if it waited for it.
    mutating func onAcknowledged(_ id: MigrationFrameID) -> OutgoingMigrationFrame? {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return nil }
        return OutgoingMigrationFrame(id: id, frame: entries.remove(at: index).frame)
    }

    private mutating func demand(_ id: MigrationFrameID) {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
        entries[index].copies = max(entries[index].copies, 1)
    }
}
