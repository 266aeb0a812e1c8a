/// The datagram that tells a peer that its connection's state is lost (RFC 9000 section 10.3).
public enum StatelessReset {
    /// The fewest bytes that a stateless reset has: 5 that can't be foretold and the token.
    @inlinable
    public static var minimumLength: Int { 21 }

    /// The last 16 bytes of `datagram`, which make it a stateless reset if they are the token of a connection
    /// id in use; nil when it is too short for one.
    ///
    /// Datagrams with a long header count too, since other versions might send such (RFC 9000 section 10.3).
    @inlinable
    public static func token(of datagram: UnsafeRawBufferPointer) -> StatelessResetToken? {
        guard datagram.count >= minimumLength else { return nil }
        var reader = ByteReader(datagram)
        _ = reader.skip(datagram.count - StatelessResetToken.length)
        return reader.readResetToken()
    }

    /// How long the answer to a datagram of `count` bytes is; nil when there must be none.
    ///
    /// It is shorter than what it answers, or two endpoints without state would go on answering each other
    /// (RFC 9000 section 10.3.3), and at most 42 bytes, which is as good as any packet (section 10.3).
    public static func length(answering count: Int) -> Int? {
        count > minimumLength ? min(count - 1, 42) : nil
    }

    /// Writes a stateless reset. The caller has checked that it fits.
    ///
    /// - Parameter unpredictable: Random bytes, at least 5, that come before the token.
    public static func encode(
        _ token: StatelessResetToken, unpredictable: UnsafeRawBufferPointer, into writer: inout ByteWriter
    ) {
        precondition(unpredictable.count + StatelessResetToken.length >= minimumLength)
        let start = writer.count
        writer.writeBytes(unpredictable)
        writer.patchUInt8(unpredictable[0] & 0x3f | 0x40, at: start)
        writer.writeResetToken(token)
    }
}
