import Foundation
import NIOCore

/// Reads files as far as the system has them in memory.
///
/// That is `preadv2` with RWF_NOWAIT, which only Linux has, and which is in no module.
enum ReadAtHand {
    private typealias Function =
        @convention(c) (Int32, UnsafePointer<iovec>, Int32, Int, Int32) -> Int

    private static let function: Function? = dlsym(nil, "preadv2").map {
        unsafeBitCast($0, to: Function.self)
    }
    private static let noWait: Int32 = 0x8

    /// The bytes from the start of a part of a file on; nil if there are none without waiting for the disk.
    static func read(_ range: Range<Int64>, of descriptor: Int32) -> ByteBuffer? {
        guard let function, MemoryLayout<off_t>.size == MemoryLayout<Int>.size else { return nil }
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        let count = buffer.withUnsafeMutableWritableBytes { bytes in
            var part = iovec(iov_base: bytes.baseAddress, iov_len: range.count)
            return function(descriptor, &part, 1, Int(range.lowerBound), noWait)
        }
        guard count > 0 else { return nil }
        buffer.moveWriterIndex(forwardBy: count)
        return buffer
    }
}
