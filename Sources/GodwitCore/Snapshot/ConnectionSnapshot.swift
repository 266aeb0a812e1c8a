import GodwitCrypto
public import GodwitWire

/// A confirmed connection as plain data: everything needed to go on with it in another endpoint, or the same one.
///
/// Connections in their handshake can't be exported, because the state of TLS can't. Contexts of ciphers are made
/// anew from the secrets. A client that was imported no longer takes session tickets, for the same reason.
struct ConnectionSnapshot: Codable {
    /// Snapshots are read by the version of the library that wrote them and by no other.
    static let currentFormat = 1

    var format: Int
    var configuration: TransportConfiguration
    var identity: ConnectionIdentity
    var localParameters: TransportParameters
    var peerParameters: TransportParameters
    var keys: OneRTTKeys.State
    var failedToOpen: UInt64
    var packetNumbers: PacketNumbers
    var received: ReceivedPackets
    var crypto: CryptoStream
    var loss: LossDetection
    var streams: Streams
    var datagrams: DatagramQueue
    var localIDs: LocalConnectionIDs
    var paths: Paths
    var pending: PendingDuties
    var timers: ConnectionTimers
    var spin: SpinBit
    var events: IndexedRing<ConnectionEvent>
    var statistics: ConnectionStatistics
    var summary: HandshakeSummary?
    var migration: ConnectionMigration?
}

/// Why a connection was not exported or imported.
public enum SnapshotError: Error, Hashable, Sendable {
    /// Only confirmed connections that are not closing can be exported.
    case notConfirmed
    /// The bytes are not a snapshot, or one of another version of the library.
    case unreadable(String)
}

extension Connection {
    /// Writes the connection as bytes. It goes on as if nothing had happened; of the original and what is made of
    /// the bytes only one may send, or packet numbers are used twice.
    public func exportSnapshot() throws(SnapshotError) -> [UInt8] {
        guard lifecycle.isConfirmed, let keys = protection.oneRTT else { throw .notConfirmed }
        let snapshot = ConnectionSnapshot(
            format: ConnectionSnapshot.currentFormat, configuration: configuration, identity: identity,
            localParameters: localParameters, peerParameters: peerParameters, keys: keys.state,
            failedToOpen: protection.failedToOpen, packetNumbers: packetNumbers.application,
            received: received.application,
            crypto: crypto.application,
            loss: loss, streams: streams, datagrams: datagrams, localIDs: localIDs, paths: paths,
            pending: pending,
            timers: timers, spin: spin, events: events, statistics: statisticsSoFar, summary: summary,
            migration: migration)
        do { return try CBOREncoder.encode(snapshot) } catch { throw .unreadable("\(error)") }
    }

    static func read(_ bytes: [UInt8]) throws(SnapshotError) -> ConnectionSnapshot {
        do {
            let snapshot = try CBORDecoder.decode(ConnectionSnapshot.self, from: bytes)
            guard snapshot.format == ConnectionSnapshot.currentFormat else {
                throw SnapshotError.unreadable("format \(snapshot.format)")
            }
            return snapshot
        } catch let error as SnapshotError {
            throw error
        } catch {
            throw .unreadable("\(error)")
        }
    }

    convenience init(
        _ snapshot: ConnectionSnapshot, environment: EndpointEnvironment, handle: ConnectionHandle
    ) {
        self.init(
            environment: environment, handle: handle, configuration: snapshot.configuration,
            identity: snapshot.identity, localParameters: snapshot.localParameters,
            localIDs: snapshot.localIDs,
            paths: snapshot.paths, now: snapshot.timers.lastActivity)
        restore(snapshot)
    }

    private func restore(_ snapshot: ConnectionSnapshot) {
        lifecycle = .confirmed
        peerParameters = snapshot.peerParameters
        hasPeerParameters = true
        protection = PacketProtection(
            oneRTT: OneRTTKeys(state: snapshot.keys), failedToOpen: snapshot.failedToOpen)
        packetNumbers.application = snapshot.packetNumbers
        received.application = snapshot.received
        crypto.application = snapshot.crypto
        loss = snapshot.loss
        streams = snapshot.streams
        datagrams = snapshot.datagrams
        pending = snapshot.pending
        timers = snapshot.timers
        spin = snapshot.spin
        events = snapshot.events
        statisticsSoFar = snapshot.statistics
        summary = snapshot.summary
        migration = snapshot.migration
    }
}

extension Endpoint {
    /// Takes in a connection that ``Connection/exportSnapshot()`` wrote, at this endpoint or another one with the
    /// same keys.
    public func importConnection(_ bytes: [UInt8], now: Instant) throws(SnapshotError) -> ConnectionHandle {
        let snapshot = try Connection.read(bytes)
        let connection = table.insert { Connection(snapshot, environment: environment, handle: $0) }!
        connection.openLog(now: now)
        adopt(connection, now: now)
        return connection.handle
    }

    /// Replaces a connection by what its own bytes make of it; for tests that nothing was forgotten.
    package func rewrite(_ handle: ConnectionHandle, now: Instant) throws(SnapshotError) {
        guard let original = table[handle] else { return }
        settle(now: now)
        let snapshot = try Connection.read(try original.exportSnapshot())
        let copy = Connection(snapshot, environment: environment, handle: handle)
        copy.isQueuedToSend = original.isQueuedToSend
        copy.isQueuedToTell = original.isQueuedToTell
        copy.qlog = original.qlog
        table.replace(handle, by: copy)
    }

    private func adopt(_ connection: Connection, now: Instant) {
        for id in connection.localIDs.live { table.register(id, for: connection.handle) }
        for token in connection.paths.remoteIDs.knownTokens { table.register(token, for: connection.handle) }
        connection.wake()
        settle(now: now)
    }
}
