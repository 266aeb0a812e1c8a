import GodwitCrypto
import GodwitWire
import Testing

@Suite("The protection of packets")
struct PacketProtectionTests {
    // Holds: 9001-5.2-1
    @Test(
        "Initial keys follow from the client's connection id (RFC 9001 sections 5.2, A.1; 9369 A.1)",
        arguments: SamplePackets.all)
    func initialSecrets(samples: SamplePackets) {
        let secrets = InitialSecrets(
            destinationConnectionID: SamplePackets.destination, version: samples.version)
        for (secret, expected) in [(secrets.client, samples.client), (secrets.server, samples.server)] {
            expect(secret, gives: expected, samples.version)
        }
    }

    @Test(
        "Each version has its labels, also for updates (RFC 9001 sections 5.1, 6.1, A.5; 9369 A.5)",
        arguments: SamplePackets.all)
    func chaCha20Keys(samples: SamplePackets) {
        let secret = TrafficSecret(suite: .chaCha20Poly1305, bytes: hex(samples.chaCha20.secret))
        expect(secret, gives: samples.chaCha20, samples.version)
        #expect(secret.updated(version: samples.version).bytes == hex(samples.chaCha20Updated))
        #expect(secret.updated(version: samples.version).suite == .chaCha20Poly1305)
    }

    @Test("The draft version 0xfaceb002 has its own salt and version 1's labels")
    func draftVersion() {
        let draft = QUICVersion(rawValue: 0xface_b002)
        let secrets = InitialSecrets(destinationConnectionID: SamplePackets.destination, version: draft)
        let common = KeyDerivation.extract(
            salt: hex("c3eef712c72ebb5a11a7d2432bb46365bef9f502"),
            inputKeyMaterial: SamplePackets.destination.bytes, suite: .aes128GCM)
        let client = KeyDerivation.expandLabel(common, "client in", length: 32, suite: .aes128GCM)
        #expect(secrets.client.bytes == client)
        #expect(secrets.client.packetKeyBytes(version: draft) == secrets.client.packetKeyBytes(version: .v1))
        #expect(secrets.client.packetKeyBytes(version: draft) != secrets.client.packetKeyBytes(version: .v2))
    }

    @Test(
        "Sample packets are sealed to the byte, and open (RFC 9001 A.2, A.3, A.5; 9369 A.2, A.3, A.5)",
        arguments: SamplePackets.all)
    func samplePackets(samples: SamplePackets) {
        let initial = InitialSecrets(
            destinationConnectionID: SamplePackets.destination, version: samples.version)
        let chaCha20 = TrafficSecret(suite: .chaCha20Poly1305, bytes: hex(samples.chaCha20.secret))
        // The client's payload is padded to make a datagram of 1,200 bytes.
        expect(samples.clientInitial, sealedWith: initial.client, samples.version, paddedTo: 1162)
        expect(samples.serverInitial, sealedWith: initial.server, samples.version)
        expect(samples.chaCha20Packet, sealedWith: chaCha20, samples.version)
    }

    @Test(
        "A packet changed in any byte of header, payload or number does not open (RFC 9001 section 5.3)",
        arguments: CipherSuite.allCases)
    func tampering(suite: CipherSuite) {
        let key = PacketKey(secret: secret(suite), version: .v1)
        let header = hex("c300000001088394c8f03e5157080000449e00000002")
        let payload = [UInt8](1...60)
        let sealed = key.seal(payload, packetNumber: 7, header: header)
        #expect(key.open(sealed, packetNumber: 7, header: header) == payload)
        #expect(key.open(sealed, packetNumber: 8, header: header) == nil)
        #expect(key.open(sealed, packetNumber: 7 + 1 << 32, header: header) == nil)
        for index in header.indices {
            #expect(key.open(sealed, packetNumber: 7, header: flipped(header, index)) == nil)
        }
        for index in sealed.indices {
            #expect(key.open(flipped(sealed, index), packetNumber: 7, header: header) == nil)
        }
    }

