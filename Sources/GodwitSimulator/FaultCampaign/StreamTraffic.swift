import GodwitCore
import GodwitWire

/// The streams of one end of a connection: sends patterns as fast as the transport takes them, gives streams
/// up where their plans say so, and shows what comes to the checkers.
struct StreamTraffic {
    private struct Outgoing {
        let pattern: PayloadPattern
        let plan: DirectionPlan
        var written: UInt64 = 0
    }

    private struct Incoming {
        var received: UInt64 = 0
        var isOver = false
    }

    private struct Reset {
        var time: Instant
        var stream: StreamID
        var code: UInt64
    }

    /// What there was to report of early data.
    private enum Held {
        case received(StreamDirection, offset: UInt64, bytes: [UInt8])
        case other(Observation)
    }

    let connection: UInt64
    let role: Role
    private let book: WorkloadBook
    /// Set while the handshake is not over.
    private var held: [Held]?
    private var outgoing: [StreamID: Outgoing] = [:]
    private var incoming: [StreamID: Incoming] = [:]
    private var resets: [Reset] = []
    /// The bytes of all directions that are over and were not given up, either way.
    private(set) var sentTotal: UInt64 = 0
    private(set) var receivedTotal: UInt64 = 0

    /// Few enough that writing in pieces is exercised.
    private static var pieceSize: UInt64 { 8192 }

    /// - Parameter holdsReports: whether to keep what there is to report until ``release(to:)``. Early data
    ///   may come to more than one connection of a server, since a client whose address changes in the
    ///   handshake appears as another one (RFC 9001 section 9.2); what counts is the connection that comes
    ///   about.
    init(connection: UInt64, role: Role, book: WorkloadBook, holdsReports: Bool) {
        self.connection = connection
        self.role = role
        self.book = book
        held = holdsReports ? [] : nil
    }

    // MARK: Reports

    /// Whether something was kept that has not been reported.
    var hasHeld: Bool { held?.isEmpty == false }

    private mutating func report(_ observation: Observation, to host: SimulatedHost) {
        if held == nil { return host.report(observation) }
        if case .received(let direction, let offset, let bytes) = observation {
            held?.append(.received(direction, offset: offset, bytes: [UInt8](bytes)))
        } else {
            held?.append(.other(observation))
        }
    }

    /// Reports what was kept, and everything from now on.
    mutating func release(to host: SimulatedHost) {
        for report in held ?? [] {
            switch report {
            case .received(let direction, let offset, let bytes):
                bytes.withUnsafeBytes { host.report(.received(direction, offset: offset, bytes: $0)) }
            case .other(let observation): host.report(observation)
            }
        }
        held = nil
    }

    private func direction(_ stream: StreamID, sender: Role) -> StreamDirection {
        StreamDirection(connection: connection, stream: stream.rawValue, sender: sender)
    }

    // MARK: Sending

    /// Opens a stream and sends what its plan says; nil while the peer allows no more streams.
    mutating func open(
        _ plan: StreamPlan, on connection: SimulatedConnection, now: Instant
    ) throws -> StreamID? {
        guard let stream = connection.openStream(plan.direction) else {
            book.note(.streamLimit)
            return nil
        }
        book.announce(stream, of: self.connection, plan, opener: role)
        try send(plan.request, on: stream, of: connection, now: now)
        return stream
    }

    private mutating func send(
        _ plan: DirectionPlan, on stream: StreamID, of connection: SimulatedConnection, now: Instant
    ) throws {
        outgoing[stream] = Outgoing(pattern: PayloadPattern(direction(stream, sender: role)), plan: plan)
        if plan.isComplete { sentTotal += plan.size }
        try goOn(stream, of: connection, now: now)
    }

    /// Writes what the stream takes now.
    private mutating func goOn(
        _ stream: StreamID, of connection: SimulatedConnection, now: Instant
    ) throws {
        guard var transfer = outgoing[stream] else { return }
        let (size, hasEnd) = (transfer.plan.size, transfer.plan.hasEnd)
        while transfer.written < size || hasEnd {
            let end = min(size, transfer.written + Self.pieceSize)
            let piece = transfer.pattern.bytes(transfer.written..<end)
            let taken = try connection.write(piece, to: stream, fin: hasEnd && end == size)
            transfer.written += UInt64(taken)
            outgoing[stream] = transfer
            if taken < piece.count { return book.note(.fullSendBuffer) }
            if end == size { break }
        }
        outgoing[stream] = nil
        try giveUp(stream, transfer.plan, of: connection, now: now)
    }

