internal import CNIOBoringSSL
public import GodwitWire

/// Seals or opens the payloads of packets with one key (RFC 9001 section 5.3).
///
/// The context of the AEAD is made once and used for every packet: making it costs as much as sealing half a
/// packet does. Nothing is allocated per packet. BoringSSL allows any number of threads to use one context.
public final class PacketKey: @unchecked Sendable {
    private let context: UnsafeMutablePointer<EVP_AEAD_CTX>
    private let iv: PacketNonce

    /// The keys of a direction, of the given version's labels.
    public init(secret: TrafficSecret, version: QUICVersion) {
        let key = secret.packetKeyBytes(version: version)
        let made = EVP_AEAD_CTX_new(secret.suite.aead, key, key.count, CipherSuite.tagLength)
        guard let made else { preconditionFailure("BoringSSL failed: EVP_AEAD_CTX_new") }
        context = made
        iv = PacketNonce(secret.ivBytes(version: version))
    }

    deinit { EVP_AEAD_CTX_free(context) }

    /// Encrypts a packet in place.
    ///
    /// - Parameters:
    ///   - packetNumber: in full, not as it is truncated in the header.
    ///   - header: from the first byte to the end of the packet number, before header protection.
    ///   - payload: the plaintext, with ``CipherSuite/tagLength`` bytes of room behind it, which this fills
    ///     in.
    public func seal(
        packetNumber: UInt64, header: UnsafeRawBufferPointer, payload: UnsafeMutableRawBufferPointer
    ) {
        precondition(payload.count >= CipherSuite.tagLength)
        let bytes = payload.baseAddress!.assumingMemoryBound(to: UInt8.self)
        var length = 0
        let sealed = iv.withNonce(for: packetNumber) { nonce in
            EVP_AEAD_CTX_seal(
                context, bytes, &length, payload.count, nonce, CipherSuite.ivLength, bytes,
                payload.count - CipherSuite.tagLength,
                header.baseAddress?.assumingMemoryBound(to: UInt8.self), header.count)
        }
        precondition(sealed == 1 && length == payload.count)
    }

    /// Decrypts a packet in place.
    ///
    /// - Parameters:
    ///   - packetNumber: in full, as recovered from the header.
    ///   - header: from the first byte to the end of the packet number, header protection removed.
    ///   - payload: the ciphertext with its tag.
    /// - Returns: how many bytes of plaintext now stand at the start of `payload`; nil if the packet is not
    ///   authentic, in which case what `payload` holds means nothing.
    public func open(
        packetNumber: UInt64, header: UnsafeRawBufferPointer, payload: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard payload.count >= CipherSuite.tagLength else { return nil }
        let bytes = payload.baseAddress!.assumingMemoryBound(to: UInt8.self)
        var length = 0
        let opened = iv.withNonce(for: packetNumber) { nonce in
            EVP_AEAD_CTX_open(
                context, bytes, &length, payload.count, nonce, CipherSuite.ivLength, bytes, payload.count,
                header.baseAddress?.assumingMemoryBound(to: UInt8.self), header.count)
        }
        guard opened == 1 else {
            // Whatever a peer sends must not pile up in the thread's queue of errors.
            ERR_clear_error()
            return nil
        }
        return length
    }
}

/// The initialization vector, as the words that a packet number is mixed into (RFC 9001 section 5.3).
private struct PacketNonce {
    private let words: (UInt32, UInt32, UInt32)

    init(_ bytes: [UInt8]) {
        words = bytes.withUnsafeBytes {
            (
                $0.loadUnaligned(as: UInt32.self), $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
            )
        }
    }

    @inline(__always)
    func withNonce(for packetNumber: UInt64, _ body: (UnsafePointer<UInt8>) -> CInt) -> CInt {
        let high = UInt32(truncatingIfNeeded: packetNumber >> 32).bigEndian
        let low = UInt32(truncatingIfNeeded: packetNumber).bigEndian
        let nonce = (words.0, words.1 ^ high, words.2 ^ low)
        return withUnsafeBytes(of: nonce) { body($0.baseAddress!.assumingMemoryBound(to: UInt8.self)) }
    }
}
