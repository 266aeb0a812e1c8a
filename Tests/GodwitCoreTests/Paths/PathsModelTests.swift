import GodwitWire
import Testing

@testable import GodwitCore

/// A client behind a NAT and a server, joined by a network that loses, delays, reorders and copies, with an
/// attacker in it. After every step the rules that must always hold are checked.
private struct PathsModel {
    private struct Flight {
        var arrives: Instant
        var isToServer: Bool
        var datagram: ModelDatagram
        /// An attacker's copy, of whose fate its sender learns nothing.
        var isCopy = false
    }

    private var pair: ModelPair
    private var random: SeededGenerator
    private var now = Instant.ms(1)
    private var flights: [Flight] = []
    /// What the NAT makes of the client's addresses.
    private var outside: [NetworkAddress: NetworkAddress] = [:]
    /// All that the NAT ever gave out. Where the server moves too, packets to those still arrive: if both
    /// sides left their addresses at once without telling, nothing could bring them together.
    private var inside: [NetworkAddress: NetworkAddress] = [:]
    private var nextPort: UInt16 = 10_000
    private var lastHeard = (client: Instant.zero, server: Instant.zero)
    private var loss = 0
    private var attacks = false
    /// Whether the server moves too, and the client follows it, as an extension allows.
    private let serverMoves: Bool
    private var usesOfIDs: [ConnectionID: Set<Pair>] = [:]
    private var ledger: [PathID: (received: Int, sent: Int)] = [:]
    private var gone: Set<PathID> = []
    private(set) var moves = 0
    private(set) var broken: [String] = []

    private struct Pair: Hashable {
        var local: NetworkAddress
        var remote: NetworkAddress
    }

    init(seed: UInt64, serverMoves: Bool) throws {
        pair = try ModelPair(idLimit: 2 + seed % 7)
        pair.client.paths.followsPeer = serverMoves
        self.serverMoves = serverMoves
        random = SeededGenerator(seed: seed)
    }

    var isClosed: Bool { pair.client.isClosed || pair.server.isClosed }
    var isSettled: Bool {
        let (client, server) = (pair.client.paths.active, pair.server.paths.active)
        return client.isViable && server.isViable && server.remote == translate(client.local)
            && server.local == client.remote && pair.server.paths.fallback == nil
    }

    // MARK: Steps

    mutating func runInDisorder(steps: Int, loss: Int, attacks: Bool) throws {
        (self.loss, self.attacks) = (loss, attacks)
        for _ in 0..<steps {
            try act()
            try advance(by: .microseconds(Int64(random.next() % 40_000)))
        }
    }

    /// The network is perfect from here on, and the client has something to say.
    mutating func runInOrder(steps: Int) throws {
        (loss, attacks) = (0, false)
        for _ in 0..<steps {
            sendData(fromServer: false)
            sendData(fromServer: true)
            try advance(by: .milliseconds(50))
        }
    }

    private mutating func act() throws {
        switch random.next() % 100 {
        case 0..<3: rebind()
        case 3..<6: migrate()
        case 6..<7: pair.client.localIDs.retireAllIssued()
        case 7..<8: pair.server.localIDs.retireAllIssued()
        case 8..<10: junk()
        case 10..<12: freeze()
        case 12..<50: sendData(fromServer: true)
        default: sendData(fromServer: false)
        }
    }

    private mutating func rebind() {
        nextPort += 1
        let ip = random.chance(50) ? Sample.client.ip : Sample.cellular.ip
        let local = pair.client.paths.active.local
        inside[translate(local)] = local
        outside[local] = NetworkAddress(ip: ip, port: nextPort)
        moves += 1
    }

    private mutating func migrate() {
        if serverMoves { return rebind() }
        nextPort += 1
        let local = NetworkAddress(ip: Sample.client.ip, port: nextPort)
        let atOnce = random.chance(50)
        if (try? pair.client.paths.migrate(toLocal: local, atOnce: atOnce, at: now)) != nil { moves += 1 }
        pair.client.collect()
    }

    /// A datagram that nobody can decrypt.
    private mutating func junk() {
        let path = pair.server.paths.all.randomElement(using: &random)!
        _ = pair.server.paths.receive(from: path.remote, to: path.local, size: 100, at: now)
        ledger[path.id, default: (0, 0)].received += 100
    }

    private mutating func freeze() {
        let span = TimeSpan.milliseconds(Int64(random.next() % 100_000))
        now += span
        for index in flights.indices { flights[index].arrives += span }
        let credit = ledger[pair.server.paths.activeID]
        pair.server.paths.resume(at: now, shiftedBy: span, localAddress: newServerAddress())
        // A path that is moved takes its credit along.
        ledger[pair.server.paths.activeID] = credit
        pair.client.paths.resume(at: now, shiftedBy: span, localAddress: nil)
        pair.server.localIDs.resume(shiftedBy: span)
        pair.client.localIDs.resume(shiftedBy: span)
    }

