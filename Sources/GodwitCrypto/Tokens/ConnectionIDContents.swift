/// What a connection id of ours says to those who have the key.
public struct ConnectionIDContents: Hashable, Sendable {
    /// The server that issued the id.
    public var serverID: UInt64
    /// The event loop of that server which runs the connection.
    public var shard: UInt16
    /// Makes the id unlike any other of the same server and shard. A counter will do.
    public var nonce: UInt64

    /// The contents of one id.
    public init(serverID: UInt64, shard: UInt16, nonce: UInt64) {
        self.serverID = serverID
        self.shard = shard
        self.nonce = nonce
    }
}

extension ConnectionIDContents {
    /// Reads the decrypted block; nil if the bytes behind the nonce aren't zeros.
    init?(block: UnsafeRawBufferPointer, format: ConnectionIDFormat) {
        let shardAt = format.serverIDLength
        let nonceAt = shardAt + ConnectionIDFormat.shardLength
        let zerosAt = nonceAt + format.nonceLength
        guard block[zerosAt...].allSatisfy({ $0 == 0 }) else { return nil }
        serverID = block[..<shardAt].networkInteger
        shard = UInt16(truncatingIfNeeded: block[shardAt..<nonceAt].networkInteger)
        nonce = block[nonceAt..<zerosAt].networkInteger
    }

    func write(to block: UnsafeMutableRawBufferPointer, format: ConnectionIDFormat) {
        let shardAt = format.serverIDLength
        let nonceAt = shardAt + ConnectionIDFormat.shardLength
        block.storeNetworkInteger(serverID, in: 0..<shardAt)
        block.storeNetworkInteger(UInt64(shard), in: shardAt..<nonceAt)
        block.storeNetworkInteger(nonce, in: nonceAt..<nonceAt + format.nonceLength)
        for index in nonceAt + format.nonceLength..<block.count { block[index] = 0 }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func storeNetworkInteger(_ value: UInt64, in range: Range<Int>) {
        var rest = value
        for index in range.reversed() {
            self[index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
    }
}