    @Test("What is too short to hold a tag does not open", arguments: CipherSuite.allCases)
    func tooShort(suite: CipherSuite) {
        let key = PacketKey(secret: secret(suite), version: .v1)
        for count in 0..<CipherSuite.tagLength {
            #expect(key.open([UInt8](repeating: 0, count: count), packetNumber: 0, header: []) == nil)
        }
        let empty = key.seal([], packetNumber: 0, header: [])
        #expect(key.open(empty, packetNumber: 0, header: []) == [])
    }

    @Test("Packet numbers up to the largest change the nonce (RFC 9001 section 5.3)")
    func packetNumbers() {
        let key = PacketKey(secret: secret(.aes128GCM), version: .v1)
        let numbers: [UInt64] = [0, 1, 0xff, 1 << 31, 1 << 32, VariableLengthInteger.max, .max]
        let sealed = Set(numbers.map { key.seal([1, 2, 3], packetNumber: $0, header: []) })
        #expect(sealed.count == numbers.count)
    }

    // Holds: 9001-6.6-7, 9001-6.6-8
    @Test(
        "Each suite has limits on the use of its keys, for sealing and for failures (RFC 9001 section 6.6)",
        arguments: CipherSuite.allCases)
    func limits(suite: CipherSuite) {
        let isGCM = suite != .chaCha20Poly1305
        #expect(suite.confidentialityLimit == (isGCM ? 1 << 23 : 1 << 62))
        #expect(suite.integrityLimit == (isGCM ? 1 << 52 : 1 << 36))
    }

    @Test("A secret travels as data and refuses a length that isn't its suite's")
    func codableSecret() throws {
        let original = secret(.aes256GCM)
        let packed = try roundTrip(original)
        #expect(packed == original)
        #expect("\(original)".contains("AES_256") && !"\(original)".contains("0, 1"))
    }

    private func secret(_ suite: CipherSuite) -> TrafficSecret {
        TrafficSecret(suite: suite, bytes: (0..<suite.hashLength).map { UInt8($0) })
    }

    private func flipped(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
        var changed = bytes
        changed[index] ^= 1 << UInt8(index % 8)
        return changed
    }

    private func expect(
        _ secret: TrafficSecret, gives expected: SamplePackets.Direction, _ version: QUICVersion
    ) {
        #expect(secret.bytes == hex(expected.secret))
        #expect(secret.packetKeyBytes(version: version) == hex(expected.key))
        #expect(secret.ivBytes(version: version) == hex(expected.iv))
        #expect(secret.headerKeyBytes(version: version) == hex(expected.headerProtection))
    }

    private func expect(
        _ sample: SamplePackets.Packet, sealedWith secret: TrafficSecret, _ version: QUICVersion,
        paddedTo length: Int = 0
    ) {
        let header = hex(sample.header)
        var payload = hex(sample.payload)
        payload += [UInt8](repeating: 0, count: max(0, length - payload.count))
        let key = PacketKey(secret: secret, version: version)
        let sealed = key.seal(payload, packetNumber: sample.packetNumber, header: header)
        let mask = HeaderProtectionKey(secret: secret, version: version).mask(hex(sample.sample))
        #expect(mask.bytes == hex(sample.mask))
        #expect(protect(header, mask) + sealed == hex(sample.protectedPacket))
        #expect(key.open(sealed, packetNumber: sample.packetNumber, header: header) == payload)
    }

    private func protect(_ header: [UInt8], _ mask: HeaderProtectionMask) -> [UInt8] {
        var masked = header
        let numberLength = Int(header[0] & 3) + 1
        masked[0] ^= mask.firstByte & (header[0] & 0x80 == 0 ? 0x1f : 0x0f)
        for index in 0..<numberLength {
            masked[header.count - numberLength + index] ^= mask.packetNumberByte(index)
        }
        return masked
    }
}
