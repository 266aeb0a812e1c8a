import Godwit
import GodwitHTTP3
import NIOConcurrencyHelpers
import NIOCore

/// A connection and how it came about.
final class OpenConnection: Sendable {
    let client: HTTP3Client
    let origin: HTTP3Origin
    /// Whether it began with what an earlier one has left.
    let offeredResumption: Bool
    private let served = NIOLockedValueBox(false)
    private let known = NIOLockedValueBox<KnownFacts?>(nil)

    /// What was told last, and while what addresses it holds: either end may move.
    private struct KnownFacts {
        let facts: ConnectionFacts
        let local: NetworkAddress
        let remote: NetworkAddress
    }

    init(_ client: HTTP3Client, _ origin: HTTP3Origin, offeredResumption: Bool) {
        self.client = client
        self.origin = origin
        self.offeredResumption = offeredResumption
    }

    /// Whether a request was answered over it.
    var hasServed: Bool { served.withLockedValue { $0 } }

    func noteServed() { served.withLockedValue { $0 = true } }

    /// What is told of it. Waits until the handshake is complete.
    nonisolated(nonsending) func facts() async throws -> ConnectionFacts {
        let quic = client.quic
        let (local, remote) = (await quic.localAddress, await quic.remoteAddress)
        if let known = known.withLockedValue({ $0 }), known.local == local, known.remote == remote {
            return known.facts
        }
        let summary = try await quic.handshakeCompleted()
        var facts = ConnectionFacts(applicationProtocol: summary.applicationProtocol)
        facts.version = "\(await quic.version)"
        (facts.isResumed, facts.earlyDataAccepted) = (summary.isResumed, summary.earlyDataAccepted)
        (facts.cipherSuite, facts.keyExchange) = ("\(summary.cipherSuite)", "\(summary.keyExchangeGroup)")
        (facts.localAddress, facts.remoteAddress) = ("\(local)", "\(remote)")
        known.withLockedValue { $0 = KnownFacts(facts: facts, local: local, remote: remote) }
        return facts
    }
}

/// One connection to each server, opened when it is needed and shared by all requests; or one for each
/// request.
actor OriginConnections {
    private let configuration: HTTP3ClientConfiguration
    private let group: any EventLoopGroup
    private let sessions: SessionStore
    private let offersEarlyData: Bool
    /// Whether each request gets one of its own.
    private let isForOne: Bool
    private var shared: [HTTP3Origin: Task<OpenConnection, any Error>] = [:]

    init(
        _ configuration: HTTP3ClientConfiguration, _ group: any EventLoopGroup, _ sessions: SessionStore,
        offersEarlyData: Bool, isForOne: Bool
    ) {
        self.configuration = configuration
        self.group = group
        self.sessions = sessions
        self.offersEarlyData = offersEarlyData
        self.isForOne = isForOne
    }

    /// A connection to a server. When all have failed that were tried for it, it is not tried again.
    func connection(to origin: HTTP3Origin) async throws -> OpenConnection {
        if isForOne { return try await connect(to: origin) }
        if let opening = shared[origin] {
            let connection = try await wait(for: opening)
            if connection.client.isUsable { return connection }
            // Somebody else may have begun the next one meanwhile.
            if shared[origin] == opening { shared[origin] = nil }
            return try await self.connection(to: origin)
        }
        let opening = Task { try await self.connect(to: origin) }
        shared[origin] = opening
        return try await wait(for: opening)
    }

    private func wait(for opening: Task<OpenConnection, any Error>) async throws -> OpenConnection {
        try await withTaskCancellationHandler {
            try await opening.value
        } onCancel: {
            opening.cancel()
        }
    }

    private func connect(to origin: HTTP3Origin) async throws -> OpenConnection {
        let resumption = sessions.take(for: origin)
        let client = try await HTTP3Client.connect(
            to: origin.host, port: origin.port, configuration: configuration, resumption: resumption,
            offersEarlyData: offersEarlyData, eventLoopGroup: group)
        return OpenConnection(client, origin, offeredResumption: resumption != nil)
    }

    /// A request is done with a connection.
    func release(_ connection: OpenConnection) async {
        guard isForOne else { return }
        await end(connection)
    }

    /// Closes all connections, and keeps what they have to give for later ones.
    func end() async {
        for opening in shared.values {
            if let connection = try? await opening.value { await end(connection) }
        }
        shared = [:]
    }

    private func end(_ connection: OpenConnection) async {
        if connection.client.isUsable {
            await sessions.collect(from: connection.client, for: connection.origin)
        }
        await connection.client.close()
    }

    /// Gives up connections that are being opened.
    func cancel() { for opening in shared.values { opening.cancel() } }
}
