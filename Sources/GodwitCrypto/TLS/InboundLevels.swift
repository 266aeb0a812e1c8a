internal import GodwitWire

/// CRYPTO bytes that came before TLS was ready for their level.
struct InboundLevels {
    private var held = [[UInt8]](repeating: [], count: EncryptionLevel.allCases.count)

    /// RFC 9000 section 7.5: what is more than can be kept ends the connection.
    mutating func hold(
        _ bytes: UnsafeRawBufferPointer, at level: EncryptionLevel, limit: Int
    ) throws(HandshakeFailure) {
        guard bytes.count <= limit - held[Int(level.rawValue)].count else {
            throw HandshakeFailure(
                code: .cryptoBufferExceeded, reason: "too many handshake bytes ahead of time")
        }
        held[Int(level.rawValue)] += bytes
    }

    /// Gives out what is held for a level, if anything.
    mutating func release(_ level: EncryptionLevel) -> [UInt8]? {
        guard !held[Int(level.rawValue)].isEmpty else { return nil }
        defer { held[Int(level.rawValue)] = [] }
        return held[Int(level.rawValue)]
    }
}
