import Godwit
import NIOConcurrencyHelpers
import NIOCore

/// What one client of a demo has seen.
final class DemoTally: Sendable {
    struct Figures: Sendable {
        var requests = 0
        var failed = 0
        var bytesChecked = 0
        var answers: [NetworkAddress: Int] = [:]
        var lastProgress = NIODeadline.now()
        /// When data came first after ``DemoTally/watchForProgress()``.
        var progressAgain: NIODeadline?
        /// The service times of small requests, by when they were sent.
        var serviceTimes: [(sentAt: NIODeadline, span: TimeAmount)] = []
        var firstFault: String?
    }

    private struct State {
        var figures = Figures()
        var isWatching = false
    }

    private let state = NIOLockedValueBox(State())

    var figures: Figures { state.withLockedValue { $0.figures } }

    /// Bytes of the server came.
    func noteProgress() {
        let now = NIODeadline.now()
        state.withLockedValue { state in
            state.figures.lastProgress = now
            guard state.isWatching else { return }
            state.isWatching = false
            state.figures.progressAgain = now
        }
    }

    /// Waits for data from now on.
    func watchForProgress() {
        state.withLockedValue { state in
            state.figures.progressAgain = nil
            state.isWatching = true
        }
    }

    /// A request was answered, every byte of it right.
    func noteAnswer(bytes: Int, from address: NetworkAddress?) {
        state.withLockedValue { state in
            state.figures.requests += 1
            state.figures.bytesChecked += bytes
            if let address { state.figures.answers[address, default: 0] += 1 }
        }
    }

    func noteServiceTime(sentAt: NIODeadline, _ span: TimeAmount) {
        state.withLockedValue { $0.figures.serviceTimes.append((sentAt, span)) }
    }

    func noteFault(_ error: any Error) {
        state.withLockedValue { state in
            state.figures.requests += 1
            state.figures.failed += 1
            // What is called off because something else went wrong says nothing of that.
            if error is CancellationError { return }
            state.figures.firstFault = state.figures.firstFault ?? "\(error)"
        }
    }
}
