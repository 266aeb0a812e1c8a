import GodwitWire
import Testing

@Suite("Frames as bytes")
struct FrameRoundTripTests {
    // Holds: 9000-12.4-5
    @Test(
        "Every frame comes back as it was sent (RFC 9000 section 19, RFC 9221)",
        arguments: 0..<FrameExamples.kinds)
    func roundTrip(kind: Int) throws {
        var examples = FrameExamples(generator: SeededGenerator(seed: UInt64(kind)))
        for _ in 0..<40 {
            let frame = examples.frame(kind: kind)
            let bytes = encoded(frame)
            try expect(bytes, toBe: frame)
            #expect(varint(bytes) == frame.type)
        }
    }

    @Test("Frames stand one behind the other in a packet (RFC 9000 section 12.4)")
    func sequence() throws {
        var examples = FrameExamples(generator: SeededGenerator(seed: 1))
        // Padding is last: it would swallow the padding of a neighbour.
        let frames = (1..<FrameExamples.kinds).map { examples.frame(kind: $0) } + [.padding(count: 9)]
        try reading(frames.flatMap(encoded)) { reader in
            for frame in frames {
                let decoded = try Frame.decode(&reader)
                #expect(decoded == frame)
            }
            #expect(reader.isAtEnd)
        }
    }

    @Test("Frames have the layout of the RFC (RFC 9000 section 19)")
    func layout() throws {
        let layouts: [(String, Frame)] = [
            // RFC 9000 section 19.4.
            ("04 0a 4123 19", .resetStream(.init(id: .init(rawValue: 10), errorCode: 0x123, finalSize: 25))),
            // Section 19.5.
            ("05 0a 07", .stopSending(.init(id: .init(rawValue: 10), errorCode: 7))),
            // Sections 19.9 to 19.14.
            ("10 80010000", .maxData(65536)), ("11 04 3f", .maxStreamData(.init(rawValue: 4), maximum: 63)),
            ("12 05", .maxStreams(.bidirectional, maximum: 5)),
            ("13 05", .maxStreams(.unidirectional, maximum: 5)), ("14 05", .dataBlocked(limit: 5)),
            ("15 04 05", .streamDataBlocked(.init(rawValue: 4), limit: 5)),
            ("16 05", .streamsBlocked(.bidirectional, limit: 5)),
            ("17 05", .streamsBlocked(.unidirectional, limit: 5)),
            // Section 19.15.
            (
                "18 02 01 04 aabbccdd 0000000000000001 0000000000000002",
                .newConnectionID(
                    .init(
                        sequenceNumber: 2, retirePriorTo: 1, id: ConnectionID([0xaa, 0xbb, 0xcc, 0xdd])!,
                        resetToken: .init(high: 1, low: 2)))
            ),
            // Sections 19.16 to 19.18 and 19.20.
            ("19 03", .retireConnectionID(sequenceNumber: 3)),
            ("1a 0102030405060708", .pathChallenge(0x0102_0304_0506_0708)),
            ("1b 0102030405060708", .pathResponse(0x0102_0304_0506_0708)), ("1e", .handshakeDone),
            ("01", .ping),
            ("00 00 00", .padding(count: 3)),
        ]
        for (text, frame) in layouts {
            try expect(hex(text), toBe: frame)
            #expect(encoded(frame) == hex(text))
        }
    }

    @Test("The eight types of STREAM frames say which fields they have (RFC 9000 section 19.8)")
    func streamTypes() throws {
        for type in UInt8(0x08)...0x0f {
            let offset = type & 4 == 0 ? "" : "4064"
            let length = type & 2 == 0 ? "" : "02"
            let bytes = hex("\(Hexadecimal.encode([type])) 04 \(offset) \(length) aabb")
            try reading(bytes + (type & 2 == 0 ? [] : [0x01])) { reader in
                guard case .stream(let frame) = try Frame.decode(&reader) else { return fail("no STREAM") }
                #expect(frame.id.rawValue == 4)
                #expect(frame.offset == (type & 4 == 0 ? 0 : 100))
                #expect([UInt8](frame.data) == [0xaa, 0xbb])
                #expect(frame.fin == (type & 1 != 0))
                #expect(frame.endOffset == frame.offset + 2)
                #expect(reader.remaining == (type & 2 == 0 ? 0 : 1))
            }
        }
    }

