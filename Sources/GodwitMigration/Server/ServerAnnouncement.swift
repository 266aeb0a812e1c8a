import GodwitWire

/// Frames that the client has to acknowledge before the server may be frozen.
struct ServerAnnouncement: Hashable, Sendable, Codable {
    private struct Entry: Hashable, Sendable, Codable {
        var address: NetworkAddress
        var frame: MigrationFrameID
    }

    private var unacknowledged: ContiguousArray<Entry> = []

    var isAcknowledged: Bool { unacknowledged.isEmpty }

    /// Waits for the frame that tells an address.
    mutating func add(_ frame: MigrationFrameID, telling address: NetworkAddress) {
        unacknowledged.append(Entry(address: address, frame: frame))
    }

    /// No longer waits for the frame that tells the address; the frame, to be withdrawn.
    mutating func drop(_ address: NetworkAddress) -> MigrationFrameID? {
        guard let index = unacknowledged.firstIndex(where: { $0.address == address }) else { return nil }
        return unacknowledged.remove(at: index).frame
    }

    /// A later frame that names the address will do as well: the ledger sends only the last about each.
    mutating func onAcknowledged(_ outgoing: OutgoingMigrationFrame) {
        let named: NetworkAddress? =
            if case .alternativeAddress(let frame) = outgoing.frame, !frame.isRetired { frame.address } else {
                nil
            }
        unacknowledged.removeAll {
            $0.frame == outgoing.id || $0.address == named && $0.frame.rawValue < outgoing.id.rawValue
        }
    }
}

/// When an announcement is said again that was not acknowledged (Specs/server-migration.md 6.1.4): a freeze may come
/// before a loss is noticed.
struct AnnouncementRepetition: Hashable, Sendable, Codable {
    private static let times = 3

    private(set) var next: Instant
    private var count = 0

    init(at now: Instant) { next = now + ProbeSchedule.firstInterval }

    /// The one to follow, at twice the distance; nil when that was the last.
    func following(at now: Instant) -> AnnouncementRepetition? {
        guard count + 1 < Self.times else { return nil }
        var following = self
        following.count += 1
        following.next = now + ProbeSchedule.firstInterval * (1 << Int64(following.count))
        return following
    }

    mutating func shift(by span: TimeSpan) { next += span }
}
