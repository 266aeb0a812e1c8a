import NIOCore

/// Content without a meaning that can nevertheless be checked: each byte is its offset modulo 251.
enum Filler {
    private static let period = 251
    /// A whole number of periods, and not so many that a client that goes away would have cost much.
    static let block = ByteBuffer(bytes: (0..<period * 261).map { UInt8($0 % period) })

    /// The first bytes of the content; at most as many as ``block`` has.
    static func prefix(_ count: Int) -> ByteBuffer {
        block.getSlice(at: block.readerIndex, length: min(count, block.readableBytes)) ?? ByteBuffer()
    }
}
