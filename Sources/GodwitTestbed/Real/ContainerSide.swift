import Foundation
import GodwitWire
package import MHQKit

/// The container's side of a run: what runs the server, and on `migrate` freezes it for as long as the configuration
/// says, has its address go elsewhere, and lets it go on.
///
/// It is a process of its own, `mhq experiment container`. It hears orders and speaks to the network and the server by
/// datagrams, and its signals are for the server alone, which it has started.
package struct ContainerSide {
    private let configuration: ContainerConfiguration
    private let server: RoleProcess
    private var place: Int
    private var number = 0
    // Of the move under way.
    private var thaw: Double?
    private var flaws: [String] = []

    private init(_ configuration: ContainerConfiguration, _ server: RoleProcess) {
        (self.configuration, self.server) = (configuration, server)
        place = configuration.place
    }

    // MARK: The process

    /// Runs the server until that fails, or was told to end and this side too.
    ///
    /// - Returns: the exit code of a server that ended by itself, else 0.
    package static func run(_ path: String, signals: AsyncStream<WebServerSignal>) async throws -> Int32 {
        let configuration = try ContainerConfiguration.read(path)
        let (commands, orders) = (try DatagramSocket(boundTo: configuration.commands), MoveOrders())
        let desk = CommandDesk(commands) { orders.hear($0, from: $1) }
        let server = try await RoleProcess.start(configuration.server, in: ".", leadsGroup: false)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        Task {
            var side = ContainerSide(configuration, server)
            await side.obey(orders)
            await server.awaitEnd()
            end.yield()
        }
        Task {
            await server.awaitEnd()
            if server.status != 0 { end.yield() }
        }
        Task { for await case .end in signals { end.yield() } }
        for await _ in ends { break }
        let status = server.status
        await server.end()
        desk.end()
        return status ?? 0
    }

    private mutating func obey(_ orders: MoveOrders) async {
        var moves = configuration.moves[...]
        for await _ in orders.moves {
            guard let phases = moves.popFirst() else { continue }
            let here = place
            (thaw, flaws) = (nil, [])
            do { try await move(phases, from: here, to: 1 - here) } catch {
                flaws.append("the server was not moved: \(error)")
            }
            // A network that does not answer is not told either, and misses the end.
            try? await tell(.end, here, thaw)
        }
    }

    // MARK: Moving

    /// How long before the server goes on the network hears of it, so that it does not keep the server waiting. What
    /// comes to the new address meanwhile waits for it, as on any host that is there before its processes.
    private static let notice = Duration.milliseconds(3)

    private static var unixTime: Double { Date().timeIntervalSince1970 }

    private mutating func move(_ phases: ContainerPhases, from here: Int, to there: Int) async throws {
        let begin = ContinuousClock.now
        try await tell(.begin, here, Self.unixTime)
        try await Task.sleep(until: begin + .seconds(phases.beforeFreeze), tolerance: .zero)
        try await tell(.hold, here)
        let end = ContinuousClock.now + .seconds(phases.frozen)
        try await server.freeze()
        let waiting = unread(at: here)
        try await tell(.leave, here)
        try await tell(.arrive, there)
        try await Task.sleep(until: end - Self.notice, tolerance: .zero)
        let kept = unread(at: here) - waiting
        if kept > 0 { flaws.append("\(kept) bytes were kept for the server that stood still") }
        try await tell(.release, there)
        try await Task.sleep(until: end, tolerance: .zero)
        (place, thaw) = (there, Self.unixTime)
        server.thaw()
        try await announceArrival()
    }

    /// How many bytes there are that the server has not read.
    private func unread(at place: Int) -> Int {
        let address = configuration.places[place].server
        return SocketTable.waiting(
            in: server.number, at: [address, NetworkAddress(ip: .anyIPv4, port: address.port)])
    }

    /// As the destination does, once the process is there.
    private mutating func announceArrival() async throws {
        let there = configuration.places[place]
        let answer = try await conversation(with: there.management).ask(there.networkSwitch)
        if answer != "OK" { flaws.append("the server was not told of its arrival: \(answer ?? "no answer")") }
    }

    // MARK: Speaking

    /// How often the network is asked, a second each: at work, it does not answer before it is done.
    private static let attempts = 300

    private mutating func tell(
        _ step: NetworkRequest.Step, _ place: Int, _ time: Double? = nil
    ) async throws {
        number += 1
        let request = NetworkRequest(number: number, step: step, place: place, time: time, flaws: flaws)
        let answer = try await conversation(with: configuration.network).ask(
            request.text, attempts: Self.attempts)
        guard answer == "OK" else { throw Failure(ExitCode.system, answer ?? "the network does not answer") }
    }

    /// Each has a port of its own, so that nobody gets another's answer.
    private func conversation(with peer: NetworkAddress) throws(Failure) -> Conversation {
        let own = NetworkAddress(ip: configuration.commands.ip, port: 0)
        return Conversation(with: peer, over: try DatagramSocket(boundTo: own))
    }
}
