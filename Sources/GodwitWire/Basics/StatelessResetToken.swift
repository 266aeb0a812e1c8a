/// The 16 bytes that prove a stateless reset (RFC 9000 section 10.3).
@frozen
public struct StatelessResetToken: Hashable, Sendable, Codable {
    /// The first 8 bytes, first byte most significant.
    public var high: UInt64
    /// The last 8 bytes.
    public var low: UInt64

    /// A token from its bytes.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The number of bytes.
    @inlinable
    public static var length: Int { 16 }

    /// Compares without a data-dependent branch (RFC 9000 section 10.3.1).
    @inlinable
    public static func == (lhs: StatelessResetToken, rhs: StatelessResetToken) -> Bool {
        (lhs.high ^ rhs.high) | (lhs.low ^ rhs.low) == 0
    }
}

extension StatelessResetToken {
    /// Nil unless there are 16 bytes.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        guard bytes.count == Self.length, let token = reader.readResetToken() else { return nil }
        self = token
    }
}

extension ByteReader {
    /// Reads a stateless reset token.
    @inlinable
    public mutating func readResetToken() -> StatelessResetToken? {
        guard remaining >= StatelessResetToken.length, let high = readInteger(UInt64.self),
            let low = readInteger(UInt64.self)
        else { return nil }
        return StatelessResetToken(high: high, low: low)
    }
}

extension ByteWriter {
    /// Writes the 16 bytes of `token`.
    @inlinable
    public mutating func writeResetToken(_ token: StatelessResetToken) {
        writeInteger(token.high)
        writeInteger(token.low)
    }
}
