/// The five bytes that a packet's header is masked with (RFC 9001 section 5.4.1).
@frozen
public struct HeaderProtectionMask: Hashable, Sendable {
    /// The mask's first byte is the least significant one.
    public var bits: UInt64

    /// A mask from its bytes.
    @inlinable
    public init(bits: UInt64) { self.bits = bits }

    /// What the first byte of the packet is masked with, of which four bits count in a long header and five
    /// in a short one.
    @inlinable
    public var firstByte: UInt8 { UInt8(truncatingIfNeeded: bits) }

    /// What the `index`-th byte of the packet number, from 0, is masked with.
    @inlinable
    public func packetNumberByte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: bits >> (8 &* UInt64(truncatingIfNeeded: index &+ 1)))
    }
}
