import Godwit
import NIOConcurrencyHelpers

/// What is going on in a demo, for whoever shows it.
final class DemoScene: Sendable {
    struct Picture: Sendable {
        var strategy = DemoStrategy.control
        /// How many of all moves are behind.
        var progress = 0.0
        var phase = ""
        var from: NetworkAddress?
        var to: NetworkAddress?
        var clients: [DemoClient] = []
        /// Lines that stay.
        var finished: [StyledLine] = []
    }

    private let picture = NIOLockedValueBox(Picture())

    func change(_ body: (inout Picture) -> Void) { picture.withLockedValue { body(&$0) } }

    /// What there is to show; lines that stay are given out once.
    func take() -> Picture {
        picture.withLockedValue { picture in
            defer { picture.finished = [] }
            return picture
        }
    }
}
