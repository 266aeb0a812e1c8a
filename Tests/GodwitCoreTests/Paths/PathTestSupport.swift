import GodwitWire

@testable import GodwitCore

enum Sample {
    static let server = NetworkAddress("198.51.100.1:443")!
    static let preferred = NetworkAddress("198.51.100.9:443")!
    static let client = NetworkAddress("192.0.2.10:5000")!
    /// The client behind a NAT that gave it another port.
    static let rebound = NetworkAddress("192.0.2.10:5999")!
    /// The client on another network.
    static let cellular = NetworkAddress("203.0.113.77:5000")!
    static let attacker = NetworkAddress("203.0.113.66:6666")!

    static func id(_ number: UInt64) -> ConnectionID {
        var bytes: [UInt8] = []
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
        return ConnectionID(bytes)!
    }

    static func token(_ number: UInt64) -> StatelessResetToken {
        StatelessResetToken(high: ~number, low: number)
    }

    static func frame(_ number: UInt64, retirePriorTo: UInt64 = 0, id: UInt64? = nil) -> NewConnectionIDFrame
    {
        NewConnectionIDFrame(
            sequenceNumber: number, retirePriorTo: retirePriorTo, id: Self.id(id ?? 1000 + number),
            resetToken: token(id ?? 1000 + number))
    }
}

extension Instant {
    static func ms(_ count: Int64) -> Instant { .zero + .milliseconds(count) }
}

/// What the model of a packet carries.
enum ModelFrame: Equatable {
    case challenge(UInt64)
    case response(UInt64)
    case newConnectionID(NewConnectionIDFrame)
    case retire(UInt64)
    /// Anything that is no probing frame.
    case data

    var isProbing: Bool {
        switch self {
        case .challenge, .response, .newConnectionID: true
        case .retire, .data: false
        }
    }
}

/// One datagram with one 1-RTT packet.
struct ModelDatagram {
    var from: NetworkAddress
    var to: NetworkAddress
    var size: Int
    var destination: ConnectionID
    var number: UInt64
    var path: PathID
    var frames: [ModelFrame]

    func contains(_ match: (ModelFrame) -> Bool) -> Bool { frames.contains(where: match) }
    var hasChallenge: Bool {
        contains { if case .challenge = $0 { true } else { false } }
    }
    var hasResponse: Bool {
        contains { if case .response = $0 { true } else { false } }
    }
    var isNonProbing: Bool { contains { !$0.isProbing } }
}

/// One side of a connection as far as its paths go: what the connection does with them, without cryptography.
struct ModelEnd {
    var paths: Paths
    var localIDs: LocalConnectionIDs
    var random: SeededGenerator
    var nextNumber: UInt64 = 0
    var received: Set<UInt64> = []
    var actions: [PathAction] = []
    var isClosed = false
    private var nextID: UInt64

    init(
        role: Role, local: NetworkAddress, remote: NetworkAddress, ids: UInt64, peerIDs: UInt64,
        configuration: PathConfiguration = PathConfiguration(), peerLimit: UInt64 = 8
    ) {
        let remoteIDs = RemoteConnectionIDs(handshakeID: Sample.id(peerIDs))
        paths = Paths(
            role: role, local: local, remote: remote, remoteIDs: remoteIDs, configuration: configuration)
        localIDs = LocalConnectionIDs(initial: Sample.id(ids), resetToken: Sample.token(ids))
        localIDs.setPeerLimit(peerLimit)
        random = SeededGenerator(seed: ids)
        nextID = ids + 1
        paths.onHandshakeConfirmed()
    }

    var actives: [PathAction] { actions.filter { if case .activeChanged = $0 { true } else { false } } }

    mutating func collect() {
        while let action = paths.nextAction() {
            actions.append(action)
            if case .noViablePath = action { isClosed = true }
            if case .peerMayLackConnectionID = action { localIDs.offerReplacement() }
        }
        while localIDs.nextAction() != nil {}
    }

    // MARK: Sending

    mutating func probes(at now: Instant) -> [ModelDatagram] {
        var result: [ModelDatagram] = []
        while let probe = paths.nextProbe(at: now, using: &random) {
            var frames: [ModelFrame] = []
            if let data = probe.challenge { frames.append(.challenge(data)) }
            if let data = probe.response { frames.append(.response(data)) }
            if probe.includesPing { frames.append(.data) }
            let size = probe.isPadded ? 1200 : min(60, probe.maximumSize)
            var datagram = datagram(on: probe.path, size: size, frames: frames)
            (datagram.from, datagram.to, datagram.destination) = (probe.local, probe.remote, probe.remoteID)
            result.append(datagram)
        }
        collect()
        return result
    }

    /// A packet on the active path with data and whatever connection id frames wait; nil when nothing may be
    /// sent.
    mutating func data(at now: Instant, size: Int = 300) -> ModelDatagram? {
        guard paths.active.dataAllowance >= size else { return nil }
        return datagram(on: paths.activeID, size: size, frames: idFrames(at: now) + [.data])
    }

