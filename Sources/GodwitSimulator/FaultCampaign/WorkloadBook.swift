import GodwitWire

/// What the two ends of a run's connections have agreed on beforehand, and how far each has come.
///
/// Streams carry nothing but the bytes of a ``PayloadPattern``, so what a request asks for stands here.
final class WorkloadBook {
    private struct Request: Hashable {
        var connection: UInt64
        var stream: StreamID
    }

    let payload: PayloadChecker
    let agreement: AgreementChecker
    private var responses: [Request: UInt64] = [:]
    private var closeCodes: [UInt64: UInt64] = [:]
    private var confirmed: Set<UInt64> = []
    private var announced: [UInt64: [(direction: StreamDirection, size: UInt64)]] = [:]

    init(payload: PayloadChecker, agreement: AgreementChecker) {
        self.payload = payload
        self.agreement = agreement
    }

    /// Announces what a client is about to send, and what it is to get for it.
    func announce(_ stream: StreamID, of connection: UInt64, size: UInt64, response: UInt64?) {
        let upwards = StreamDirection(connection: connection, stream: stream.rawValue, sender: .client)
        expect(upwards, size: size)
        guard let response else { return }
        responses[Request(connection: connection, stream: stream)] = response
        let downwards = StreamDirection(connection: connection, stream: stream.rawValue, sender: .server)
        expect(downwards, size: response)
    }

    private func expect(_ direction: StreamDirection, size: UInt64) {
        if confirmed.contains(direction.connection) {
            payload.expect(direction, size: size)
        } else {
            announced[direction.connection, default: []].append((direction, size))
        }
    }

    /// From now on the connection has to last, and everything announced on it to arrive.
    func confirm(_ connection: UInt64) {
        confirmed.insert(connection)
        agreement.expect(connection: connection)
        for (direction, size) in announced.removeValue(forKey: connection) ?? [] {
            payload.expect(direction, size: size)
        }
    }

    func isConfirmed(_ connection: UInt64) -> Bool { confirmed.contains(connection) }

    func response(to stream: StreamID, of connection: UInt64) -> UInt64 {
        responses[Request(connection: connection, stream: stream)] ?? 0
    }

    // MARK: Ends

    func noteClosed(_ connection: UInt64, code: UInt64) { closeCodes[connection] = code }

    /// The code that the client closed with, which may never have reached the server (RFC 9000 section
    /// 10.2.1).
    func closeCode(of connection: UInt64) -> UInt64? { closeCodes[connection] }
}
