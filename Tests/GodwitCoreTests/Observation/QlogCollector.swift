import Foundation
import GodwitWire
import Synchronization
import Testing

@testable import GodwitCore

/// Keeps the logs of connections in memory.
final class QlogCollector: QlogSinkFactory {
    private let logs = Mutex<[QlogConnectionName: [[UInt8]]]>([:])
    private let refuses: Bool

    init(refuses: Bool = false) { self.refuses = refuses }

    private final class Sink: QlogSink {
        let name: QlogConnectionName
        let collector: QlogCollector

        init(_ name: QlogConnectionName, _ collector: QlogCollector) {
            self.name = name
            self.collector = collector
        }

        func write(_ record: [UInt8]) { collector.logs.withLock { $0[name, default: []].append(record) } }
    }

    func makeSink(for connection: QlogConnectionName) -> (any QlogSink)? {
        refuses ? nil : Sink(connection, self)
    }

    var names: [QlogConnectionName] { logs.withLock { Array($0.keys) } }

    /// The log of the only connection on a side.
    func log(of role: Role) throws -> QlogFile {
        try QlogFile(try #require(logs.withLock { logs in logs.first { $0.key.role == role }?.value }))
    }
}

/// A log that was read back.
struct QlogFile {
    var header: [String: Any]
    var events: [QlogEvent]

    /// Checks the framing (RFC 7464 section 2.2), and that each record is JSON.
    init(_ records: [[UInt8]]) throws {
        var objects: [[String: Any]] = []
        for record in records {
            #expect(record.first == 0x1e && record.last == 0x0a)
            #expect(!record.dropFirst().contains(0x1e))
            let json = try JSONSerialization.jsonObject(with: Data(record.dropFirst()))
            objects.append(try #require(json as? [String: Any]))
        }
        header = objects[0]
        events = try objects.dropFirst().map { try QlogEvent($0) }
    }

    func events(_ name: String) -> [QlogEvent] { events.filter { $0.name == "quic:" + name } }
}

struct QlogEvent {
    var name: String
    var category: String
    var tuple: String
    var time: Double
    var data: [String: Any]

    init(_ object: [String: Any]) throws {
        name = try #require(object["name"] as? String)
        category = try #require(object["category"] as? String)
        tuple = object["tuple"] as? String ?? ""
        time = try #require(object["time"] as? Double)
        data = try #require(object["data"] as? [String: Any])
    }

    var header: [String: Any] { data["header"] as? [String: Any] ?? [:] }
    var raw: [String: Any] { data["raw"] as? [String: Any] ?? [:] }
    var frames: [[String: Any]] { data["frames"] as? [[String: Any]] ?? [] }
    var frameTypes: [String] { frames.compactMap { $0["frame_type"] as? String } }
}
