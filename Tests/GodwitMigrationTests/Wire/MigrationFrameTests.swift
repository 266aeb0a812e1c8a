import GodwitWire
import Testing

@Suite("Migration frames as bytes")
struct MigrationFrameTests {
    private static let toNew = "0a6300031a0a000000000000000000000000000000000000"

    @Test(
        "Frames of the thesis's program come back byte for byte (Specs/server-migration.md 3.1 to 3.3)",
        arguments: [
            (
                "32" + toNew,
                MigrationFrame.serverMigration(MigrationAddress(NetworkAddress("10.99.0.3:6666")!))
            ),
            ("32" + String(repeating: "00", count: 24), .serverMigration(.none)),
            ("33", .serverMigrated),
            ("34" + toNew, .poolMigrationAddress(MigrationAddress(NetworkAddress("10.99.0.3:6666")!))),
            (
                "340a6300041a0a000000000000000000000000000000000000",
                .poolMigrationAddress(MigrationAddress(NetworkAddress("10.99.0.4:6666")!))
            ),
            (
                "340a6300051a0a000000000000000000000000000000000000",
                .poolMigrationAddress(MigrationAddress(NetworkAddress("10.99.0.5:6666")!))
            ),
        ])
    func captured(text: String, frame: MigrationFrame) throws {
        let bytes = try #require(Hexadecimal.decode(text))
        #expect(try decoded(bytes) == frame)
        #expect(encoded(frame) == bytes)
        #expect(frame.encodedSize == bytes.count)
    }

    @Test("Both families stand in one frame (Specs/server-migration.md 3.1)")
    func bothFamilies() throws {
        let frame = MigrationFrame.serverMigration(MigrationAddress(ipv4: .new, ipv6: .new6))
        let bytes = encoded(frame)
        #expect(Hexadecimal.encode(bytes) == "32c63364071151" + "20010db8000000000000000000000007" + "1151")
        #expect(try decoded(bytes) == frame)
    }

    // Specs/server-migration.md 3.1
    @Test(
        "What is neither zero nor an address of a host is kept, and not taken for one"
    )
    func halfZero() throws {
        for text in [
            "3200000000115100000000000000000000000000000000" + "0000",
            "32c63364070000" + String(repeating: "00", count: 18),
            "32000000000000" + "00000000000000000000ffffc6336407" + "1151",
        ] {
            let bytes = try #require(Hexadecimal.decode(text))
            guard case .serverMigration(let address) = try decoded(bytes) else {
                Issue.record("not a SERVER_MIGRATION")
                continue
            }
            #expect(!address.isAllZero)
            #expect(address.addresses.isEmpty)
            #expect(encoded(.serverMigration(address)) == bytes)
        }
    }

    // draft-munizaga-quic-alternative-server-address-00 section 6
    @Test(
        "An alternative address has the draft's layout",
        arguments: [
            (
                "9d5845e2" + "00" + "00" + "c6336407" + "1151",
                AlternativeAddressFrame(address: .new, sequenceNumber: 0)
            ),
            (
                "9d5845e2" + "80" + "4040" + "c6336407" + "1151",
                AlternativeAddressFrame(address: .new, sequenceNumber: 64, isPreferred: true)
            ),
            (
                "9d5845e3" + "40" + "3f" + "20010db8000000000000000000000007" + "1151",
                AlternativeAddressFrame(address: .new6, sequenceNumber: 63, isRetired: true)
            ),
            (
                "9d5845e3" + "c0" + "ffffffffffffffff" + "20010db8000000000000000000000007" + "1151",
                AlternativeAddressFrame(
                    address: .new6, sequenceNumber: VariableLengthInteger.max, isPreferred: true,
                    isRetired: true)
            ),
        ])
    func alternative(text: String, frame: AlternativeAddressFrame) throws {
        let bytes = try #require(Hexadecimal.decode(text))
        #expect(try decoded(bytes) == .alternativeAddress(frame))
        #expect(encoded(.alternativeAddress(frame)) == bytes)
        #expect(frame.encodedSize == bytes.count)
    }

