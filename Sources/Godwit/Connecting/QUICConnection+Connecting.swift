public import NIOCore
public import NIOPosix

extension QUICConnection {
    /// Connects to a server. The name's addresses are tried in turn, each a quarter of a second after the one
    /// before, and the first that completes a handshake wins (RFC 8305).
    ///
    /// - Parameters:
    ///   - host: a host name, or an IP address without brackets. The server's certificate has to be for it.
    ///   - port: the server's UDP port.
    ///   - configuration: what to offer, whom to trust, and the limits.
    ///   - resumption: what an earlier connection to the server has left.
    ///   - offersEarlyData: whether to return before the handshake, so that what is written goes out at once
    ///     as early data (0-RTT). It can be replayed by whoever records it, so it must ask for nothing that
    ///     does harm when done twice (RFC 9001 section 9.2). Only one address is tried then, the one that
    ///     worked last if it still is among the name's. Without a ticket that allows early data this changes
    ///     nothing.
    ///   - eventLoopGroup: where the connection lives.
    /// - Returns: the connection, its handshake complete, or under way when early data is sent.
    /// - Throws: ``QUICError/nameNotFound(host:reason:)``, ``QUICError/connectFailed(host:attempts:)``,
    ///   ``QUICError/socket(_:)``, or `CancellationError` when cancelled, which ends all attempts.
    public static func connect(
        to host: String, port: UInt16, configuration: QUICClientConfiguration,
        resumption: QUICResumption? = nil,
        offersEarlyData: Bool = false,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> QUICConnection {
        let attempt = try await ConnectionAttempt(
            host, port, configuration, resumption, offersEarlyData, on: eventLoopGroup.next())
        return try await attempt.driver.run { try await attempt.run() }
    }

    /// Connects to a server, uses the connection, and closes it.
    ///
    /// What `body` does runs on the connection's event loop, where calls cost least; it must not block there.
    /// Early data that it writes before it waits for anything goes out with the first datagrams. When it
    /// returns the connection is closed, as soon as what was finished is delivered; when it throws, at once.
    ///
    /// - Parameters: as ``connect(to:port:configuration:resumption:offersEarlyData:eventLoopGroup:)``.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, or what connecting does.
    public static func connect<Result: Sendable>(
        to host: String, port: UInt16, configuration: QUICClientConfiguration,
        resumption: QUICResumption? = nil,
        offersEarlyData: Bool = false,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        _ body: @Sendable (QUICConnection) async throws -> Result
    ) async throws -> Result {
        let attempt = try await ConnectionAttempt(
            host, port, configuration, resumption, offersEarlyData, on: eventLoopGroup.next())
        return try await attempt.driver.run {
            let connection = try await attempt.run()
            do {
                let result = try await body(connection)
                await connection.closeWhenDelivered(code: configuration.cancellationCode)
                return result
            } catch {
                await connection.close(code: configuration.cancellationCode)
                throw error
            }
        }
    }
}
