import GodwitCore
import GodwitCrypto
import GodwitWire
import MHQKit

/// The client of ``PerfProtocol`` without tasks.
final class CoreClient: CoreApplication {
    private enum Stage: Equatable {
        case connecting, measuringBefore, exchanging, measuringAfter, over
    }

    fileprivate struct Exchange {
        var uploadLeft: UInt64
        var received: UInt64 = 0
        /// The first eight bytes, for an answer that is a number.
        var number: UInt64 = 0
    }

    private let plan: PerfPlan
    private let request: ConnectRequest
    private let loop: CoreLoop
    private let chunk = [UInt8](repeating: 0xa5, count: 64 << 10)
    private var stage = Stage.connecting
    /// The connection that the server's CPU time is asked over, and but for handshakes everything else too.
    private var first: ConnectionHandle?
    private var exchanges: [StreamID: Exchange] = [:]
    private var question: StreamID?
    private var started = 0
    private var finished = 0
    private var before: PerfMeasurement?
    private var report: PerfReport?

    init(_ plan: PerfPlan, _ request: ConnectRequest, on loop: CoreLoop) {
        self.plan = plan
        self.request = request
        self.loop = loop
    }

    func run() throws -> PerfReport {
        first = try loop.endpoint.connect(request, now: loop.now)
        try loop.run(self) { stage == .over }
        guard let report else { throw Failure(ExitCode.protocolError, "the server did not answer") }
        return report
    }

    private var total: Int { max(plan.count, plan.handshakes) }

    // MARK: Events

    func handle(_ event: ConnectionEvent, of connection: Connection, now: Instant) throws {
        switch event {
        case .handshakeCompleted: try onConnected(connection)
        case .stream(.readable(let id)): try receive(id, connection, now)
        case .stream(.writable(let id)): try upload(id, connection)
        case .stream(.streamsAvailable): try startMore(connection)
        case .closed(let reason): try onClosed(connection, reason)
        default: break
        }
    }

    private func onConnected(_ connection: Connection) throws {
        if connection.handle == first { return try ask(connection, .measuringBefore) }
        try start(connection)
    }

    private func onClosed(_ connection: Connection, _ reason: ConnectionCloseReason) throws {
        if stage == .over { return }
        if connection.handle == first {
            throw Failure(ExitCode.unavailable, "the connection is over: \(reason)")
        }
    }

    // MARK: Measuring

    private func ask(_ connection: Connection, _ stage: Stage) throws {
        self.stage = stage
        question = connection.openStream(.bidirectional)
        guard let question else { throw Failure(ExitCode.protocolError, "the server allows no stream") }
        exchanges[question] = Exchange(uploadLeft: 0)
        try write(PerfProtocol.cpuTime, to: question, connection, fin: true)
    }

    private func onMeasured(_ serverMicroseconds: UInt64, _ connection: Connection) throws {
        let measurement = PerfMeasurement(serverMicroseconds: serverMicroseconds)
        if let before {
            report = PerfReport(plan, from: before, to: measurement, connection.statistics)
            stage = .over
            return connection.close(code: 0, reason: "", now: loop.now)
        }
        before = measurement
        stage = .exchanging
        try startMore(connection)
    }

    // MARK: Exchanging

    private func startMore(_ connection: Connection) throws {
        guard stage == .exchanging, started < total else { return }
        if plan.handshakes > 0 {
            started += 1
            _ = try loop.endpoint.connect(request, now: loop.now)
            return
        }
        while started < total, started - finished < plan.parallel {
            guard try start(connection) else { return }
            started += 1
        }
    }

    @discardableResult
    private func start(_ connection: Connection) throws -> Bool {
        guard let id = connection.openStream(.bidirectional) else { return false }
        exchanges[id] = Exchange(uploadLeft: plan.upload)
        try write(plan.download, to: id, connection, fin: plan.upload == 0)
        if plan.upload > 0 { try upload(id, connection) }
        return true
    }

    private func write(_ value: UInt64, to id: StreamID, _ connection: Connection, fin: Bool) throws {
        _ = try withUnsafeBytes(of: value.bigEndian) { try connection.write($0, to: id, fin: fin) }
    }

    private func upload(_ id: StreamID, _ connection: Connection) throws {
        while let left = exchanges[id]?.uploadLeft, left > 0 {
            let size = Int(min(left, UInt64(chunk.count)))
            let isLast = UInt64(size) == left
            let count = try chunk.withUnsafeBytes { bytes in
                try connection.write(UnsafeRawBufferPointer(rebasing: bytes[..<size]), to: id, fin: isLast)
            }
            exchanges[id]!.uploadLeft -= UInt64(count)
            guard count == size else { return }
        }
    }

    private func receive(_ id: StreamID, _ connection: Connection, _ now: Instant) throws {
        guard var exchange = exchanges[id] else { return }
        var isFinished = false
        while !isFinished {
            let result = try connection.read(from: id, now: now) { exchange.take($0) }
            isFinished = result.isFinished
            if result.remaining == 0 { break }
        }
        exchanges[id] = isFinished ? nil : exchange
        if isFinished { try onFinished(id, exchange, connection) }
    }

    private func onFinished(_ id: StreamID, _ exchange: Exchange, _ connection: Connection) throws {
        if connection.handle == first, id == question { return try onMeasured(exchange.number, connection) }
        guard exchange.received == plan.download else {
            throw Failure(
                ExitCode.protocolError, "the server sent \(exchange.received) of \(plan.download) bytes")
        }
        finished += 1
        if plan.handshakes > 0 { connection.close(code: 0, reason: "", now: loop.now) }
        guard let observer = first.flatMap({ loop.endpoint.connection($0) }) else { return }
        if finished == total { return try ask(observer, .measuringAfter) }
        try startMore(observer)
    }
}

extension CoreClient.Exchange {
    fileprivate mutating func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        for byte in bytes.prefix(Int(clamping: 8 - min(received, 8))) { number = number << 8 | UInt64(byte) }
        received += UInt64(bytes.count)
        return bytes.count
    }
}
