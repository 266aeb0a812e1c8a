/// A type of capsule (RFC 9297 section 3.2).
@frozen
public struct CapsuleType: RawRepresentable, Hashable, Sendable, Codable {
    /// The number, at most 2^62 - 1.
    public var rawValue: UInt64

    /// The type with that number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// DATAGRAM: a datagram that travels on the stream (RFC 9297 section 3.5).
    public static let datagram = CapsuleType(rawValue: 0x00)

    /// Appends what stands before the value of a capsule of this type.
    ///
    /// - Parameters:
    ///   - length: how many bytes of value follow.
    ///   - buffer: the header is appended.
    public func appendHeader(length: Int, to buffer: inout [UInt8]) {
        buffer.appendVarint(rawValue)
        buffer.appendVarint(UInt64(length))
    }
}
