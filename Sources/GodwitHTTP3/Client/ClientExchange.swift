import Godwit
import GodwitHTTP3Core
import GodwitWire
import HTTPTypes
import NIOCore

/// A request that a client has sent.
final class ClientExchange: Exchange, @unchecked Sendable {
    let client: ClientConnection
    /// Whether the request went out in early data.
    let isEarly: Bool
    var onInformational: (@Sendable (HTTPResponse) -> Void)?
    var answer: HTTPResponse?
    /// What the request's content has thrown.
    var contentError: (any Error)?
    /// Sends the request's content.
    var uploader: Task<Void, Never>?

    init(_ id: StreamID, of client: ClientConnection, limits: HTTP3ClientLimits) {
        self.client = client
        isEarly = !client.port.isHandshakeComplete
        super.init(
            id, of: client, contentIdleTime: limits.contentIdleTime.map { TimeSpan($0) },
            sendingIdleTime: limits.sendingIdleTime.map { TimeSpan($0) })
    }

    /// Waits for the head of the final response.
    nonisolated(nonsending) func response() async throws -> HTTPResponse {
        while port.isCurrent {
            if let answer { return answer }
            if let contentError { throw contentError }
            if let failure = inbound.failure { throw failure }
            if Task.isCancelled { throw giveUp() }
            await port.suspend({ inbound.readers.append($0) }) { [self] in inbound.readers.wakeAll() }
        }
        return try await port.run { try await self.response() }
    }

    private func giveUp() -> CancellationError {
        client.cancel(self, .cancelled(stream: id))
        return CancellationError()
    }

    // MARK: The request's content

    /// Has content sent that is written piece by piece.
    func upload(_ write: @escaping @Sendable (HTTP3BodyWriter) async throws -> Void) {
        uploader = Task(executorPreference: port.executor) {
            do {
                try await write(HTTP3BodyWriter(exchange: self))
                await self.onLoop { self.uploaded() }
            } catch {
                await self.onLoop { self.uploadFailed(error) }
            }
        }
    }

    private func uploaded() {
        guard case .content = outbound.state else { return }
        do { try end() } catch { uploadFailed(error) }
    }

    private func uploadFailed(_ error: any Error) {
        // A server may want no more of the request and answer all the same (RFC 9114 section 4.1).
        guard outbound.failure == nil else { return }
        contentError = error
        client.cancel(self, .cancelled(stream: id))
    }
}
