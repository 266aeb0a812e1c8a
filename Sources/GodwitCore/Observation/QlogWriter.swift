import GodwitWire

/// Renders what happens to a connection as qlog: records of JSON (draft-ietf-quic-qlog-main-schema, the
/// sequential file schema, with the events of draft-ietf-quic-qlog-quic-events).
///
/// It stands beside the connection's state, like the other caches, and no behaviour depends on it. What went
/// over the wire it is told packet by packet; everything else it finds by comparing the connection with what
/// it was like at the last look (``QlogView``).
final class QlogWriter {
    /// The draft whose events these are.
    private static let eventSchema: StaticString = "urn:ietf:params:qlog:events:quic-13"

    /// What the start of a connection brings about before its first packet is far less.
    private static let maxWaiting = 64

    private enum Output {
        /// Until the first genuine packet, so that whatever only looks like the start of a connection leaves
        /// no file behind.
        case waiting([[UInt8]])
        case open(any QlogSink)
        case refused
    }

    let name: QlogConnectionName
    private let factory: any QlogSinkFactory
    private var output: Output
    private let start: Instant
    private var latest: Instant
    /// What was logged of the connection so far.
    var view = QlogView()

    /// - Parameter mayMove: whether there may be events about moves of the server.
    init(
        _ name: QlogConnectionName, _ factory: any QlogSinkFactory, mayMove: Bool, now: Instant,
        unixTime: Int64
    ) {
        self.name = name
        self.factory = factory
        self.start = now
        self.latest = now
        output = .waiting([Self.header(name, mayMove: mayMove, unixTime: unixTime)])
    }

    /// Sets the time of the events that follow.
    func advance(to now: Instant) { latest = max(latest, now) }

    /// The first packet is here, so there is something to log. False when nobody wants it.
    func open() -> Bool {
        guard case .waiting(let records) = output else { return true }
        guard let sink = factory.makeSink(for: name) else {
            output = .refused
            return false
        }
        output = .open(sink)
        for record in records { sink.write(record) }
        return true
    }

    func write(_ event: QlogEventName, tuple: PathID? = nil, _ fill: (inout JSONRecord) -> Void) {
        write(event.text, category: event.category, tuple: tuple, fill)
    }

    func write(
        _ name: StaticString, category: StaticString, tuple: PathID? = nil, _ fill: (inout JSONRecord) -> Void
    ) {
        var record = JSONRecord()
        record.field("time", milliseconds: latest - start)
        record.field("name", name)
        record.field("category", category)
        if let tuple, tuple.rawValue != 0 { record.field("tuple", text: tuple.qlogText) }
        record.object("data", fill)
        pass(record.finished())
    }

    private func pass(_ record: [UInt8]) {
        switch output {
        case .open(let sink): sink.write(record)
        case .waiting(var records):
            guard records.count < Self.maxWaiting else { return }
            output = .refused
            records.append(record)
            output = .waiting(records)
        case .refused: break
        }
    }

    // MARK: The header

    private static func header(_ name: QlogConnectionName, mayMove: Bool, unixTime: Int64) -> [UInt8] {
        var record = JSONRecord()
        record.field("file_schema", "urn:ietf:params:qlog:file:sequential")
        record.field("serialization_format", "application/qlog+json-seq")
        // How drafts up to 0.3 called these two; qvis asks for them.
        record.field("qlog_version", "0.3")
        record.field("qlog_format", "JSON-SEQ")
        record.object("trace") { trace in
            trace.object("vantage_point") {
                $0.field("name", "Godwit")
                $0.field("type", name.role == .client ? "client" : "server")
            }
            trace.array("event_schemas") {
                $0.element(eventSchema)
                if mayMove { $0.element(migrationSchema) }
            }
            trace.object("common_fields") { writeCommonFields(&$0, name, unixTime: unixTime) }
        }
        return record.finished()
    }

    private static func writeCommonFields(
        _ fields: inout JSONRecord, _ name: QlogConnectionName, unixTime: Int64
    ) {
        fields.field("group_id", hex: name.originalDestination.bytes)
        fields.field("ODCID", hex: name.originalDestination.bytes)
        fields.field("time_format", "relative_to_epoch")
        fields.object("reference_time") {
            $0.field("clock_type", "monotonic")
            $0.field("epoch", "unknown")
            $0.field("wall_clock_time", text: CalendarTime(unixTime: unixTime).text)
        }
    }
}

extension PathID {
    /// The first path is the default one of the drafts, which has the empty name.
    var qlogText: String { rawValue == 0 ? "" : String(rawValue) }
}
