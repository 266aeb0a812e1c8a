import Foundation
import MHQKit
import NIOConcurrencyHelpers

/// The network's side of moves: it does what the container's side asks for, and keeps what that tells.
final class NetworkSide: Sendable {
    struct State {
        /// Where the server is.
        var place: Int
        var watch: OldAddressWatch
        // Of all moves; see ``RunOutcome``.
        var triggerTimes: [Double] = []
        var thawTimes: [Double] = []
        var flaws: [String] = []
        /// How many have ended, in whatever way.
        var ended = 0
        /// The latest request, and the answer once there is one.
        fileprivate var latest: (number: Int, answer: String?) = (0, nil)
    }

    private let network: any TestNetwork
    private let link: any ServerLink
    private let state: NIOLockedValueBox<State>

    init(_ network: any TestNetwork, _ link: any ServerLink, _ watch: OldAddressWatch, place: Int) {
        (self.network, self.link) = (network, link)
        state = NIOLockedValueBox(State(place: place, watch: watch))
    }

    /// What is known so far.
    var account: State { state.withLockedValue { $0 } }

    /// Does what a request says, and answers when it is done. One that comes again gets the same answer.
    func hear(_ text: String, from caller: CommandDesk.Caller) {
        guard let request = NetworkRequest(text) else { return caller.answer("Bad request") }
        let (isNew, known) = state.withLockedValue { state in
            let isNew = request.number > state.latest.number
            if isNew { state.latest = (request.number, nil) }
            return (isNew, request.number == state.latest.number ? state.latest.answer : nil)
        }
        if let known { caller.answer(known) }
        guard isNew else { return }
        Task {
            let answer: String
            do {
                try await carryOut(request)
                answer = "OK"
            } catch { answer = "\(error)" }
            state.withLockedValue { $0.latest.answer = answer }
            caller.answer(answer)
        }
    }

    private func carryOut(_ request: NetworkRequest) async throws {
        let place = request.place
        switch request.step {
        case .begin: state.withLockedValue { $0.triggerTimes += [request.time].compactMap(\.self) }
        case .hold: try await link.hold(at: place)
        case .leave:
            state.withLockedValue { state in
                state.watch.drain()
                state.watch.probe(network.fronts[place])
            }
            try await network.leave(place)
        case .arrive: try await network.arrive(at: place)
        case .release:
            state.withLockedValue { $0.place = place }
            try await link.release(at: place)
        case .end: state.withLockedValue { end(request, &$0) }
        }
    }

    private func end(_ request: NetworkRequest, _ state: inout State) {
        if let time = request.time {
            state.thawTimes.append(time)
            state.watch.probe(network.fronts[request.place])
        }
        state.flaws += request.flaws
        state.ended += 1
    }
}
