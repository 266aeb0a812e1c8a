import Foundation
import UnixSignals

/// The signals that end `mhq get`.
public enum GetSignals {
    /// The numbers of the signals that this process gets from now on: SIGINT, SIGTERM, SIGHUP.
    public static func ofProcess() async -> AsyncStream<Int32> {
        // Whoever reads our output may go away; writing then fails, and says so.
        signal(SIGPIPE, SIG_IGN)
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        let task = Task {
            for await signal in signals {
                continuation.yield(signal == .sigint ? SIGINT : signal == .sigterm ? SIGTERM : SIGHUP)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}
