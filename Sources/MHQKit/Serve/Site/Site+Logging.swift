import GodwitHTTP3
import HTTPTypes

extension Site {
    /// Answers a request and logs what became of it.
    ///
    /// - Parameter version: the application protocol, by its ALPN name.
    nonisolated(nonsending) func answer(
        _ exchange: some WebExchange, loggingTo log: AccessLog, remote: String, version: String,
        isEarlyData: Bool = false
    ) async throws {
        var entry = AccessLogEntry(exchange.request)
        (entry.remote, entry.version, entry.isEarlyData) = (remote, version, isEarlyData)
        let start = ContinuousClock.now
        do {
            try await answer(exchange)
            entry.end(exchange.tally, after: .now - start)
            log.write(entry.json)
        } catch {
            entry.end(exchange.tally, after: .now - start)
            entry.note(error)
            log.write(entry.json)
            throw error
        }
    }
}

extension AccessLogEntry {
    fileprivate init(_ request: HTTPRequest) {
        time = WallClock.milliseconds
        method = request.method.rawValue
        authority = request.authority
        path = request.path ?? ""
        userAgent = request.headerFields[.userAgent]
        referrer = request.headerFields[.referer]
    }

    fileprivate mutating func end(_ tally: ExchangeTally, after duration: Duration) {
        status = tally.status
        bytesSent = tally.bytesSent
        bytesReceived = tally.bytesReceived
        self.duration = duration
    }

    /// What was begun is broken off. Otherwise the library answers, unless the client has gone.
    fileprivate mutating func note(_ error: any Error) {
        guard status == nil else {
            isAborted = true
            return
        }
        switch error {
        case HTTP3Failure.contentTooLarge: status = 413
        case HTTP3Failure.timedOut(.content): status = 408
        case is CancellationError, is HTTP3Failure: isAborted = true
        default: status = 500
        }
    }
}
