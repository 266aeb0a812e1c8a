import GodwitWire
import Testing

@Suite("What frames may do where")
struct FramePropertyTests {
    struct Row: Sendable {
        var types: ClosedRange<UInt64>
        var packets: String
        var special: String

        init(_ types: ClosedRange<UInt64>, _ packets: String, _ special: String = "") {
            (self.types, self.packets, self.special) = (types, packets, special)
        }

        func mayStand(in level: EncryptionLevel) -> Bool {
            switch level {
            case .initial: packets.contains("I")
            case .handshake: packets.contains("H")
            case .earlyData: packets.contains("0")
            case .oneRTT: packets.contains("1")
            }
        }
    }

    /// Table 3 of RFC 9000 section 12.4, with DATAGRAM of RFC 9221. I, H, 0 and 1 are the packets that a
    /// frame may stand in; N is not ack-eliciting, P is probing. Section 12.5 takes RETIRE_CONNECTION_ID out
    /// of 0-RTT, and the lower-case letters of CONNECTION_CLOSE mean that only type 0x1c may stand there.
    static let table = [
        Row(0x00...0x00, "IH01", "NP"), Row(0x01...0x01, "IH01"), Row(0x02...0x03, "IH1", "N"),
        Row(0x04...0x05, "01"),
        Row(0x06...0x06, "IH1"), Row(0x07...0x07, "1"), Row(0x08...0x0f, "01"), Row(0x10...0x17, "01"),
        Row(0x18...0x18, "01", "P"), Row(0x19...0x19, "1"), Row(0x1a...0x1a, "01", "P"),
        Row(0x1b...0x1b, "1", "P"),
        Row(0x1c...0x1c, "IH01", "N"), Row(0x1d...0x1d, "01", "N"), Row(0x1e...0x1e, "1"),
        Row(0x30...0x31, "01"),
    ]

    @Test("Every type has the properties of the table (RFC 9000 section 12.4)", arguments: table)
    func types(row: Row) {
        for type in row.types {
            #expect(FrameType.isKnown(type))
            #expect(FrameType.isAckEliciting(type) == !row.special.contains("N"))
            #expect(FrameType.isProbing(type) == row.special.contains("P"))
            for level in EncryptionLevel.allCases {
                #expect(FrameType.isAllowed(type, at: level) == row.mayStand(in: level))
            }
        }
    }

    // Holds: 9000-12.4-3, 9000-17.2.4-1, 9001-8.3-2
    @Test(
        "Every frame is a protocol violation in all packets but its own (RFC 9000 sections 12.4 and 17.2.4)",
        arguments: table)
    func placement(row: Row) {
        for type in row.types {
            // Zeros make a whole frame of some types and a malformed one of others, never a misplaced one.
            let packet = [UInt8(type)] + [UInt8](repeating: 0, count: 40)
            for level in EncryptionLevel.allCases {
                let error = decodingError(packet, at: level)
                #expect((error?.code != .protocolViolation) == row.mayStand(in: level))
                if error?.code == .protocolViolation { #expect(error?.frameType == type) }
            }
        }
    }

    @Test("All other types are unknown, allowed nowhere and ack-eliciting (RFC 9000 sections 13.2 and 19.21)")
    func otherTypes() {
        for type in Array(UInt64(0)...200) + [1 << 32, VariableLengthInteger.max]
        where !Self.table.contains(where: { $0.types.contains(type) }) {
            #expect(!FrameType.isKnown(type))
            #expect(FrameType.isAckEliciting(type))
            #expect(!FrameType.isProbing(type))
            for level in EncryptionLevel.allCases { #expect(!FrameType.isAllowed(type, at: level)) }
        }
    }

    @Test("A known frame in the wrong packet is a protocol violation (RFC 9000 section 12.4)")
    func misplaced() {
        #expect(decodingError(hex("1e"), at: .handshake)?.code == .protocolViolation)
        #expect(decodingError(hex("1d 00 00"), at: .initial)?.code == .protocolViolation)
        #expect(decodingError(hex("1c 00 00 00"), at: .initial) == nil)
        #expect(decodingError(hex("06 00 00"), at: .earlyData)?.code == .protocolViolation)
        #expect(decodingError(hex("08 00"), at: .earlyData) == nil)
        #expect(decodingError(hex("08 00"), at: .initial)?.frameType == 8)
    }

    @Test("Frames have the properties of their types", arguments: 0..<FrameExamples.kinds)
    func frames(kind: Int) {
        var examples = FrameExamples(generator: SeededGenerator(seed: 5))
        let frame = examples.frame(kind: kind)
        #expect(frame.isAckEliciting == FrameType.isAckEliciting(frame.type))
        #expect(frame.isProbing == FrameType.isProbing(frame.type))
        for level in EncryptionLevel.allCases {
            #expect(frame.isAllowed(at: level) == FrameType.isAllowed(frame.type, at: level))
        }
    }

    @Test("Frames with different content differ")
    func comparison() {
        var examples = FrameExamples(generator: SeededGenerator(seed: 6))
        let frames = (0..<FrameExamples.kinds).map { examples.frame(kind: $0) }
        for (left, first) in frames.enumerated() {
            for (right, second) in frames.enumerated() { #expect((first == second) == (left == right)) }
        }
        #expect(Frame.maxData(1) != .maxData(2))
        #expect(Frame.maxData(1) != .dataBlocked(limit: 1))
        #expect(Frame.maxStreams(.bidirectional, maximum: 1) != .maxStreams(.unidirectional, maximum: 1))
    }
}