    @Test("Flags that mean nothing are ignored (draft-munizaga-quic-alternative-server-address-00 section 6)")
    func unknownFlags() throws {
        let bytes = try #require(Hexadecimal.decode("9d5845e2" + "bf" + "05" + "c6336407" + "1151"))
        let frame = AlternativeAddressFrame(address: .new, sequenceNumber: 5, isPreferred: true)
        #expect(try decoded(bytes) == .alternativeAddress(frame))
    }

    @Test("A frame that is cut off anywhere is refused (RFC 9000 section 12.4)")
    func cutOff() {
        let frames: [MigrationFrame] = [
            .serverMigration(MigrationAddress(ipv4: .new, ipv6: .new6)), .poolMigrationAddress(.none),
            .alternativeAddress(AlternativeAddressFrame(address: .new, sequenceNumber: 70)),
            .alternativeAddress(AlternativeAddressFrame(address: .new6, sequenceNumber: 1 << 40)),
        ]
        for frame in frames {
            let bytes = encoded(frame)
            let typeSize = VariableLengthInteger.size(frame.type)
            for count in typeSize..<bytes.count {
                let error = transportError { _ = try decoded(Array(bytes[..<count])) }
                #expect(error?.code == .frameEncodingError)
                #expect(error?.frameType == frame.type)
            }
        }
    }

    @Test("An IPv4 address does not hide in the frame for IPv6 (Specs/server-migration.md 3.4.3)")
    func mappedAddress() throws {
        let text = "9d5845e3" + "00" + "00" + "00000000000000000000ffffc6336407" + "1151"
        let bytes = try #require(Hexadecimal.decode(text))
        #expect(transportError { _ = try decoded(bytes) }?.code == .frameEncodingError)
    }

    @Test("Migration frames ask for an acknowledgement and are no probes (Specs/server-migration.md 3.5.2)")
    func properties() {
        for type: UInt64 in [0x32, 0x33, 0x34, 0x1d58_45e2, 0x1d58_45e3] {
            #expect(MigrationFrameType.isKnown(type))
            #expect(FrameType.isAckEliciting(type))
            #expect(!FrameType.isProbing(type))
            // A plain decoder goes on refusing them.
            #expect(!FrameType.isKnown(type))
        }
        for type: UInt64 in [0x31, 0x35, 0x1d58_45e1, 0x1d58_45e4] {
            #expect(!MigrationFrameType.isKnown(type))
        }
        var reader = ByteReader(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(transportError { _ = try MigrationFrame.decode(type: 0x35, from: &reader) } != nil)
    }

    @Test("Any bytes are decoded or refused, and what is decoded is encoded alike (RFC 9000 section 12.4)")
    func noise() throws {
        var random = TestRandom(seed: 5)
        for _ in 0..<3000 {
            let type = [
                0x32, 0x33, 0x34, MigrationFrameType.alternativeV4Address,
                MigrationFrameType.alternativeV6Address,
            ][
                random.below(5)]
            let body = (0..<random.below(40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let bytes = written {
                $0.writeVarint(type); $0.writeBytes(body)
            }
            guard let frame = try? decoded(bytes) else { continue }
            #expect(try decoded(encoded(frame)) == frame)
        }
    }
}

private func written(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
        var writer = ByteWriter(buffer)
        body(&writer)
        return [UInt8](writer.written)
    }
}

private func encoded(_ frame: MigrationFrame) -> [UInt8] { written { frame.encode(into: &$0) } }

private func decoded(_ bytes: [UInt8]) throws -> MigrationFrame {
    try bytes.withUnsafeBytes { view in
        var reader = ByteReader(view)
        let type = try FrameType.decode(&reader)
        return try MigrationFrame.decode(type: type, from: &reader)
    }
}
