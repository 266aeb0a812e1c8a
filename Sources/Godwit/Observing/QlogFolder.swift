import GodwitCore
import Logging
import NIOPosix

/// The files that connections are logged to, for those who have set a `qlogFolder`.
public enum QlogFiles {
    /// Waits until everything that was logged so far has been written. It is for processes that are about to
    /// end; the logs of connections that are not over yet may still grow afterwards.
    public static func flush() async { try? await QlogFolder.thread.runIfActive {} }
}

/// The folder that the logs of an endpoint's connections go to, a file for each.
///
/// Files are written by a thread of their own, so that no event loop waits for a disk. It opens them for each
/// batch of records: however many connections there are, one file is open.
struct QlogFolder: QlogSinkFactory {
    /// How much may wait for the disk, for all connections of an endpoint.
    static let maxWaiting = 16 << 20

    private let path: String
    private let logger: Logger
    private let budget = QlogBudget(limit: maxWaiting)

    /// Makes the folder if it is not there.
    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
        QlogFile.makeFolder(path)
    }

    func makeSink(for connection: QlogConnectionName) -> (any QlogSink)? {
        QlogFileSink(QlogQueue(QlogFile(folder: path, name: "\(connection)"), budget, logger))
    }

    /// The only one, so that what was handed to it first is done first.
    static let thread = {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        return pool
    }()
}

/// The event loop's end of the way to a file.
private final class QlogFileSink: QlogSink {
    private let queue: QlogQueue

    init(_ queue: QlogQueue) { self.queue = queue }

    deinit { queue.finish() }

    func write(_ record: [UInt8]) { queue.add(record) }
}
