import Logging
import Metrics
import NIOCore
import Synchronization
import Testing

@testable import Godwit

@Suite("What is told to those who watch", .timeLimit(.minutes(15)))
struct ObservationTests {
    @Test("Connections and traffic are counted under the documented labels")
    func metrics() async throws {
        let recorder = MetricsRecorder()
        try await LoopbackPair.run {
            $0.metrics = QUICMetrics(role: .server, factory: recorder)
        } serve: { connection in
            await echo(connection)
        } _: { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            await connection.close(code: 3)
        }
        #expect(recorder["godwit_connections_opened role=server"] == 1)
        #expect(recorder["godwit_connections_closed role=server reason=application_by_peer"] == 1)
        #expect(recorder["godwit_connections_active role=server"] == 0)
        #expect(recorder["godwit_handshake_duration role=server"] > 0)
        for direction in ["received", "sent"] {
            #expect(recorder["godwit_datagrams role=server direction=\(direction)"] > 2)
            #expect(recorder["godwit_bytes role=server direction=\(direction)"] > 2400)
        }
        #expect(recorder["godwit_datagrams_dropped role=server direction=sent"] == 0)
    }

    @Test("A connection's opening and its end are logged, with the reason")
    func logging() async throws {
        let log = LogRecorder()
        try await LoopbackPair.run {
            $0.logger = Logger(label: "test") { _ in log }
        } serve: { connection in
            await echo(connection)
        } _: { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            await connection.close(code: 3, reason: "enough")
        }
        let lines = log.lines
        #expect(lines.contains { $0.hasPrefix("debug connection opened") })
        #expect(lines.contains { $0.hasPrefix("debug connection closed") && $0.contains("code 3: enough") })
        #expect(lines.contains { $0.hasPrefix("info listening") })
    }
}

/// Adds up what is reported, by label and dimensions.
final class MetricsRecorder: MetricsFactory, Sendable {
    private let values = Mutex<[String: Int64]>([:])

    subscript(name: String) -> Int64 { values.withLock { $0[name, default: 0] } }

    private func handler(_ label: String, _ dimensions: [(String, String)]) -> Handler {
        Handler(name: ([label] + dimensions.map { "\($0)=\($1)" }).joined(separator: " "), recorder: self)
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        handler(label, dimensions)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        handler(label, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        handler(label, dimensions)
    }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private final class Handler: CounterHandler, RecorderHandler, TimerHandler, Sendable {
        let name: String
        let recorder: MetricsRecorder

        init(name: String, recorder: MetricsRecorder) {
            self.name = name
            self.recorder = recorder
        }

        func increment(by amount: Int64) { recorder.values.withLock { $0[name, default: 0] += amount } }
        func reset() { recorder.values.withLock { $0[name] = 0 } }
        func record(_ value: Int64) { recorder.values.withLock { $0[name] = value } }
        func record(_ value: Double) { record(Int64(value)) }
        func recordNanoseconds(_ duration: Int64) { record(duration) }
    }
}

/// Keeps what is logged.
struct LogRecorder: LogHandler {
    private final class Lines: Sendable {
        let list = Mutex<[String]>([])
    }

    private let recorded = Lines()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    var lines: [String] { recorded.list.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        recorded.list.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}
