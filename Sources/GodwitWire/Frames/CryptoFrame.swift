/// A CRYPTO frame (RFC 9000 section 19.6).
@frozen
public struct CryptoFrame {
    public var offset: UInt64
    public var data: UnsafeRawBufferPointer

    @inlinable
    public init(offset: UInt64, data: UnsafeRawBufferPointer) {
        self.offset = offset
        self.data = data
    }

    /// The offset behind the last byte. Decoding checks that it is at most 2^62 - 1.
    @inlinable
    public var endOffset: UInt64 { offset + UInt64(data.count) }
}
