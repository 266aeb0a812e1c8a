internal import CNIOBoringSSL

/// The operating system's randomness. Nothing else in the transport reads it: everything below the driver
/// draws from a ``RandomGenerator`` that was seeded here, or by a test.
public enum SystemEntropy {
    /// 32 bytes from the kernel, fresh at each call.
    ///
    /// No state is kept in the process, so two copies of one that was restored from an image get different
    /// bytes.
    public static func seed() -> [UInt8] {
        var system = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        for _ in 0..<RandomGenerator.seedLength / 8 { bytes.appendInteger(system.next(), byteCount: 8) }
        return bytes
    }

    /// Makes BoringSSL's generator on the calling thread take new randomness from the kernel.
    ///
    /// Each thread that does TLS has a generator of its own inside BoringSSL. If the process is restored from
    /// an image, so is the generator, and two copies of the image would make the same keys. There is no call
    /// to reseed it, but it reseeds itself after 4,096 draws; so this draws that many and throws them away.
    /// To be called on each such thread before it does anything else.
    public static func discardBoringSSLRandomness() {
        var sink: UInt64 = 0
        for _ in 0..<4096 {
            withUnsafeMutableBytes(of: &sink) {
                _ = RAND_bytes($0.baseAddress!.assumingMemoryBound(to: UInt8.self), $0.count)
            }
        }
    }
}
