import GodwitWire
import Testing

@Suite("Retry and Version Negotiation")
struct RetryAndNegotiationTests {
    @Test(
        "The RFCs' Retry packets are read and written (RFC 9001 appendix A.4, RFC 9369 appendix A.4)",
        arguments: [
            (QUICVersion.v1, "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba"),
            (QUICVersion.v2, "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6"),
        ])
    func retryExamples(version: QUICVersion, text: String) {
        let packet = hex(text)
        guard case .retry(let retry) = header(of: packet) else { return fail("not a Retry packet") }
        #expect(retry.version == version)
        #expect(retry.destinationID == .empty)
        #expect(retry.sourceID == ConnectionID(hex("f067a5502a4262b5")))
        #expect(Array(packet[retry.tokenRange]) == Array("token".utf8))
        #expect(packet[retry.tagRange].count == 16 && retry.tagRange.upperBound == packet.count)
        let rebuilt = written {
            RetryPacket.encode(
                version: version, destinationID: .empty, sourceID: retry.sourceID, token: Array("token".utf8),
                random: 0xff, into: &$0)
        }
        #expect(rebuilt == Array(packet[retry.rangeWithoutTag]))
        let size = RetryPacket.encodedSize(destinationID: .empty, sourceID: retry.sourceID, tokenLength: 5)
        #expect(size == packet.count)
    }

    // Holds: 9000-17.2.5-1
    @Test("The unused bits of a Retry packet may have any value (RFC 9000 section 17.2.5)")
    func unusedBitsOfRetry() {
        let rest = hex("00000001 00 08f067a5502a4262b5 746f6b656e") + [UInt8](repeating: 7, count: 16)
        for unused in UInt8(0)..<16 {
            guard case .retry(let retry) = header(of: [0xf0 | unused] + rest) else {
                return fail("not a Retry packet")
            }
            #expect(retry.version == .v1 && retry.sourceID == ConnectionID(hex("f067a5502a4262b5")))
            #expect(retry.tokenRange == 15..<20 && retry.tagRange == 20..<36)
        }
    }

    // Holds: 9000-17.2.1-1
    @Test("The unused bits of a Version Negotiation packet may have any value (RFC 9000 section 17.2.1)")
    func unusedBitsOfNegotiation() {
        let rest = hex("00000000 02 aabb 01 cc 00000001 6b3343cf")
        for first in UInt8(0x80)...0xff {
            #expect(
                header(of: [first] + rest)
                    == .versionNegotiation(destination: [0xaa, 0xbb], source: [0xcc], versions: [.v1, .v2]))
        }
    }

    @Test("The integrity tag covers the client's first destination id and the packet (RFC 9001 section 5.8)")
    func pseudoPacket() {
        let original = ConnectionID(hex("8394c8f03e515708"))!
        let pseudo = hex("ff000000010008f067a5502a4262b5746f6b656e").withUnsafeBytes { packet in
            let size = RetryPacket.pseudoPacketSize(
                originalDestinationID: original, countWithoutTag: packet.count)
            return written(capacity: size) {
                RetryPacket.encodePseudoPacket(
                    originalDestinationID: original, packetWithoutTag: packet, into: &$0)
            }
        }
        #expect(pseudo == hex("088394c8f03e515708 ff000000010008f067a5502a4262b5746f6b656e"))
    }

    // Holds: 9000-17.2.5.2-4
    @Test("A Retry packet without a token is discarded (RFC 9000 section 17.2.5.2)")
    func emptyToken() {
        let start = hex("f0 00000001 00 08f067a5502a4262b5")
        #expect(header(of: start + [UInt8](repeating: 0, count: 15)) == nil)
        #expect(header(of: start + [UInt8](repeating: 0, count: 16)) == nil)
        #expect(header(of: start + [UInt8](repeating: 0, count: 17)) != nil)
    }

    // Holds: 9000-17.2.1-2
    @Test(
        "The answer to an unknown version exchanges connection ids of any length (RFC 9000 section 17.2.1)"
    )
    func answerToUnknownVersion() {
        var generator = SeededGenerator(seed: 12)
        for (destinationLength, sourceLength) in [(0, 0), (8, 20), (21, 255), (255, 0), (255, 255)] {
            let (destination, source) = (generator.bytes(destinationLength), generator.bytes(sourceLength))
            let packet =
                hex("80 5a5a5a5a") + [UInt8(destinationLength)] + destination + [UInt8(sourceLength)] + source
                + generator.bytes(40)
            #expect(
                header(of: packet)
                    == .unknownVersion(
                        QUICVersion(rawValue: 0x5a5a_5a5a), destination: destination, source: source))
            let answer = answer(to: packet, versions: [.v1, .v2, .reserved(random: 0)])
            #expect(answer[0] & 0xc0 == 0xc0)
            #expect(Array(answer[1..<5]) == [0, 0, 0, 0])
            #expect(
                header(of: answer)
                    == .versionNegotiation(
                        destination: source, source: destination,
                        versions: [.v1, .v2, QUICVersion(rawValue: 0x0a0a_0a0a)]))
        }
    }

    private func answer(to packet: [UInt8], versions: [QUICVersion]) -> [UInt8] {
        packet.withUnsafeBytes { view in
            let header = InvariantLongHeader.decode(view)!
            let size = VersionNegotiationPacket.encodedSize(answering: header, versionCount: versions.count)
            let bytes = written(capacity: size) {
                VersionNegotiationPacket.encode(
                    answering: header, versions: versions, random: 0xa5, into: &$0)
            }
            #expect(bytes.count == size)
            return bytes
        }
    }

    @Test("A client can tell whether its own version was offered (RFC 9000 section 6.2)")
    func offeredVersions() {
        let packet = hex("80 00000000 00 00 00000001 6b3343cf")
        packet.withUnsafeBytes { view in
            guard case .versionNegotiation(let packet) = PacketHeader.decode(view, connectionIDLength: 0)
            else {
                return fail("not a Version Negotiation packet")
            }
            #expect(packet.offers(.v1) && packet.offers(.v2))
            #expect(!packet.offers(.mvfst) && !packet.offers(.negotiation))
        }
    }

    @Test("A Version Negotiation packet without whole versions is discarded (RFC 8999 section 6)")
    func malformedNegotiation() {
        for text in ["", "000000", "0000000100", "00000001000000"] {
            #expect(header(of: hex("80 00000000 00 00") + hex(text)) == nil)
        }
    }

    @Test("The part common to all versions is read whatever follows it (RFC 8999 section 5.1)")
    func invariants() {
        let packet = hex("ff ffffffff 02 aabb 01 cc")
        packet.withUnsafeBytes { view in
            let header = InvariantLongHeader.decode(view)
            #expect(header?.version.rawValue == 0xffff_ffff)
            #expect(header.map { [UInt8]($0.destinationID) } == [0xaa, 0xbb])
            #expect(header.map { [UInt8]($0.sourceID) } == [0xcc])
        }
        for count in 0..<packet.count {
            Array(packet[..<count]).withUnsafeBytes { view in
                #expect(InvariantLongHeader.decode(view).map { _ in true } == nil)
            }
        }
        hex("7f ffffffff 02 aabb 01 cc").withUnsafeBytes { view in
            #expect(InvariantLongHeader.decode(view).map { _ in true } == nil)
        }
    }
}