    private mutating func giveUp(
        _ stream: StreamID, _ plan: DirectionPlan, of connection: SimulatedConnection, now: Instant
    ) throws {
        switch plan {
        case .complete, .stopped: break
        case .resetBehindEnd(_, let code): try connection.reset(stream, code: code)
        case .reset(_, let code, .zero): try connection.reset(stream, code: code)
        case .reset(_, let code, let delay):
            resets.append(Reset(time: now + delay, stream: stream, code: code))
        }
    }

    /// When ``handleDeadline(of:now:)`` is to be called next.
    var nextDeadline: Instant { resets.lazy.map(\.time).min() ?? .distantFuture }

    /// Gives up the streams whose time has come.
    mutating func handleDeadline(of connection: SimulatedConnection, now: Instant) throws {
        for reset in resets where reset.time <= now { try connection.reset(reset.stream, code: reset.code) }
        resets.removeAll { $0.time <= now }
    }

    // MARK: Events

    /// Does what a stream's event asks for.
    /// - Returns: the stream, if the last thing that its opener waits for has come.
    mutating func happened(
        _ event: StreamEvent, of connection: SimulatedConnection, _ program: EndpointProgram
    ) throws -> StreamID? {
        switch event {
        case .opened(let stream):
            try onOpened(stream, of: connection, program)
            return nil
        case .readable(let stream): return try read(stream, of: connection, program)
        case .writable(let stream):
            try goOn(stream, of: connection, now: program.now)
            return nil
        case .resetByPeer(let stream, let code):
            book.note(.streamReset)
            report(.reset(direction(stream, sender: role.peer), code: code), to: program.host)
            return try receivingEnded(stream, of: connection, program)
        case .stopSendingByPeer(let stream, let code):
            book.note(.streamStopped)
            report(.stopped(direction(stream, sender: role), code: code), to: program.host)
            outgoing[stream] = nil
            return nil
        case .finished(let stream):
            report(.acknowledged(direction(stream, sender: role)), to: program.host)
            return stream.direction == .unidirectional ? stream : nil
        case .streamsAvailable: return nil
        }
    }

    private mutating func onOpened(
        _ stream: StreamID, of connection: SimulatedConnection, _ program: EndpointProgram
    ) throws {
        guard let plan = book.plan(of: stream, of: self.connection), stream.initiator == role.peer else {
            return program.complain("\(role): \(stream) was opened by nobody")
        }
        if role == .client {
            book.note(plan.direction == .bidirectional ? .serverStreams : .serverUnidirectional)
        }
        if let response = plan.response, plan.respondsAtOnce {
            try send(response, on: stream, of: connection, now: program.now)
        }
        if case .stopped(_, after: 0, let code) = plan.request {
            try connection.stopSending(stream, code: code)
            _ = try receivingEnded(stream, of: connection, program)
        }
    }

    // MARK: Receiving

    /// Reads all there is.
    private mutating func read(
        _ stream: StreamID, of connection: SimulatedConnection, _ program: EndpointProgram
    ) throws -> StreamID? {
        guard incoming[stream]?.isOver != true else {
            program.complain("\(role): \(stream) has something to read behind its end")
            return nil
        }
        let direction = direction(stream, sender: role.peer)
        var offset = incoming[stream]?.received ?? 0
        let isFinished = try connection.read(from: stream) { bytes in
            report(.received(direction, offset: offset, bytes: bytes), to: program.host)
            offset += UInt64(bytes.count)
        }
        incoming[stream, default: Incoming()].received = offset
        if isFinished {
            let plan = book.sent(by: role.peer, on: stream, of: self.connection)
            if plan?.isComplete == true { receivedTotal += offset }
            report(.finished(direction, size: offset), to: program.host)
            return try receivingEnded(stream, of: connection, program)
        }
        return try stopIfWanted(stream, at: offset, of: connection, program)
    }

    private mutating func stopIfWanted(
        _ stream: StreamID, at offset: UInt64, of connection: SimulatedConnection, _ program: EndpointProgram
    ) throws -> StreamID? {
        let plan = book.sent(by: role.peer, on: stream, of: self.connection)
        guard case .stopped(_, let after, let code)? = plan, offset >= after
        else { return nil }
        try connection.stopSending(stream, code: code)
        return try receivingEnded(stream, of: connection, program)
    }

    /// Nothing more comes on the stream. Whoever did not open it answers now; to the one who did it is over.
    private mutating func receivingEnded(
        _ stream: StreamID, of connection: SimulatedConnection, _ program: EndpointProgram
    ) throws -> StreamID? {
        incoming[stream, default: Incoming()].isOver = true
        guard stream.initiator != role else { return stream }
        if let plan = book.plan(of: stream, of: self.connection), let response = plan.response,
            !plan.respondsAtOnce
        {
            try send(response, on: stream, of: connection, now: program.now)
        }
        return nil
    }
}
