internal import CNIOBoringSSL
public import GodwitWire

/// Makes the masks that hide packet numbers (RFC 9001 section 5.4).
///
/// One mask costs about 10 ns with AES; many in one call cost a seventh of that each, which is what
/// ``masks(samples:into:)`` is for. The context is not safe to use from two threads at once, so the class is
/// not `Sendable`.
public final class HeaderProtectionKey {
    private enum Algorithm {
        /// A cipher context of AES in ECB mode, keyed once.
        case aes(UnsafeMutablePointer<EVP_CIPHER_CTX>)
        case chaCha20(ChaChaKey)
    }

    private let algorithm: Algorithm

    /// The key of a direction, of the given version's labels. It stays for the whole connection: key updates
    /// leave it alone (RFC 9001 section 6.1).
    public init(secret: TrafficSecret, version: QUICVersion) {
        let key = secret.headerKeyBytes(version: version)
        switch secret.suite {
        case .aes128GCM: algorithm = .aes(makeBlockCipher(EVP_aes_128_ecb(), key: key))
        case .aes256GCM: algorithm = .aes(makeBlockCipher(EVP_aes_256_ecb(), key: key))
        case .chaCha20Poly1305: algorithm = .chaCha20(ChaChaKey(key))
        }
    }

    deinit {
        if case .aes(let context) = algorithm { EVP_CIPHER_CTX_free(context) }
    }

    /// The mask that a sample of ``CipherSuite/sampleLength`` bytes gives.
    public func mask(_ sample: UnsafeRawBufferPointer) -> HeaderProtectionMask {
        precondition(sample.count == CipherSuite.sampleLength)
        let bytes = sample.baseAddress!.assumingMemoryBound(to: UInt8.self)
        switch algorithm {
        case .aes(let context): return aesMask(context, bytes)
        case .chaCha20(let key): return key.mask(bytes)
        }
    }

    /// The masks of many packets at once.
    ///
    /// - Parameters:
    ///   - samples: ``CipherSuite/sampleLength`` bytes a packet, one behind the other.
    ///   - masks: as many elements as there are samples, which this fills in. It may not overlap `samples`.
    public func masks(
        samples: UnsafeRawBufferPointer, into masks: UnsafeMutableBufferPointer<HeaderProtectionMask>
    ) {
        precondition(samples.count == masks.count * CipherSuite.sampleLength)
        guard let bytes = samples.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        switch algorithm {
        case .aes(let context): aesMasks(context, bytes, masks)
        case .chaCha20(let key):
            for index in masks.indices { masks[index] = key.mask(bytes + index * CipherSuite.sampleLength) }
        }
    }

    private func aesMask(_ context: UnsafeMutablePointer<EVP_CIPHER_CTX>, _ sample: UnsafePointer<UInt8>)
        -> HeaderProtectionMask
    {
        var block: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &block) {
            _ = EVP_Cipher(context, $0.baseAddress!.assumingMemoryBound(to: UInt8.self), sample, $0.count)
        }
        return HeaderProtectionMask(bits: UInt64(littleEndian: block.0) & 0xff_ffff_ffff)
    }

    private static let batch = 32

    private func aesMasks(
        _ context: UnsafeMutablePointer<EVP_CIPHER_CTX>, _ samples: UnsafePointer<UInt8>,
        _ masks: UnsafeMutableBufferPointer<HeaderProtectionMask>
    ) {
        withUnsafeTemporaryAllocation(byteCount: Self.batch * 16, alignment: 16) { blocks in
            var done = 0
            while done < masks.count {
                let count = min(Self.batch, masks.count - done)
                let output = blocks.baseAddress!.assumingMemoryBound(to: UInt8.self)
                _ = EVP_Cipher(context, output, samples + done * 16, count * 16)
                for index in 0..<count {
                    let word = blocks.load(fromByteOffset: index * 16, as: UInt64.self)
                    masks[done + index] = HeaderProtectionMask(
                        bits: UInt64(littleEndian: word) & 0xff_ffff_ffff)
                }
                done += count
            }
        }
    }
}

/// A ChaCha20 key in place, so that a mask follows no pointer to an array.
private struct ChaChaKey {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(_ bytes: [UInt8]) {
        words = bytes.withUnsafeBytes { $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self) }
    }

    /// The sample is a block counter, least significant byte first, and a nonce (RFC 9001 section 5.4.4).
    func mask(_ sample: UnsafePointer<UInt8>) -> HeaderProtectionMask {
        let counter = UInt32(littleEndian: UnsafeRawPointer(sample).loadUnaligned(as: UInt32.self))
        var stream: UInt64 = 0
        withUnsafeMutableBytes(of: &stream) { output in
            withUnsafeBytes(of: words) { key in
                let bytes = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
                CRYPTO_chacha_20(
                    bytes, bytes, 5, key.baseAddress!.assumingMemoryBound(to: UInt8.self), sample + 4, counter
                )
            }
        }
        return HeaderProtectionMask(bits: UInt64(littleEndian: stream))
    }
}
