public import GodwitCore
public import GodwitWire
import NIOCore
import Synchronization

/// A stream of a QUIC connection: bytes in order, one way or both (RFC 9000 section 2).
///
/// One task may read while another writes. Either direction ends by itself: ``finish()`` ends what is written
/// and leaves reading as it is.
///
/// ```swift
/// let stream = try await connection.openStream()
/// try await stream.write(Array("ping".utf8), finish: true)
/// for try await chunk in stream { print(chunk.readableBytes) }
/// ```
///
/// Cancelling a task that reads tells the peer to send no more (STOP_SENDING), and cancelling one that writes
/// resets the stream (RESET_STREAM), both with the configuration's `cancellationCode`. The same happens to
/// whatever is unfinished when the last reference to the stream goes.
///
/// Calls cost least from tasks on the connection's ``QUICConnection/executor``; from elsewhere each hops over
/// and back.
public final class QUICStream: Sendable {
    let driver: StreamDriver
    /// Keeps the connection open as long as one of its streams is in use.
    let connection: QUICConnection

    init(_ driver: StreamDriver, of connection: QUICConnection) {
        self.driver = driver
        self.connection = connection
    }

    deinit {
        let driver = driver
        guard !driver.connection.isOver.load(ordering: .relaxed) else { return }
        driver.driver.execute { driver.abandon() }
    }

    /// The stream's id, which says who opened it and which ways it goes.
    public var id: StreamID { driver.id }

    /// Whether the stream was opened before the handshake was complete. At a server that is early data
    /// (0-RTT), which an attacker may have recorded and sent again (RFC 9001 section 9.2).
    public var isEarlyData: Bool { driver.isEarly }

    // MARK: Ending

    /// Ends what is written; everything before is still delivered. Does nothing if it has ended already.
    ///
    /// - Throws: ``QUICError`` if the peer stopped the stream or the connection is over.
    nonisolated(nonsending) public func finish() async throws {
        try await onLoop { driver in
            if case .finished? = driver.sendingEnd { return }
            _ = try driver.write(UnsafeRawBufferPointer(start: nil, count: 0), fin: true)
        }
    }

    /// Ends what is written at once (RESET_STREAM): what the peer did not get yet is not delivered.
    ///
    /// - Parameter code: tells the peer's application why; one of the application protocol's, below 2^62.
    nonisolated(nonsending) public func reset(code: UInt64) async {
        await onLoop { $0.reset(code: code) }
    }

    /// Gives up reading and asks the peer to send no more (STOP_SENDING).
    ///
    /// - Parameter code: tells the peer's application why; one of the application protocol's, below 2^62.
    nonisolated(nonsending) public func stopSending(code: UInt64) async {
        await onLoop { $0.stop(code: code) }
    }

    /// Says how urgent the stream is compared with the connection's others.
    nonisolated(nonsending) public func setPriority(_ priority: StreamPriority) async {
        await onLoop { driver in
            // A stream that is over competes with none.
            try? driver.connection.core.setPriority(priority, of: driver.id)
            driver.connection.loop.markBusy()
        }
    }

    /// Waits until the peer has acknowledged everything that was written, the end of the stream included.
    /// What its application has read is another matter.
    ///
    /// - Throws: ``QUICError`` if that can't come about any more, `CancellationError` when cancelled.
    nonisolated(nonsending) public func waitUntilDelivered() async throws {
        let driver = driver
        guard driver.driver.isCurrent else {
            return try await driver.driver.run { try await self.waitUntilDelivered() }
        }
        while try !driver.hasDelivered() {
            try Task.checkCancellation()
            await driver.driver.suspend({ driver.deliveryWaiters.append($0) }) {
                driver.deliveryWaiters.wakeAll()
            }
            guard driver.driver.isCurrent else { return try await waitUntilDelivered() }
        }
    }

    // MARK: On the loop

    nonisolated(nonsending) private func onLoop<Result: Sendable>(
        _ body: @Sendable (StreamDriver) throws -> Result
    ) async throws -> Result {
        if driver.driver.isCurrent { return try body(driver) }
        return try await driver.driver.run { try body(self.driver) }
    }

    nonisolated(nonsending) private func onLoop(_ body: @Sendable (StreamDriver) -> Void) async {
        if driver.driver.isCurrent { return body(driver) }
        await driver.driver.run { body(self.driver) }
    }
}
