import GodwitHTTP3
import HTTPTypes
import NIOConcurrencyHelpers
import NIOCore

/// Does one transfer.
final class Fetch: Sendable {
    private let transfer: Transfer
    private let plan: TransferPlan
    private let connections: OriginConnections
    private let state: TransferState
    private let trace: RequestTrace?
    private let report: NIOLockedValueBox<TransferReport>

    /// How often a request is sent at most.
    private static let attempts = 3

    init(
        _ transfer: Transfer, of plan: TransferPlan, over connections: OriginConnections,
        _ state: TransferState,
        _ trace: RequestTrace?
    ) {
        self.transfer = transfer
        self.plan = plan
        self.connections = connections
        self.state = state
        self.trace = trace
        report = NIOLockedValueBox(TransferReport(url: transfer.url.text))
    }

    // MARK: Running

    /// - Returns: what became of it; with a failure if it came to nothing.
    func run() async -> TransferReport {
        do {
            try await runWithinTimeLimit()
        } catch {
            let failure = failure(error)
            report.withLockedValue { $0.failure = failure }
        }
        let (figures, duration) = (state.current, ContinuousClock.now - state.start)
        let report = report.withLockedValue { report in
            (report.bytes, report.bytesSent, report.duration) = (figures.received, figures.sent, duration)
            return report
        }
        state.note {
            $0.duration = duration
            $0.hasFailed = report.failure != nil
        }
        return report
    }

    private struct TimeIsUp: Error {}

    private func runWithinTimeLimit() async throws {
        guard let limit = plan.options.timeLimit else { return try await runWithRetries() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.runWithRetries() }
            tasks.addTask {
                try await Task.sleep(for: limit)
                throw TimeIsUp()
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }

    private func runWithRetries() async throws {
        var attempt = 1
        while true {
            let connection = try await connections.connection(to: transfer.origin)
            do {
                try await run(over: connection)
                return await connections.release(connection)
            } catch {
                await connections.release(connection)
                guard attempt < Self.attempts, allowsRetry(after: error, over: connection) else {
                    throw error
                }
                attempt += 1
            }
        }
    }

    /// Whether the request can be sent again over another connection.
    private func allowsRetry(after error: any Error, over connection: OpenConnection) -> Bool {
        guard let failure = error as? HTTP3Failure, plan.upload?.isRepeatable ?? true,
            report.withLockedValue({ $0.status }) == nil
        else { return false }
        if failure.isSafeToRetry { return true }
        // A connection that was good once may have ended in the meantime (RFC 9110 section 9.2.2).
        guard case .connectionClosed(let reason) = failure, transfer.request.method != .post else {
            return false
        }
        return connection.hasServed || (connection.offeredResumption && reason != .handshakeTimeout)
    }

    // MARK: One attempt

    private func run(over connection: OpenConnection) async throws {
        // On the connection's event loop calls cost least.
        try await withTaskExecutorPreference(connection.client.quic.executor) {
            try await self.exchange(over: connection)
        }
    }

    nonisolated(nonsending) private func exchange(over connection: OpenConnection) async throws {
        let isEarly = await connection.client.quic.isEarlyData
        await trace?.request(transfer.request)
        let (response, body) = try await connection.client.send(transfer.request, body: content())
        connection.noteServed()
        report.withLockedValue { $0.status = response.status.code }
        try await noteConnection(connection, isEarly: isEarly)
        await trace?.response(response)
        if plan.options.failsOnErrorStatus, response.status.code >= 400 {
            throw Failure(
                GetExitCode.errorStatus, "\(transfer.url.text): the server answered \(response.status)")
        }
        try await save(response, body)
    }

    private func content() -> HTTP3Content {
        guard let upload = plan.upload else { return .none }
        state.note {
            $0.sent = 0
            $0.toSend = upload.length
        }
        return upload.content { [state] count in state.note { $0.sent += Int64(count) } }
    }

    nonisolated(nonsending) private func noteConnection(
        _ connection: OpenConnection, isEarly: Bool
    ) async throws {
        guard plan.options.reportsJSON || trace != nil else { return }
        let facts = try await connection.facts()
        let isSafe = transfer.request.method == .get || transfer.request.method == .head
        report.withLockedValue {
            $0.connection = facts
            $0.usedEarlyData = isEarly && isSafe && facts.earlyDataAccepted
        }
        await trace?.connection(facts, to: transfer.url.hostAndPort)
    }

    nonisolated(nonsending) private func save(_ response: HTTPResponse, _ body: HTTP3Body) async throws {
        let total = await body.contentLength
        if !plan.options.isHead { state.note { $0.total = total.map { Int64($0) } } }
        let sink = try OutputSinks.open(transfer.target, plan.options)
        do {
            if plan.options.isHead { try await sink.write(ByteBuffer(string: response.headerBlock)) }
            for try await chunk in body {
                try await sink.write(chunk)
                state.note { $0.received += Int64(chunk.readableBytes) }
            }
            try sink.finish()
        } catch {
            sink.abort()
            throw error
        }
        if case .file(let path) = transfer.target { report.withLockedValue { $0.file = path } }
    }

    // MARK: Failures

    private func failure(_ error: any Error) -> Failure {
        let server = transfer.url.hostAndPort
        switch error {
        case let failure as Failure: return failure
        case is TimeIsUp: return timeIsUp
        case is CancellationError: return Failure(GetExitCode.interrupted, "interrupted")
        case HTTP3Failure.reset(_, let code) where report.withLockedValue({ $0.status }) != nil:
            let bytes = Quantities.bytes(state.current.received)
            return Failure(GetExitCode.partial, "\(server) broke the answer off after \(bytes), with \(code)")
        case let error as ReadableFile.Failure:
            return Failure(ExitCode.ioError, "\(plan.options.data ?? plan.options.upload ?? ""): \(error)")
        default:
            return NetworkFailure(server: server, connectTime: plan.options.connectTime).failure(error)
                ?? Failure(ExitCode.software, "\(server): \(error)")
        }
    }

    private var timeIsUp: Failure {
        let limit = NetworkFailure.seconds(plan.options.timeLimit ?? .zero)
        let figures = state.current
        let total = figures.total.map { " of \(Quantities.bytes($0))" } ?? ""
        let progress = figures.received > 0 ? " (\(Quantities.bytes(figures.received))\(total) came)" : ""
        return Failure(GetExitCode.timeout, "\(transfer.url.text) took longer than \(limit)\(progress)")
    }
}

extension HTTPResponse {
    /// As people know it from HTTP/1.1. Whatever would move a terminal's cursor is left out.
    var headerBlock: String {
        var text = "HTTP/3 \(status.code)\n"
        for field in headerFields {
            text += Columns.printable("\(field.name.canonicalName): \(field.value)") + "\n"
        }
        return text + "\n"
    }
}
