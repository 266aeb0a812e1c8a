extension Frame {
    /// The token of a NEW_TOKEN frame, which must not be empty (RFC 9000 section 19.7).
    static func decodeToken(from reader: inout ByteReader) throws(TransportError) -> UnsafeRawBufferPointer {
        let token = try reader.lengthPrefixedBytes(of: FrameType.newToken)
        guard !token.isEmpty else { throw .malformedFrame("the token is empty", type: FrameType.newToken) }
        return token
    }
}
