public import GodwitCore
public import GodwitCrypto
public import GodwitWire
package import NIOCore
import Synchronization

/// A connection between a client and a server, with streams and datagrams on it.
///
/// A client makes one with ``connect(to:port:configuration:resumption:offersEarlyData:eventLoopGroup:)``, a
/// server gets them from ``QUICListener/connections`` or ``QUICListener/run(_:)``.
///
/// A connection lives on one event loop. Tasks that run there, on its ``executor``, call it without changing
/// threads; ``QUICListener/run(_:)`` and the closure form of `connect` start them there. Calls from elsewhere
/// work as well and hop over and back.
///
/// When the last reference to a connection and to its streams is gone, it is closed with the configuration's
/// `cancellationCode`, as soon as what was finished has been delivered.
public final class QUICConnection: Sendable {
    let driver: ConnectionDriver

    init(_ driver: ConnectionDriver) { self.driver = driver }

    deinit {
        let driver = driver
        guard !driver.isOver.load(ordering: .relaxed) else { return }
        driver.driver.execute { driver.abandon() }
    }

    /// Runs tasks on the connection's event loop, where using the connection costs least. A task there must
    /// not block: every connection of the loop would wait for it.
    public var executor: any TaskExecutor { driver.driver }

    /// The ``executor`` of connections that an event loop has, or will have.
    package static func executor(on eventLoop: any EventLoop) -> any TaskExecutor {
        LoopDriver.of(eventLoop)
    }

    // MARK: Handshake

    /// Waits until the handshake is complete and tells what came of it: the application protocol,
    /// certificates, whether early data was taken.
    ///
    /// Until then what is read at a server, and written at a client, is early data (0-RTT), which may be
    /// replayed.
    ///
    /// - Throws: ``QUICError/connectionClosed(_:)`` if the handshake fails, `CancellationError` when
    ///   cancelled.
    @discardableResult
    nonisolated(nonsending) public func handshakeCompleted() async throws -> HandshakeSummary {
        let driver = driver
        while driver.driver.isCurrent {
            if let summary = driver.summary { return summary }
            try driver.checkOpen()
            try Task.checkCancellation()
            await driver.driver.suspend({ driver.handshakeWaiters.append($0) }) {
                driver.handshakeWaiters.wakeAll()
            }
        }
        return try await driver.driver.run { try await self.handshakeCompleted() }
    }

    /// Waits until the handshake is confirmed (RFC 9001 section 4.1.2): both ends know that it is complete,
    /// and from now on a client may move.
    ///
    /// - Throws: as ``handshakeCompleted()``.
    nonisolated(nonsending) public func handshakeConfirmed() async throws {
        let driver = driver
        while driver.driver.isCurrent {
            if driver.core.isConfirmed { return }
            try driver.checkOpen()
            try Task.checkCancellation()
            await driver.driver.suspend({ driver.handshakeWaiters.append($0) }) {
                driver.handshakeWaiters.wakeAll()
            }
        }
        try await driver.driver.run { try await self.handshakeConfirmed() }
    }

    /// Whether the handshake is still under way, so that what is sent and received now is early data (0-RTT).
    nonisolated(nonsending) public var isEarlyData: Bool {
        get async { await driver.onLoop { !$0.isHandshakeComplete } }
    }

    /// The application protocol that was agreed on (ALPN); nil until the handshake is complete.
    nonisolated(nonsending) public var applicationProtocol: String? {
        get async { await driver.onLoop { $0.core.applicationProtocol } }
    }

    /// The version of QUIC in use.
    nonisolated(nonsending) public var version: QUICVersion {
        get async { await driver.onLoop { $0.core.version } }
    }

    // MARK: Addresses

    /// Our end of the path in use; of a client it is unspecified while the system chooses.
    nonisolated(nonsending) public var localAddress: NetworkAddress {
        get async { await driver.onLoop { $0.core.localAddress } }
    }

    /// The peer's end of the path in use. It changes when the peer moves (RFC 9000 section 9).
    nonisolated(nonsending) public var remoteAddress: NetworkAddress {
        get async { await driver.onLoop { $0.core.remoteAddress } }
    }

    // MARK: State

    /// How the connection has fared so far.
    nonisolated(nonsending) public var statistics: ConnectionStatistics {
        get async { await driver.onLoop { $0.core.statistics } }
    }

    /// Why the connection ended; waits until it has.
    ///
    /// - Throws: `CancellationError` when the waiting task is cancelled, which does nothing to the
    ///   connection.
    nonisolated(nonsending) public var closed: ConnectionCloseReason {
        get async throws { try await waitUntilClosed() }
    }

    nonisolated(nonsending) private func waitUntilClosed() async throws -> ConnectionCloseReason {
        let driver = driver
        while driver.driver.isCurrent {
            if let reason = driver.closeReason { return reason }
            try Task.checkCancellation()
            await driver.driver.suspend({ driver.closeWaiters.append($0) }) { driver.closeWaiters.wakeAll() }
        }
        return try await driver.driver.run { try await self.waitUntilClosed() }
    }

    // MARK: Keys

    /// Has the keys of the connection replaced as soon as the protocol allows (RFC 9001 section 6). They are
    /// replaced by themselves long before they wear out.
    nonisolated(nonsending) public func updateKeys() async {
        await driver.onLoop { driver in
            driver.core.updateKeys()
            driver.loop.markBusy()
        }
    }

    // MARK: Ending

    /// Closes the connection at once. Streams end where they are; to let what was finished arrive first, use
    /// ``closeWhenDelivered(code:reason:)``.
    ///
    /// The peer has been told when the call returns, as far as one datagram can do that.
    ///
    /// - Parameters:
    ///   - code: tells the peer's application why; one of the application protocol's, below 2^62.
    ///   - reason: for people; cut off if it does not fit a packet.
    nonisolated(nonsending) public func close(code: UInt64 = 0, reason: String = "") async {
        guard !driver.isOver.load(ordering: .relaxed) else { return }
        await driver.onLoop { $0.close(code: code, reason: reason) }
    }

    /// Waits until the peer has acknowledged every stream that was finished, then closes the connection.
    ///
    /// When the task is cancelled it closes at once.
    nonisolated(nonsending) public func closeWhenDelivered(code: UInt64 = 0, reason: String = "") async {
        let driver = driver
        while driver.driver.isCurrent {
            guard driver.awaitedDeliveries > 0, driver.closeReason == nil, !Task.isCancelled else {
                return driver.close(code: code, reason: reason)
            }
            await driver.driver.suspend({ driver.deliveryWaiters.append($0) }) {
                driver.deliveryWaiters.wakeAll()
            }
        }
        await driver.driver.run { await self.closeWhenDelivered(code: code, reason: reason) }
    }
}

extension ConnectionDriver {
    func checkOpen() throws {
        if let closeReason { throw QUICError.connectionClosed(closeReason) }
    }

    /// Does something on the event loop that does not have to wait.
    nonisolated(nonsending) func onLoop<Result: Sendable>(
        _ body: @Sendable (ConnectionDriver) -> Result
    ) async -> Result {
        if driver.isCurrent { return body(self) }
        return await driver.run { body(self) }
    }
}
