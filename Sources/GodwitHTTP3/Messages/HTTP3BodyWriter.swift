import Godwit
public import HTTPTypes
public import NIOCore

/// Sends the content of a message, piece by piece.
///
/// Writing waits while the transport has more than it can send: so whoever produces content goes as fast as
/// the peer takes it.
///
/// The answer to HEAD has no content: what is written there is left out. A response with status 204 or 304
/// has none either, and to write some is an error.
public struct HTTP3BodyWriter: Sendable {
    let exchange: Exchange

    /// Sends a piece of content.
    ///
    /// - Throws: ``HTTP3Failure``: the peer stopped the stream or does not take more, the message has ended,
    ///   there is more content than its Content-Length said, or the connection is over. `CancellationError`
    ///   when the task is cancelled.
    nonisolated(nonsending) public func write(_ content: ByteBuffer) async throws {
        try await exchange.write(content, fin: false)
    }

    /// Sends a piece of content; as ``write(_:)-(ByteBuffer)``.
    nonisolated(nonsending) public func write(_ content: some Collection<UInt8> & Sendable) async throws {
        try await exchange.write(ByteBuffer(bytes: content), fin: false)
    }

    /// Ends the message. To end it is also what tells the peer that it is whole.
    ///
    /// - Parameter trailers: fields behind the content; nil for none.
    /// - Throws: as ``write(_:)-(ByteBuffer)``.
    nonisolated(nonsending) public func finish(trailers: HTTPFields? = nil) async throws {
        if let trailers, !trailers.isEmpty { return try await exchange.finish(trailers) }
        try await exchange.write(ByteBuffer(), fin: true)
    }

    /// Sends the last piece of content and ends the message.
    nonisolated(nonsending) public func finish(_ content: ByteBuffer) async throws {
        try await exchange.write(content, fin: true)
    }
}
