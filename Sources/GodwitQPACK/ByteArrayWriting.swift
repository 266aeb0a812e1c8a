import GodwitWire

extension [UInt8] {
    /// Appends what `body` writes, at most `limit` bytes.
    @inline(__always)
    mutating func append(atMost limit: Int, _ body: (inout ByteWriter) -> Void) {
        append(addingCapacity: limit) { span in
            span.withUnsafeMutableBufferPointer { buffer, count in
                var writer = ByteWriter(UnsafeMutableRawBufferPointer(buffer))
                body(&writer)
                count = writer.count
            }
        }
    }

    /// Appends an integer whose first bits go under `mask`, beside `flags`.
    mutating func appendPrefixedInteger(_ value: UInt64, mask: UInt8, flags: UInt8) {
        append(atMost: PrefixedInteger.maximumLength + 1) {
            $0.writePrefixedInteger(value, mask: mask, flags: flags)
        }
    }
}
