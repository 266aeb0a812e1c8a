import GodwitWire
import Testing

@Suite("Frames that are wrong")
struct FrameErrorTests {
    @Test(
        "Every frame that is cut off anywhere is refused (RFC 9000 section 12.4)",
        arguments: 1..<FrameExamples.kinds)
    func cutOff(kind: Int) {
        var examples = FrameExamples(generator: SeededGenerator(seed: UInt64(kind)))
        for _ in 0..<5 {
            let bytes = encoded(examples.frame(kind: kind))
            for count in 0..<bytes.count {
                let error = decodingError(Array(bytes[..<count]))
                #expect(error?.code == .frameEncodingError)
                #expect(error?.frameType == (count == 0 ? 0 : UInt64(bytes[0])))
            }
        }
    }

    @Test("An ACK frame that is cut off anywhere is refused (RFC 9000 section 19.3)")
    func cutOffAck() {
        AckFrame.withRanges([100...120, 50...60, 0...10], encodedDelay: 300, ecn: .init(ect0: 70)) { ack in
            let bytes = encoded(.ack(ack))
            for count in 0..<bytes.count {
                #expect(decodingError(Array(bytes[..<count]))?.code == .frameEncodingError)
            }
        }
    }

    // Holds: 9000-12.4-4
    @Test(
        "A frame of unknown type is an encoding error at every level (RFC 9000 section 12.4)",
        arguments: ["1f", "20", "2f", "32", "33", "34", "3f", "4040", "80004000", "c000000040000000", "7a26"])
    func unknownType(text: String) {
        let type = varint(hex(text))
        #expect(decodingError(hex(text) + [0, 0, 0])?.code == .frameEncodingError)
        for level in EncryptionLevel.allCases {
            let error = decodingError(hex(text) + [0, 0, 0], at: level)
            #expect(error?.code == .frameEncodingError)
            #expect(error?.frameType == type)
        }
    }

    @Test(
        "A frame type that is not in its shortest form is a protocol violation (RFC 9000 section 12.4)",
        arguments: ["4001", "80000001", "c000000000000001", "4032", "80000040", "c000000000004000"])
    func longType(text: String) {
        #expect(decodingError(hex(text) + [0, 0, 0])?.code == .protocolViolation)
    }

    @Test("A frame type that is cut off is an encoding error (RFC 9000 section 12.4)")
    func cutOffType() {
        for text in ["", "40", "800000", "c0000000"] {
            #expect(decodingError(hex(text))?.code == .frameEncodingError)
        }
    }

    @Test("The type alone can be read, so that extensions get at their frames (RFC 9000 section 19.21)")
    func typeAlone() throws {
        try reading(hex("32 aa")) { reader in
            let type = try FrameType.decode(&reader)
            #expect(type == 0x32)
            #expect(reader.remaining == 1)
        }
        try reading(hex("9d5845e2 aa")) { reader in
            let type = try FrameType.decode(&reader)
            #expect(type == 0x1d58_45e2)
            #expect(reader.remaining == 1)
        }
    }

    // Holds: 9000-4.6-1, 9000-19.6-1, 9000-19.7-2, 9000-19.8-2, 9000-19.11-1, 9000-19.14-1, 9000-19.15-1
    // Holds: 9000-19.15-6
    @Test(
        "Values beyond their limits are encoding errors (RFC 9000 sections 4.6 and 19.6 to 19.15)",
        arguments: [
            // MAX_STREAMS and STREAMS_BLOCKED above 2^60 (RFC 9000 sections 19.11 and 19.14).
            "12 d000000000000001", "13 d000000000000001", "16 d000000000000001", "17 d000000000000001",
            // STREAM and CRYPTO data beyond 2^62 - 1 (sections 19.8 and 19.6).
            "0e 04 ffffffffffffffff 01 aa", "0c 04 ffffffffffffffff aa", "06 ffffffffffffffff 01 aa",
            // An empty token (section 19.7).
            "07 00",
            // Connection ids of 0 and 21 bytes, Retire Prior To above the sequence number (section 19.15).
            "18 02 01 00 00000000000000000000000000000000",
            "18 02 01 15 000000000000000000000000000000000000000000 00000000000000000000000000000000",
            "18 01 02 01 aa 00000000000000000000000000000000",
        ])
    func beyondLimits(text: String) {
        let error = decodingError(hex(text))
        #expect(error?.code == .frameEncodingError)
        #expect(error?.frameType == UInt64(hex(text)[0]))
    }

    @Test("Values at their limits are fine (RFC 9000 sections 19.6, 19.8, 19.11 and 19.14)")
    func atLimits() {
        for text in [
            "12 d000000000000000", "17 d000000000000000", "0e 04 ffffffffffffffff 00",
            "0e 04 fffffffffffffffe 01 aa",
            "06 fffffffffffffffe 01 aa", "18 02 02 01 aa 00000000000000000000000000000000",
        ] {
            #expect(decodingError(hex(text)) == nil, "\(text)")
        }
    }
}
