import Godwit
import GodwitHTTP3Core
public import HTTPTypes
public import NIOCore

/// The content of a message that comes in, in pieces as they come.
///
/// Nothing is read from the connection before somebody asks for it here, so that a peer that sends faster
/// than the content is used has to wait (but for the first 4 KB, which may come with the header section).
///
/// One task at a time may read it. A client that lets go of a response's body before its end gives up the
/// request (H3_REQUEST_CANCELLED); a server may leave a request's body unread.
public struct HTTP3Body: AsyncSequence, Sendable {
    /// A piece of the content, never empty.
    public typealias Element = ByteBuffer
    /// ``HTTP3Failure``, or `CancellationError`.
    public typealias Failure = any Error

    let exchange: Exchange
    /// Gives up a client's request when nobody has the body any more.
    let keeper: BodyKeeper?

    init(_ exchange: Exchange, keeper: BodyKeeper? = nil) {
        self.exchange = exchange
        self.keeper = keeper
    }

    /// Takes one piece after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let body: HTTP3Body

        /// The next piece; nil at the end.
        ///
        /// - Throws: ``HTTP3Failure`` when the message does not arrive whole, `CancellationError` when the
        ///   task is cancelled.
        public mutating func next() async throws -> ByteBuffer? { try await next(isolation: nil) }

        /// The next piece; nil at the end.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> ByteBuffer? { try await body.exchange.nextChunk() }
    }

    /// Iterators share the body: a piece goes to one of them.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }

    /// Reads to the end.
    ///
    /// - Parameter limit: how many bytes to take at most.
    /// - Throws: ``HTTP3Failure/contentTooLarge(limit:)`` when there are more; else as the iterator.
    nonisolated(nonsending) public func collect(upTo limit: Int) async throws -> ByteBuffer {
        try await exchange.collect(upTo: limit)
    }

    /// How many bytes there are in all, if the peer has said so (Content-Length). A peer that sends more or
    /// fewer makes the message malformed (RFC 9114 section 4.1.2).
    nonisolated(nonsending) public var contentLength: Int? {
        get async { await exchange.onLoop { exchange.inbound.contentLength } }
    }

    /// The trailer section; nil until the content was read to its end, and if there is none.
    nonisolated(nonsending) public var trailers: HTTPFields? {
        get async {
            await exchange.onLoop { exchange.inbound.isReadToTheEnd ? exchange.inbound.trailers : nil }
        }
    }
}

/// Gives up a client's request when the last reference to its body goes.
final class BodyKeeper: Sendable {
    private let exchange: Exchange

    init(_ exchange: Exchange) { self.exchange = exchange }

    deinit {
        let exchange = exchange
        if !exchange.port.isOver { exchange.port.execute { exchange.driver.bodyDropped(exchange) } }
    }
}