    @Test("A DATAGRAM frame without a length reaches to the end of the packet (RFC 9221 section 4)")
    func datagramWithoutLength() throws {
        let bytes = written { writer in
            DatagramFrame.encodeHeader(length: nil, into: &writer)
            writer.writeBytes([1, 2, 3])
        }
        #expect(bytes == [0x30, 1, 2, 3])
        try bytes.withUnsafeBytes { view in
            try expect(bytes, toBe: .datagram(UnsafeRawBufferPointer(rebasing: view[1...])))
        }
        // An empty one is allowed.
        try expect([0x30], toBe: .datagram(UnsafeRawBufferPointer(start: nil, count: 0)))
    }

    @Test("Both kinds of CONNECTION_CLOSE are told apart by type and fields (RFC 9000 section 19.19)")
    func connectionClose() throws {
        try reading(hex("1c 4103 06 03 6f6f70")) { reader in
            guard case .connectionClose(let frame) = try Frame.decode(&reader) else {
                return fail("no close")
            }
            #expect(!frame.isApplication)
            #expect(frame.errorCode == 0x103)
            #expect(frame.frameType == FrameType.crypto)
            #expect(frame.reasonText == "oop")
        }
        try reading(hex("1d 4103 03 ff6f70")) { reader in
            guard case .connectionClose(let frame) = try Frame.decode(&reader) else {
                return fail("no close")
            }
            #expect(frame.isApplication)
            #expect(frame.frameType == 0)
            #expect(frame.reasonText == "\u{fffd}op")
            #expect(frame.concealed.errorCode == TransportErrorCode.applicationError.rawValue)
            #expect(!frame.concealed.isApplication)
            #expect(frame.concealed.reason.isEmpty)
        }
    }

    @Test("A reason that is too long for the packet is cut between characters (RFC 9000 section 19.19)")
    func reasonIsCut() {
        Array("größer".utf8).withUnsafeBytes { reason in
            let frame = ConnectionCloseFrame(isApplication: true, errorCode: 1, frameType: 0, reason: reason)
            #expect(frame.fitting(100) == frame)
            #expect(frame.fitting(frame.encodedSize) == frame)
            for space in 3..<frame.encodedSize {
                let cut = frame.fitting(space)!
                #expect(cut.encodedSize <= space)
                #expect("größer".hasPrefix(cut.reasonText))
            }
            #expect(frame.fitting(5)?.reasonText == "gr")
            #expect(frame.fitting(2) == nil)
        }
    }

    @Test("Headers take what they say, and as much data fits as is said")
    func headers() {
        for (offset, space) in [
            (0, 30), (70, 66), (70, 67), (70, 68), (70, 69), (1 << 20, 1200), (1 << 40, 1),
        ] {
            let (id, offset) = (StreamID(rawValue: 300), UInt64(offset))
            for hasLength in [false, true] {
                let capacity = StreamFrame.dataCapacity(
                    id: id, offset: offset, hasLength: hasLength, space: space)
                guard let capacity else {
                    let least = StreamFrame.headerSize(id: id, offset: offset, length: hasLength ? 0 : nil)
                    #expect(least > space)
                    continue
                }
                for (count, fits) in [(capacity, true), (capacity + 1, false)] {
                    let length = hasLength ? count : nil
                    let size = StreamFrame.headerSize(id: id, offset: offset, length: length)
                    #expect((size + count <= space) == fits)
                    let header = written {
                        StreamFrame.encodeHeader(id: id, offset: offset, length: length, fin: true, into: &$0)
                    }
                    #expect(header.count == size)
                }
            }
        }
        #expect(CryptoFrame.dataCapacity(offset: 64, space: 67) == 63)
        #expect(CryptoFrame.dataCapacity(offset: 64, space: 3) == nil)
        #expect(DatagramFrame.dataCapacity(hasLength: true, space: 66) == 63)
        #expect(DatagramFrame.dataCapacity(hasLength: false, space: 66) == 65)
        #expect(DatagramFrame.dataCapacity(hasLength: false, space: 0) == nil)
    }
}
