import Foundation
import GodwitSimulator
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

/// Where clients send to, and where that is of the server's own.
struct LinkDoor: Sendable {
    /// As clients know it.
    var front: NetworkAddress
    /// As the server itself knows it.
    var server: NetworkAddress
    /// At which of its two places the server has to be.
    var place: Int
    /// Whether delay, rate and loss are those of the plan; what is said to operators is not delayed.
    var isShaped: Bool
}

/// A link between real sockets, for kernels without netem: it delays, limits and loses datagrams, and carries them
/// to the server only where the server is.
final class UserSpaceLink: ServerLink {
    struct State {
        /// Where the server is; nil while it stands still.
        var place: Int?
        /// Whether the client is between two networks.
        var isApart = false
        /// Whether near and far have changed places for the client.
        var isSwapped = false
        /// Datagrams that were sent to where the server was not.
        var lost = 0
        var isOver = false
    }

    private let state: NIOLockedValueBox<State>
    private let finished = DispatchSemaphore(value: 0)
    /// Bound and never read, so that nobody says that nobody is there.
    private let silent: [DatagramSocket]

    /// Opens the sockets and begins to carry datagrams.
    ///
    /// - Throws: a failure that names the address that can't be had.
    init(_ shape: LinkShape, in network: any RelayedNetwork) throws(Failure) {
        state = NIOLockedValueBox(State(place: shape.plan.firstPlace))
        var silent: [DatagramSocket] = []
        for address in network.nobody { silent.append(try network.openFront(address)) }
        self.silent = silent
        let lines = LinkLines(shape.paths, loss: shape.loss, shape.random)
        let carrier = try LinkCarrier(Self.doors(shape.plan, network), in: network, lines: lines)
        let box = Confined(carrier)
        Thread.detachNewThread { [self] in
            while !state.withLockedValue(\.isOver) { box.value.turn(state) }
            box.value.close()
            finished.signal()
        }
    }

    private static func doors(_ plan: ExperimentPlan, _ network: any TestNetwork) -> [LinkDoor] {
        network.fronts.enumerated().flatMap { place, front in
            let management = NetworkAddress(ip: front.ip, port: plan.addresses.managementPort)
            return [
                LinkDoor(front: front, server: network.servers[place], place: place, isShaped: true),
                LinkDoor(
                    front: management, server: network.management(at: place), place: place,
                    isShaped: false),
            ]
        }
    }

    // Whoever has had the lock knows that nothing is handed over any more.
    func hold(at place: Int) { state.withLockedValue { $0.place = nil } }
    func release(at place: Int) { state.withLockedValue { $0.place = place } }
    func part() { state.withLockedValue { $0.isApart = true } }
    func join(_ network: Int) {
        state.withLockedValue { ($0.isApart, $0.isSwapped) = (false, !network.isMultiple(of: 2)) }
    }

    var lost: Int { state.withLockedValue(\.lost) }

    /// Closes the sockets.
    func end() {
        state.withLockedValue { $0.isOver = true }
        finished.wait()
        finished.signal()
    }

    /// The carrier belongs to its thread alone.
    private struct Confined: @unchecked Sendable {
        let value: LinkCarrier
        init(_ value: LinkCarrier) { self.value = value }
    }
}

/// The lines of a run's paths: to the server at each place, from each of the client's networks, and back.
struct LinkLines {
    private var toServer: [[LinkLine]]
    private var toClient: [LinkLine]

    /// - Parameter loss: of a round trip; each direction loses half of it.
    init(_ network: PlanNetwork, loss: Double, _ random: DeterministicRandom) {
        let paths = [network.path(network.source), network.path(network.destination)]
        func line(_ link: PlanLink, _ name: String) -> LinkLine {
            LinkLine(link, loss: loss / 2, random.forked(name))
        }
        // In the other network of a client the source is as far as the destination was.
        toServer = [paths, paths.reversed()].enumerated().map { network, paths in
            paths.enumerated().map { place, path in line(path.toServer, "\(network) to \(place)") }
        }
        toClient = paths.enumerated().map { place, path in line(path.toClient, "from \(place)") }
    }

    /// When a datagram arrives at the server; nil if it never does.
    mutating func admit(toServerAt place: Int, isSwapped: Bool, size: Int, now: UInt64) -> UInt64? {
        toServer[isSwapped ? 1 : 0][place].admit(size: size, now: now)
    }

    /// When a datagram arrives at the client; nil if it never does.
    mutating func admit(toClientFrom place: Int, size: Int, now: UInt64) -> UInt64? {
        toClient[place].admit(size: size, now: now)
    }
}
