internal import CNIOBoringSSL
import GodwitCrypto
import GodwitWire
import Testing

@Suite("Header protection masks")
struct HeaderProtectionTests {
    @Test(
        "Masks made in one call are those made one by one (RFC 9001 section 5.4)",
        arguments: CipherSuite.allCases, [0, 1, 2, 31, 32, 33, 64, 100])
    func batches(suite: CipherSuite, count: Int) {
        let secret = TrafficSecret(suite: suite, bytes: [UInt8](repeating: 9, count: suite.hashLength))
        let key = HeaderProtectionKey(secret: secret, version: .v1)
        var random = randomGenerator()
        let samples = random.bytes(count * CipherSuite.sampleLength)
        var masks = [HeaderProtectionMask](repeating: HeaderProtectionMask(bits: .max), count: count)
        samples.withUnsafeBytes { samples in
            masks.withUnsafeMutableBufferPointer { key.masks(samples: samples, into: $0) }
        }
        for (index, mask) in masks.enumerated() {
            let sample = Array(
                samples[index * CipherSuite.sampleLength..<(index + 1) * CipherSuite.sampleLength])
            #expect(mask == key.mask(sample))
            #expect(mask.bits >> 40 == 0)
        }
    }

    // Holds: 9001-5.4.1-1
    @Test(
        "Each suite has its algorithm: AES in ECB mode, or ChaCha20 (RFC 9001 sections 5.4.1, 5.4.3, 5.4.4)",
        arguments: CipherSuite.allCases, [QUICVersion.v1, .v2])
    func algorithms(suite: CipherSuite, version: QUICVersion) {
        let secret = TrafficSecret(suite: suite, bytes: [UInt8](repeating: 3, count: suite.hashLength))
        let key = HeaderProtectionKey(secret: secret, version: version)
        let keyBytes = secret.headerKeyBytes(version: version)
        var random = randomGenerator()
        for _ in 0..<20 {
            let sample = random.bytes(CipherSuite.sampleLength)
            let stream =
                switch suite {
                case .aes128GCM, .aes256GCM: encryptedBlock(sample, key: keyBytes)
                case .chaCha20Poly1305: chaChaStream(sample, key: keyBytes)
                }
            #expect(key.mask(sample).bytes == Array(stream[..<5]))
        }
    }

    private func encryptedBlock(_ block: [UInt8], key: [UInt8]) -> [UInt8] {
        var (schedule, output) = (AES_KEY(), [UInt8](repeating: 0, count: 16))
        #expect(AES_set_encrypt_key(key, UInt32(key.count * 8), &schedule) == 0)
        AES_encrypt(block, &output, &schedule)
        return output
    }

    private func chaChaStream(_ sample: [UInt8], key: [UInt8]) -> [UInt8] {
        let (zeros, nonce) = ([UInt8](repeating: 0, count: 5), Array(sample[4...]))
        var output = zeros
        let counter = sample[..<4].reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        CRYPTO_chacha_20(&output, zeros, zeros.count, key, nonce, counter)
        return output
    }

    @Test(
        "Retry packets carry the tag of their version (RFC 9001 sections 5.8 and A.4, RFC 9369 A.4)",
        arguments: SamplePackets.all)
    func retryTag(samples: SamplePackets) {
        let packet = hex(samples.retry)
        let tag = packet.dropLast(RetryIntegrity.tagLength).withUnsafeBytes {
            RetryIntegrity.tag(
                packet: $0, originalDestination: SamplePackets.destination, version: samples.version)
        }
        #expect(tag == Array(packet.suffix(RetryIntegrity.tagLength)))
        #expect(isValid(packet, samples.version))
        for index in packet.indices {
            var changed = packet
            changed[index] ^= 0x40
            #expect(!isValid(changed, samples.version))
        }
        #expect(!isValid(packet, samples.version == .v1 ? .v2 : .v1))
    }

    @Test(
        "A Retry packet that can't have a tag is not valid (RFC 9000 section 17.2.5)"
    )
    func retryWithoutTag() {
        #expect(!isValid([], .v1))
        #expect(!isValid([UInt8](repeating: 0, count: RetryIntegrity.tagLength), .v1))
        #expect(!isValid(hex(SamplePackets.v1.retry), QUICVersion(rawValue: 0xface_b002)))
    }

    private func isValid(_ packet: [UInt8], _ version: QUICVersion) -> Bool {
        packet.withUnsafeBytes {
            RetryIntegrity.isValid(
                packet: $0, originalDestination: SamplePackets.destination, version: version)
        }
    }
}
