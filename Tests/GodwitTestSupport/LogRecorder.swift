package import Logging
import NIOConcurrencyHelpers

/// Keeps what is logged.
package struct LogRecorder: LogHandler {
    private final class Lines: Sendable {
        let list = NIOLockedValueBox<[String]>([])
    }

    private let recorded = Lines()
    package var metadata: Logger.Metadata = [:]
    package var logLevel = Logger.Level.trace

    package init() {}

    package var lines: [String] { recorded.list.withLockedValue { $0 } }

    package var logger: Logger { Logger(label: "test") { _ in self } }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        recorded.list.withLockedValue {
            $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])")
        }
    }
}
