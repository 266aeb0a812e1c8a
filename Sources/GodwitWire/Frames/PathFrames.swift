extension ByteReader {
    /// The 8 bytes of a PATH_CHALLENGE or PATH_RESPONSE frame (RFC 9000 sections 19.17 and 19.18), first byte
    /// most significant.
    mutating func pathData(of frameType: UInt64) throws(TransportError) -> UInt64 {
        guard let data = readInteger(UInt64.self) else { throw .cutOffFrame(type: frameType) }
        return data
    }
}