    private mutating func newServerAddress() -> NetworkAddress? {
        guard serverMoves, random.chance(30) else { return nil }
        moves += 1
        nextPort += 1
        return NetworkAddress(ip: Sample.server.ip, port: nextPort)
    }

    // MARK: The network

    private mutating func sendData(fromServer: Bool) {
        flushProbes()
        let size = 60 + Int(random.next() % 600)
        let datagram =
            fromServer ? pair.server.data(at: now, size: size) : pair.client.data(at: now, size: size)
        if let datagram { launch(datagram, toServer: !fromServer) }
        offerIDsInSilence()
    }

    /// What a connection does when its probe timeouts go unanswered.
    private mutating func offerIDsInSilence() {
        if now - lastHeard.client > .milliseconds(300) {
            lastHeard.client = now
            pair.client.localIDs.offerReplacement()
        }
        if now - lastHeard.server > .milliseconds(300) {
            lastHeard.server = now
            pair.server.localIDs.offerReplacement()
        }
    }

    private mutating func flushProbes() {
        for datagram in pair.client.probes(at: now) { launch(datagram, toServer: true) }
        for datagram in pair.server.probes(at: now) { launch(datagram, toServer: false) }
    }

    private func translate(_ local: NetworkAddress) -> NetworkAddress { outside[local] ?? local }

    private mutating func launch(_ datagram: ModelDatagram, toServer: Bool) {
        note(datagram, toServer: toServer)
        var seen = datagram
        if toServer { seen.from = translate(datagram.from) }
        let delay = TimeSpan.microseconds(5_000 + Int64(random.next() % 20_000))
        if attacks, toServer, random.chance(10) { copy(seen) }
        guard !random.chance(loss) else { return lose(datagram, toServer: toServer) }
        flights.append(Flight(arrives: now + delay, isToServer: toServer, datagram: seen))
    }

    /// The attacker is faster than the network.
    private mutating func copy(_ datagram: ModelDatagram) {
        var spoofed = datagram
        spoofed.from = NetworkAddress(ip: Sample.attacker.ip, port: UInt16(2000 + random.next() % 30))
        flights.append(
            Flight(arrives: now + .milliseconds(2), isToServer: true, datagram: spoofed, isCopy: true))
    }

    private mutating func lose(_ datagram: ModelDatagram, toServer: Bool) {
        if toServer { pair.client.onLost(datagram) } else { pair.server.onLost(datagram) }
    }

    private mutating func advance(by span: TimeSpan) throws {
        let end = now + span
        while let next = nextEvent, next <= end {
            now = max(now, next)
            try deliver()
            flushProbes()
            timeouts()
            check()
        }
        now = end
        flushProbes()
        check()
    }

    private var nextEvent: Instant? {
        let deadlines = [
            pair.client.paths.deadline, pair.server.paths.deadline, pair.client.localIDs.deadline,
            pair.server.localIDs.deadline, flights.lazy.map(\.arrives).min(),
        ]
        return deadlines.compactMap { $0 }.min()
    }

    private mutating func deliver() throws {
        let due = flights.filter { $0.arrives <= now }.sorted { $0.arrives < $1.arrives }
        flights.removeAll { $0.arrives <= now }
        for flight in due {
            if flight.isToServer { try deliverToServer(flight) } else { try deliverToClient(flight.datagram) }
        }
    }

    private mutating func deliverToServer(_ flight: Flight) throws {
        let datagram = flight.datagram
        guard pair.server.paths.uses(local: datagram.to) else { return retry(datagram) }
        let wasTaken = try pair.server.receive(datagram, at: now)
        if let index = pair.server.paths.index(local: datagram.to, remote: datagram.from) {
            ledger[pair.server.paths.all[index].id, default: (0, 0)].received += datagram.size
        }
        if wasTaken { lastHeard.server = now }
        // Lost or not, a packet whose copy was processed is acknowledged.
        if wasTaken {
            pair.client.onAcknowledged(datagram, at: now)
        } else if !flight.isCopy {
            retry(datagram)
        }
    }

    private mutating func retry(_ datagram: ModelDatagram) {
        if !pair.server.received.contains(datagram.number) { pair.client.onLost(datagram) }
    }

    private mutating func deliverToClient(_ datagram: ModelDatagram) throws {
        // The NAT lets in what is addressed to a port that it has given out.
        let former = serverMoves ? inside[datagram.to] : nil
        let local = former ?? pair.client.paths.all.map(\.local).first { translate($0) == datagram.to }
        guard let local else { return pair.server.onLost(datagram) }
        var seen = datagram
        seen.to = local
        if try pair.client.receive(seen, at: now) {
            lastHeard.client = now
            pair.server.onAcknowledged(datagram, at: now)
        } else {
            pair.server.onLost(datagram)
        }
    }

