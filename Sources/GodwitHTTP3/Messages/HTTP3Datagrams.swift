import Godwit
import GodwitHTTP3Core
public import NIOCore

/// The datagrams of a request (RFC 9297): unreliable, in no order, dropped when they are not taken soon
/// enough.
///
/// Both sides have to allow them, and the request has to be of a kind that uses them, such as an extended
/// CONNECT.
public struct HTTP3Datagrams: AsyncSequence, Sendable {
    /// The payload of a datagram.
    public typealias Element = ByteBuffer
    /// It never fails; it ends with the request.
    public typealias Failure = Never

    let exchange: Exchange

    /// Takes one datagram after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let exchange: Exchange

        /// The next datagram; nil when the request is over or the task cancelled.
        public mutating func next() async -> ByteBuffer? { await next(isolation: nil) }

        /// The next datagram; nil when the request is over or the task cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(Never) -> ByteBuffer? {
            await exchange.nextDatagram()
        }
    }

    /// Iterators share the datagrams: each goes to one of them.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(exchange: exchange) }

    /// Sends a datagram, once: nobody sends it again if it is lost.
    ///
    /// - Returns: false if it was dropped at once because too many wait to be sent.
    /// - Throws: ``HTTP3Failure/notSent(_:)`` if the peer takes none, `QUICError.datagramTooLarge`.
    @discardableResult
    nonisolated(nonsending) public func send(_ payload: ByteBuffer) async throws -> Bool {
        try await exchange.onLoop { try exchange.sendDatagram(payload) }
    }

    /// How large a datagram may be now, in bytes; nil if the peer takes none. It changes with the path.
    nonisolated(nonsending) public var maximumSize: Int? {
        get async { await exchange.onLoop { exchange.largestDatagram } }
    }
}

extension Exchange {
    fileprivate func sendDatagram(_ payload: ByteBuffer) throws -> Bool {
        var bytes: [UInt8] = []
        do { try driver.machine.beginDatagram(on: id, into: &bytes) } catch {
            throw HTTP3Failure.notSent(error)
        }
        var datagram = ByteBuffer(bytes: bytes)
        datagram.writeImmutableBuffer(payload)
        return try port.sendDatagram(datagram)
    }

    fileprivate var largestDatagram: Int? {
        var bytes: [UInt8] = []
        guard (try? driver.machine.beginDatagram(on: id, into: &bytes)) != nil else { return nil }
        return port.maxDatagramSize.map { $0 - bytes.count }
    }
}
