extension Array where Element == UInt8 {
    /// Bytes that a C function fills in and answers 1. Should it fail after all, which only a lack of memory
    /// can cause where this is used, there is nothing to go on with.
    static func filled(
        _ count: Int, by body: (UnsafeMutablePointer<UInt8>) -> CInt, _ what: StaticString
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Swift.max(count, 1)) { buffer, initialized in
            guard body(buffer.baseAddress!) == 1 else { preconditionFailure("BoringSSL failed: \(what)") }
            initialized = count
        }
    }

    /// The integer in network byte order, in as many bytes as asked for; what doesn't fit is cut off at the
    /// top.
    mutating func appendInteger(_ value: UInt64, byteCount: Int) {
        for index in stride(from: byteCount - 1, through: 0, by: -1) {
            append(index >= 8 ? 0 : UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))))
        }
    }
}

extension Sequence where Element == UInt8 {
    /// The integer that the bytes are in network byte order; at most the last eight count.
    var networkInteger: UInt64 { reduce(0) { $0 << 8 | UInt64($1) } }
}