    private mutating func timeouts() {
        pair.client.timeout(at: now)
        pair.server.timeout(at: now)
    }

    // MARK: What must always hold

    private mutating func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds, broken.count < 10 { broken.append(what()) }
    }

    private mutating func note(_ datagram: ModelDatagram, toServer: Bool) {
        usesOfIDs[datagram.destination, default: []].insert(Pair(local: datagram.from, remote: datagram.to))
        guard !toServer else { return }
        ledger[datagram.path, default: (0, 0)].sent += datagram.size
        let entry = ledger[datagram.path]!
        let path = pair.server.paths[datagram.path]
        // RFC 9000 section 8: an independent count of what the machine counts.
        if !path.isValidated, !path.amplification.isLifted {
            expect(
                entry.sent <= 3 * entry.received,
                "\(entry.sent) sent to \(path.remote), \(entry.received) received")
        }
    }

    private mutating func check() {
        checkShape(of: pair.client, "client")
        checkShape(of: pair.server, "server")
        checkIDs()
        collectRemovals()
    }

    private mutating func checkShape(of end: ModelEnd, _ name: String) {
        let paths = end.paths
        expect(paths.all.indices.contains(paths.activeIndex), "\(name): no active path")
        expect(paths.all.count <= paths.configuration.maximumPaths, "\(name): \(paths.all.count) paths")
        let unvalidated = paths.all.filter { $0.origin == .peer && !$0.isValidated }.count
        expect(
            unvalidated <= paths.configuration.maximumUnvalidatedPaths, "\(name): \(unvalidated) unvalidated")
        expect(Set(paths.all.map(\.id)).count == paths.all.count, "\(name): a path id twice")
        let pairs = Set(paths.all.map { Pair(local: $0.local, remote: $0.remote) })
        expect(pairs.count == paths.all.count, "\(name): a pair of addresses twice")
        if let fallback = paths.fallback {
            expect(paths.contains(fallback) && fallback != paths.activeID, "\(name): a fallback that is none")
        }
        expect(paths.active.isValidated || paths.fallback != nil, "\(name): nothing to fall back to")
        expect(paths.active.expiresAt == nil, "\(name): the active path expires")
        expect(paths.remoteIDs.activeCount <= 16, "\(name): \(paths.remoteIDs.activeCount) ids")
        expect(end.localIDs.live.count <= 32, "\(name): \(end.localIDs.live.count) ids of its own")
        // No deadline may be one that passing it does not move.
        if let deadline = paths.deadline { expect(deadline > now, "\(name): stuck at \(deadline)") }
    }

    /// RFC 9000 section 9.5: one id, one pair of addresses; unless the peer's address changed under it.
    private mutating func checkIDs() {
        // A server that was moved may have had no other.
        for (id, pairs) in usesOfIDs where pairs.count > 1 && !serverMoves {
            let locals = Set(pairs.map(\.local))
            expect(locals.count == 1, "\(id) was sent from \(locals)")
            expect(locals == [Sample.server], "the client used \(id) twice: \(pairs)")
        }
    }

    private mutating func collectRemovals() {
        for action in pair.server.actions {
            if case .removed(let id, _) = action { gone.insert(id) }
        }
        pair.server.actions = []
        for path in pair.server.paths.all {
            expect(!gone.contains(path.id), "path \(path.id.rawValue) came back")
        }
    }
}

@Suite("Paths in a network that does everything (RFC 9000 sections 5.1, 8 and 9)")
struct PathsModelTests {
    // Holds: 9000-9.5-1, 9000-9.5-2, 9000-19.16-2
    @Test(
        "Migrations and rebindings with loss: the rules hold, and peace brings both together",
        arguments: 1...12)
    func lossyNetwork(seed: UInt64) throws {
        try run(seed: seed, loss: 20, attacks: false)
    }

    @Test("The same under attack", arguments: 101...112)
    func attackedNetwork(seed: UInt64) throws {
        try run(seed: seed, loss: 10, attacks: true)
    }

    @Test("Both sides move, the server by an extension", arguments: 201...212)
    func bothMove(seed: UInt64) throws {
        try run(seed: seed, loss: 10, attacks: false, serverMoves: true)
    }

    private func run(seed: UInt64, loss: Int, attacks: Bool, serverMoves: Bool = false) throws {
        var model = try PathsModel(seed: seed, serverMoves: serverMoves)
        try model.runInDisorder(steps: 400, loss: loss, attacks: attacks)
        #expect(model.broken == [])
        #expect(model.moves > 5)
        #expect(!model.isClosed)
        try model.runInOrder(steps: 200)
        #expect(model.broken == [])
        #expect(!model.isClosed)
        #expect(model.isSettled)
    }
}
