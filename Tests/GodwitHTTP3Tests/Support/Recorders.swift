import Logging
import Metrics
import Synchronization

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
    var logger: Logger { Logger(label: "test") { _ in self } }

    /// Whether a limit of that name was said to be hit.
    func names(limit: String) -> Bool {
        lines.contains { $0.hasPrefix("notice limit hit") && $0.contains("\"limit\": \(limit)") }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        recorded.list.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}
