package import Metrics
import NIOConcurrencyHelpers

/// Adds up what is reported, by label and dimensions.
package final class MetricsRecorder: MetricsFactory, Sendable {
    private let values = NIOLockedValueBox<[String: Int64]>([:])

    package init() {}

    package subscript(name: String) -> Int64 { values.withLockedValue { $0[name, default: 0] } }

    private func handler(_ label: String, _ dimensions: [(String, String)]) -> Handler {
        Handler(name: ([label] + dimensions.map { "\($0)=\($1)" }).joined(separator: " "), recorder: self)
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        handler(label, dimensions)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool)
        -> any RecorderHandler
    {
        handler(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        handler(label, dimensions)
    }
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private final class Handler: CounterHandler, RecorderHandler, TimerHandler, Sendable {
        let name: String
        let recorder: MetricsRecorder

        init(name: String, recorder: MetricsRecorder) {
            self.name = name
            self.recorder = recorder
        }

        func increment(by amount: Int64) {
            recorder.values.withLockedValue { $0[name, default: 0] += amount }
        }
        func reset() { recorder.values.withLockedValue { $0[name] = 0 } }
        func record(_ value: Int64) { recorder.values.withLockedValue { $0[name] = value } }
        func record(_ value: Double) { record(Int64(value)) }
        func recordNanoseconds(_ duration: Int64) { record(duration) }
    }
}
