import GodwitCore
import GodwitMigration
import GodwitWire

/// The image of a simulated server's process.
struct ServerImage {
    let settings: EndpointSettings
    let endpoint: EndpointImage
    let clock: EndpointClock
    let unixTimeAtEpoch: Int64
    let keys: DeterministicRandom
}

/// Who says which copy of a server goes on, outside of all copies (Specs/server-migration.md 6.6.4).
final class CopyArbiter {
    private var arbiter = EpochArbiter()
    private(set) var granted = 0
    private(set) var refused = 0

    /// Whether that copy may go on in another place.
    func grantsSwitch(of epoch: MigrationEpoch, to copy: UInt64) -> Bool {
        let isGranted = arbiter.grant(.switched, of: epoch, to: EpochArbiter.Copy(rawValue: copy))
        if isGranted { granted += 1 } else { refused += 1 }
        return isGranted
    }
}

/// Counts what is sent from an address.
final class SenderWatch: Checker {
    let name = "senders"
    private(set) var datagrams: [NetworkAddress: Int] = [:]

    func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        if event.kind == .sent { datagrams[event.source, default: 0] += 1 }
        return nil
    }
}
