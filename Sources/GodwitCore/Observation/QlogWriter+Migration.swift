import GodwitMigration
import GodwitWire

// Moves of the server. The drafts of qlog know nothing of them, so events and frames have names of their own
// (Specs/qlog-migration.md).
extension QlogWriter {
    /// The schema of the event below.
    static let migrationSchema: StaticString = "urn:godwit:qlog:events:server-migration"

    // MARK: Parameters

    /// Those that can't be read are unknown ones.
    ///
    /// - Returns: what was written.
    static func writeMigration(_ parameters: TransportParameters, _ data: inout JSONRecord) -> [UInt64] {
        var written: [UInt64] = []
        if let suite = try? parameters.serverMigrationSuite() {
            data.field("server_migration_suite", suite)
            written.append(MigrationTransportParameter.serverMigrationSuite)
        }
        if (try? parameters.offersAlternativeAddresses()) == true {
            data.field("alternative_address", true)
            written.append(MigrationTransportParameter.alternativeAddress)
        }
        return written
    }

    // MARK: Frames

    /// A frame by which a server moves, if the next one is.
    static func migrationFrame(_ reader: inout ByteReader) -> MigrationFrame? {
        var rest = reader
        guard let type = try? FrameType.decode(&rest), MigrationFrameType.isKnown(type),
            let frame = try? MigrationFrame.decode(type: type, from: &rest)
        else { return nil }
        reader = rest
        return frame
    }

    static func writeMigration(_ frame: MigrationFrame, length: Int, _ frames: inout JSONRecord) {
        frames.object { record in
            record.field("frame_type", frame.qlogName)
            switch frame {
            case .serverMigrated: break
            case .serverMigration(let addresses), .poolMigrationAddress(let addresses):
                addresses.ipv4?.write(&record)
                addresses.ipv6?.write(&record)
            case .alternativeAddress(let frame):
                record.field("sequence_number", frame.sequenceNumber)
                record.field("preferred", frame.isPreferred)
                record.field("retire", frame.isRetired)
                frame.address.write(&record)
            }
            record.object("raw") { $0.field("length", length) }
        }
    }

    // MARK: Events

    func writeMigration(_ event: MigrationNotice.Event, local: NetworkAddress, remote: NetworkAddress) {
        write("server_migration:state_updated", category: "connectivity") { data in
            switch event {
            case .client(let event): Self.write(event, &data)
            case .server(let event): Self.write(event, &data)
            }
            data.object("local") { local.write(&$0) }
            data.object("remote") { remote.write(&$0) }
        }
    }

    private static func write(_ event: ClientMigrationEvent, _ data: inout JSONRecord) {
        switch event {
        case .announced: data.field("new", "announced")
        case .told(let address): write("told", address, &data)
        case .refused(let address): write("refused", address, &data)
        case .withdrawn(let address): write("withdrawn", address, &data)
        case .searching(let trigger):
            data.field("new", "searching")
            data.field("trigger", trigger.qlogName)
        case .stayed: data.field("new", "stayed")
        case .moved(_, let address): write("moved", address, &data)
        }
    }

    private static func write(_ name: StaticString, _ address: NetworkAddress, _ data: inout JSONRecord) {
        data.field("new", name)
        data.object("address") { address.write(&$0) }
    }

    private static func write(_ event: ServerMigrationEvent, _ data: inout JSONRecord) {
        switch event {
        case .started(let strategy): write("started", strategy, &data)
        case .ready(let strategy): write("ready", strategy, &data)
        case .completed(let strategy): write("completed", strategy, &data)
        case .cancelled(let strategy): write("cancelled", strategy, &data)
        case .failed(let strategy, let failure):
            write("failed", strategy, &data)
            data.field("reason", failure.qlogName)
        }
    }

    private static func write(_ name: StaticString, _ strategy: MigrationStrategy, _ data: inout JSONRecord) {
        data.field("new", name)
        data.field("strategy", strategy.label)
    }
}

extension MigrationFrame {
    fileprivate var qlogName: StaticString {
        switch self {
        case .serverMigration: "server_migration"
        case .serverMigrated: "server_migrated"
        case .poolMigrationAddress: "pool_migration_address"
        case .alternativeAddress(let frame):
            frame.address.isIPv4 ? "alternative_v4_address" : "alternative_v6_address"
        }
    }
}

extension ClientMigrationTrigger {
    fileprivate var qlogName: StaticString {
        switch self {
        case .silence: "silence"
        case .ownMove: "own_move"
        case .heard: "heard"
        case .preferred: "preferred"
        case .withdrawn: "withdrawn"
        case .application: "application"
        }
    }
}

extension MigrationFailure {
    fileprivate var qlogName: StaticString {
        switch self {
        case .obstructed(let obstacle): obstacle.label
        case .closed: "closed"
        case .stale: "stale"
        }
    }
}
