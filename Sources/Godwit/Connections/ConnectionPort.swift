package import GodwitCore
import GodwitCrypto
package import GodwitWire
package import NIOCore
import Synchronization

/// What a ``ConnectionHandler`` works a connection with: the core's calls, without tasks and without an
/// object for each stream.
///
/// All of it is to be called on the connection's event loop, except where another thread is mentioned.
package struct ConnectionPort: Sendable {
    private let driver: ConnectionDriver

    /// The port of a connection. May be made on any thread.
    package init(_ connection: QUICConnection) { driver = connection.driver }

    /// Gives the connection to a handler for good, and tells it at once what has happened so far. Streams
    /// that the connection's other interfaces have opened or taken are not its business.
    package func install(_ handler: any ConnectionHandler) { driver.install(handler) }

    // MARK: State

    /// Whether the caller is on the connection's event loop.
    package var isCurrent: Bool { driver.driver.isCurrent }
    /// The endpoint's time, which stands still while the process is held.
    package var now: Instant { driver.loop.now() }
    /// Which side of the connection this is. May be asked on any thread.
    package var role: Role { driver.role }
    /// Whether what is sent and received now is no early data.
    package var isHandshakeComplete: Bool { driver.isHandshakeComplete }
    /// Whether the connection has ended. May be asked on any thread, also when the event loop is gone.
    package var isOver: Bool { driver.isOver.load(ordering: .relaxed) }
    /// Why the connection ended; nil while it has not.
    package var closeReason: ConnectionCloseReason? { driver.closeReason }
    /// The connection id that the client chose first.
    package var originalDestinationID: ConnectionID { driver.core.originalDestinationID }
    /// The peer's end of the path in use.
    package var remoteAddress: NetworkAddress { driver.core.remoteAddress }
    /// The smoothed round-trip time.
    package var roundTripTime: Duration { driver.core.statistics.smoothedRTT }

    // MARK: Streams

    /// Opens a stream; nil while the peer allows no more of them.
    package func openStream(_ direction: StreamID.Direction) -> StreamID? {
        driver.loop.markBusy()
        return driver.core.openStream(direction)
    }

    /// Writes bytes, and with `fin` the end of the stream if all of them are taken.
    ///
    /// - Returns: how many bytes were taken; less than all when the stream's buffer is full.
    package func write(
        _ bytes: UnsafeRawBufferPointer, to id: StreamID, fin: Bool
    ) throws(StreamError) -> Int {
        driver.loop.markBusy()
        return try driver.core.write(bytes, to: id, fin: fin)
    }

    /// Shows what has come on a stream to `body`, which returns how many bytes it consumes. The view need not
    /// hold all that can be read. `body` is not called when there is nothing to read, and must not call the
    /// port.
    package func read(
        from id: StreamID, _ body: (UnsafeRawBufferPointer) -> Int
    ) throws(StreamError) -> StreamReadResult {
        driver.loop.markBusy()
        return try driver.core.read(from: id, now: driver.loop.now(), body)
    }

    /// Resets our side of a stream; does nothing to one that is over.
    package func reset(_ id: StreamID, code: UInt64) {
        driver.loop.markBusy()
        try? driver.core.reset(id, code: code)
    }

    /// Asks the peer to send no more on a stream; does nothing to one that is over.
    package func stopSending(_ id: StreamID, code: UInt64) {
        driver.loop.markBusy()
        try? driver.core.stopSending(id, code: code)
    }

    /// Says how urgent a stream is; does nothing to one that is over.
    package func setPriority(_ priority: StreamPriority, of id: StreamID) {
        driver.loop.markBusy()
        try? driver.core.setPriority(priority, of: id)
    }

    // MARK: Datagrams

    /// How large a datagram may be now, in bytes; nil if the peer takes none.
    package var maxDatagramSize: Int? { driver.core.maxDatagramSize }

    /// Queues a datagram. Returns false if it was dropped because too many wait.
    package func sendDatagram(_ bytes: ByteBuffer) throws -> Bool { try driver.sendDatagram(bytes) }

    /// The oldest datagram that was not read.
    package func readDatagram() -> [UInt8]? { driver.core.readDatagram() }

    // MARK: The connection

    /// The oldest thing to resume with that was not taken, with the newest address token.
    package func takeResumption() -> QUICResumption? {
        guard var resumption = driver.takeResumption() else { return nil }
        resumption.addressToken = driver.addressToken
        return resumption
    }

    /// Keeps the connection from ending for want of traffic, or no longer.
    package func keepAlive(_ isWanted: Bool) {
        driver.loop.markBusy()
        driver.core.keepAlive(isWanted)
    }

    /// Closes the connection; the peer is told at the end of the turn, or by ``flush()``.
    package func close(code: UInt64, reason: String) {
        guard driver.closeReason == nil else { return }
        driver.core.close(code: code, reason: reason, now: driver.loop.now())
        driver.loop.markBusy()
    }

    /// Sends what there is to send before it returns. Not for a ``ConnectionHandler`` that is being told
    /// something.
    package func flush() { driver.loop.flush() }

    // MARK: The event loop

    /// Runs tasks on the event loop. May be asked on any thread.
    package var executor: any TaskExecutor { driver.driver }

    /// The event loop itself. May be asked on any thread.
    package var eventLoop: any EventLoop { driver.driver.eventLoop }

    /// Does something on the loop: at once if the caller is there, soon if not. May be called on any thread.
    package func execute(_ body: @escaping @Sendable () -> Void) { driver.driver.execute(body) }

    /// Does something on the loop, from any thread.
    nonisolated(nonsending) package func run<Result: Sendable>(
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result { try await driver.driver.run(body) }

    /// Does something on the loop, from any thread.
    nonisolated(nonsending) package func run<Result: Sendable>(
        _ body: @Sendable () async -> Result
    ) async -> Result { await driver.driver.run(body) }

    /// Suspends a task that is on the loop until it is woken; as `LoopDriver.suspend`.
    nonisolated(nonsending) package func suspend(
        _ enlist: (UnsafeContinuation<Void, Never>) -> Void, wake: @escaping @Sendable () -> Void
    ) async { await driver.driver.suspend(enlist, wake: wake) }
}
