import Foundation
import UnixSignals

extension WebServerSignal {
    /// The signals that this process gets from now on: SIGTERM and SIGINT to end, SIGHUP to reload.
    public static func ofProcess() async -> AsyncStream<WebServerSignal> {
        // Whoever reads our output may go away; writing then fails, and says so.
        signal(SIGPIPE, SIG_IGN)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let (stream, continuation) = AsyncStream.makeStream(of: WebServerSignal.self)
        let task = Task {
            for await signal in signals {
                continuation.yield(signal == .sighup ? .reload : .end(signal == .sigint ? SIGINT : SIGTERM))
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}