    mutating func idFrames(at now: Instant) -> [ModelFrame] {
        for _ in 0..<localIDs.needed(at: now) {
            localIDs.issue(Sample.id(nextID), resetToken: Sample.token(nextID), at: now)
            nextID += 1
        }
        var frames: [ModelFrame] = []
        while let frame = localIDs.frameToSend {
            localIDs.onFrameSent(sequenceNumber: frame.sequenceNumber)
            frames.append(.newConnectionID(frame))
        }
        while let number = paths.remoteIDs.retirementToSend {
            paths.onRetirementSent(sequenceNumber: number)
            frames.append(.retire(number))
        }
        return frames
    }

    mutating func datagram(on path: PathID, size: Int, frames: [ModelFrame]) -> ModelDatagram {
        let (local, remote, id) = (paths[path].local, paths[path].remote, paths[path].remoteID!)
        paths.onDatagramSent(on: path, size: size)
        nextNumber += 1
        collect()
        return ModelDatagram(
            from: local, to: remote, size: size, destination: id, number: nextNumber, path: path,
            frames: frames)
    }

    // MARK: The fate of what was sent

    mutating func onAcknowledged(_ datagram: ModelDatagram, at now: Instant) {
        for frame in datagram.frames {
            switch frame {
            case .newConnectionID(let frame):
                localIDs.onFrameAcknowledged(sequenceNumber: frame.sequenceNumber)
            case .retire(let number): paths.onRetirementAcknowledged(sequenceNumber: number, at: now)
            default: break
            }
        }
        collect()
    }

    mutating func onLost(_ datagram: ModelDatagram) {
        for frame in datagram.frames {
            switch frame {
            case .newConnectionID(let frame): localIDs.onFrameLost(sequenceNumber: frame.sequenceNumber)
            case .retire(let number): paths.onRetirementLost(sequenceNumber: number)
            default: break
            }
        }
    }

    // MARK: Receiving

    /// Takes a datagram as the connection would; false when it was dropped.
    @discardableResult
    mutating func receive(_ datagram: ModelDatagram, at now: Instant) throws -> Bool {
        let origin = paths.receive(from: datagram.from, to: datagram.to, size: datagram.size, at: now)
        guard origin != .refused, localIDs.live.contains(datagram.destination),
            received.insert(datagram.number).inserted
        else { return false }
        let path =
            if case .path(let known) = origin {
                known
            } else {
                paths.admit(
                    from: datagram.from, to: datagram.to, size: datagram.size,
                    destination: datagram.destination,
                    at: now)
            }
        for frame in datagram.frames { try process(frame, of: datagram, on: path, at: now) }
        paths.onPacket(
            on: path, number: datagram.number, isNonProbing: datagram.isNonProbing,
            destination: datagram.destination, at: now)
        collect()
        return true
    }

    private mutating func process(
        _ frame: ModelFrame, of datagram: ModelDatagram, on path: PathID, at now: Instant
    ) throws {
        switch frame {
        case .challenge(let data): paths.onPathChallenge(data, on: path)
        case .response(let data): paths.onPathResponse(data, on: path, at: now)
        case .newConnectionID(let frame): try paths.receive(frame, at: now)
        case .retire(let number):
            try localIDs.receiveRetirement(
                of: number, destination: datagram.destination, at: now, grace: .milliseconds(300))
        case .data: break
        }
    }

    mutating func timeout(at now: Instant) {
        paths.onTimeout(at: now)
        localIDs.onTimeout(at: now)
        collect()
    }
}

/// A client and a server that know each other's connection ids, with a network that loses nothing by itself.
struct ModelPair {
    var client: ModelEnd
    var server: ModelEnd

    init(
        client clientConfiguration: PathConfiguration = PathConfiguration(),
        server serverConfiguration: PathConfiguration = PathConfiguration(), idLimit: UInt64 = 8,
        at now: Instant = .zero
    ) throws {
        client = ModelEnd(
            role: .client, local: Sample.client, remote: Sample.server, ids: 1 << 20, peerIDs: 2 << 20,
            configuration: clientConfiguration, peerLimit: idLimit)
        server = ModelEnd(
            role: .server, local: Sample.server, remote: Sample.client, ids: 2 << 20, peerIDs: 1 << 20,
            configuration: serverConfiguration, peerLimit: idLimit)
        // Twice, so that the ids of both are there.
        for _ in 0..<2 {
            try toServer(client.data(at: now)!, at: now)
            try toClient(server.data(at: now)!, at: now)
        }
        (client.actions, server.actions) = ([], [])
    }

    /// Delivers to the server, perhaps from another address than the client sent from.
    @discardableResult
    mutating func toServer(
        _ datagram: ModelDatagram, as from: NetworkAddress? = nil, at now: Instant
    ) throws -> Bool {
        var seen = datagram
        seen.from = from ?? datagram.from
        let wasTaken = try server.receive(seen, at: now)
        if wasTaken { client.onAcknowledged(datagram, at: now) }
        return wasTaken
    }

    @discardableResult
    mutating func toClient(
        _ datagram: ModelDatagram, as from: NetworkAddress? = nil, arrivingAt address: NetworkAddress? = nil,
        at now: Instant
    ) throws -> Bool {
        var seen = datagram
        seen.from = from ?? datagram.from
        seen.to = address ?? datagram.to
        let wasTaken = try client.receive(seen, at: now)
        if wasTaken { server.onAcknowledged(datagram, at: now) }
        return wasTaken
    }
}
