import GodwitCrypto
import GodwitWire

/// Makes the connection ids of an endpoint and their stateless reset tokens.
///
/// An id says, under a key that servers may share, which server and which of its event loops made it and
/// when. The time lets a restarted server that shares its reset secret stay silent about ids of before its
/// start: the connection may live on elsewhere (RFC 9000 section 21.11).
struct ConnectionIDGenerator {
    /// A server id of 2 bytes, a shard of 2, and a nonce of 8: seconds since 1970 (4 bytes), count (4 bytes).
    static let format = ConnectionIDFormat(length: 13, serverIDLength: 2)!

    private let cipher: ConnectionIDCipher
    private let resetKey: StatelessResetKey
    private let serverID: UInt16
    private let shard: UInt16
    private var count: UInt32?

    init(key: SharedKey, resetKey: SharedKey, serverID: UInt16, shard: UInt16) {
        cipher = ConnectionIDCipher(key, format: Self.format)
        self.resetKey = StatelessResetKey(resetKey)
        self.serverID = serverID
        self.shard = shard
    }

    var length: Int { Self.format.length }

    /// Ids differ by their count within a second, so that none serves two connections (RFC 9000 section
    /// 10.3.2). It starts anywhere: a process before this one may have made ids in the same second.
    mutating func make(unixTime: Int64, using random: inout RandomGenerator) -> ConnectionID {
        let time = UInt64(UInt32(truncatingIfNeeded: unixTime))
        count = (count ?? UInt32(truncatingIfNeeded: random.next())) &+ 1
        let nonce = time << 32 | UInt64(count!)
        return cipher.encode(ConnectionIDContents(serverID: UInt64(serverID), shard: shard, nonce: nonce))
    }

    /// Starts counting elsewhere: a copy of this process may go on counting where it stood.
    mutating func restart() { count = nil }

    func resetToken(for id: ConnectionID) -> StatelessResetToken { resetKey.token(for: id) }

    /// The event loop that made the id, as far as that can be told.
    func shard(of id: ConnectionID) -> UInt16? { cipher.decode(id)?.shard }

    /// Whether this server made the id; what others made may be alive with them.
    func isOwnServers(_ id: ConnectionID) -> Bool { cipher.decode(id)?.serverID == UInt64(serverID) }

    /// Whether the id can only have been made before `unixTime`. Within the second nobody can tell, so that
    /// second counts as before.
    func wasIssued(_ id: ConnectionID, before unixTime: Int64) -> Bool {
        guard let contents = cipher.decode(id) else { return false }
        return Int64(contents.nonce >> 32) <= unixTime
    }
}
