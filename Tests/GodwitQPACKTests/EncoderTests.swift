import GodwitWire
import Testing

@testable import GodwitQPACK

@Suite("What the encoder chooses (RFC 9204 section 2.1)")
struct EncoderTests {
    private static let authority = (":authority", "www.example.com")
    private static let agent = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)")

    // Holds: 9204-3.2.3-3, 9204-3.2.3-4
    @Test("Before the peer's settings nothing goes onto the encoder stream (RFC 9204 section 3.2.3)")
    func beforeSettings() throws {
        var encoder = QPACKEncoder()
        for stream in 0..<4 as Range<UInt64> {
            let bytes = encoder.encode([(":method", "GET"), Self.authority, ("x-a", "b")], stream: stream)
            #expect(try makeDecoder(table: 0).decodeOnce(bytes)?.count == 3)
            #expect(bytes.starts(with: [0, 0, 0xd1]))
        }
        #expect(!encoder.hasEncoderStreamBytes)
    }

    // Holds: 9204-3.2.3-3, 9204-3.2.3-4
    @Test("With a table of zero nothing goes onto the encoder stream (RFC 9204 section 3.2.3)")
    func zeroTable() throws {
        for table in [0, 1, 31] as [UInt64] {
            var encoder = try makeEncoder(table: table)
            for stream in 0..<4 as Range<UInt64> { _ = encoder.encode([Self.authority], stream: stream) }
            #expect(!encoder.hasEncoderStreamBytes)
        }
    }

    @Test("An empty section is its prefix")
    func empty() throws {
        var encoder = QPACKEncoder()
        #expect(encoder.encode([]) == [0, 0])
        #expect(try makeDecoder().decodeOnce([0, 0])?.isEmpty == true)
    }

    // Holds: 9204-3.2.3-1, 9204-4.3.1-1
    @Test("Our table is never larger than we want, nor than the peer allows (RFC 9204 section 4.3.1)")
    func capacity() throws {
        var small = try makeEncoder(table: 1 << 62 - 1, limit: 220)
        _ = small.encode([Self.authority])
        #expect(small.takeInstructions().starts(with: hex("3fbd01")))
        var allowed = try makeEncoder(table: 220, limit: 1 << 20)
        _ = allowed.encode([Self.authority])
        #expect(allowed.takeInstructions().starts(with: hex("3fbd01")))
    }

    // Holds: 9204-4.3.1-3
    @Test("The capacity is said once, before there is anything to evict (RFC 9204 section 4.3.1)")
    func capacityOnce() throws {
        var encoder = try makeEncoder(table: 200, limit: 200)
        var instructions: [UInt8] = []
        for number in 0..<40 as Range<UInt64> {
            _ = encoder.encode([("server", "number \(number)")], stream: number)
            try encoder.applyPeerSettings(maximumTableCapacity: 200, blockedStreams: 100)
            instructions += encoder.takeInstructions()
            try encoder.receive([0x80 | UInt8(number)])
        }
        #expect(encoder.table.table.droppedCount > 10)
        let capacities = try reading(instructions) { reader in
            var places: [Int] = []
            while !reader.isAtEnd {
                let place = instructions.count - reader.remaining
                let instruction = try reader.readEncoderInstruction(limit: 200, entryCount: 200)
                if case .setCapacity(200) = instruction { places.append(place) }
            }
            return places
        }
        #expect(capacities == [0])
    }

    @Test("A line is Huffman-coded only when that is shorter")
    func huffman() {
        var encoder = QPACKEncoder()
        #expect(encoder.encode([(":path", "/~\\~\\")]) == hex("0000 51 05 2f7e5c7e5c"))
        #expect(encoder.encode([(":path", "/aaa")]) == hex("0000 51 83 60631f"))
    }

    @Test("What tends to stay goes into the table at once, what changes when it comes again")
    func rules() throws {
        var encoder = try makeEncoder()
        _ = encoder.encode([Self.authority, (":path", "/a"), ("x-request", "1")], stream: 0)
        #expect(text(encoder.table.table.entries) == [":authority: www.example.com"])
        _ = encoder.encode([Self.authority, (":path", "/b"), ("x-request", "2")], stream: 4)
        #expect(encoder.insertCount == 1)
        _ = encoder.encode([Self.authority, (":path", "/b"), ("x-request", "2")], stream: 8)
        #expect(text(encoder.table.table.entries).suffix(2) == [":path: /b", "x-request: 2"])
    }

    // Holds: 9204-4.5.4-1
    @Test(
        "Secrets are literals that nobody may index (RFC 9204 section 7.1.3)",
        arguments: [
            ("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("proxy-authorization", "Basic QWxhZGRpbg=="),
            ("set-cookie", "id=a3fWa; Expires=Wed, 21 Oct 2026 07:28:00 GMT"), ("cookie", "short=1"),
        ])
    func secrets(name: String, value: String) throws {
        var encoder = try makeEncoder()
        for stream in 0..<4 as Range<UInt64> {
            let decoded = try #require(
                try makeDecoder().decodeOnce(encoder.encode([(name, value)], stream: stream)))
            #expect(decoded[0].isNeverIndexed)
            #expect(decoded[0].value == value)
        }
        #expect(encoder.insertCount == 0)
    }

    @Test("A long cookie is no easier to guess than any other value, and goes into the table")
    func longCookie() throws {
        var encoder = try makeEncoder()
        let bytes = encoder.encode([("cookie", "token=0123456789abcdef")])
        #expect(bytes == hex("0280 10"))
    }

    @Test("Names that only the dynamic table has are taken from there")
    func dynamicNames() throws {
        var pair = try TestPair()
        for _ in 0..<2 { try pair.exchange([("x-custom", "1")]) }
        let bytes = pair.encoder.encode([("x-custom", "another")], stream: 100)
        #expect(bytes.count < 10)
        #expect(text(try #require(try pair.decoder.decode(bytes, stream: 100))) == ["x-custom: another"])
    }

    // Holds: 9204-2.1.2-1
    @Test("No more streams are put at risk than the peer accepts, at any time (RFC 9204 section 2.1.2)")
    func blockedStreams() throws {
        var encoder = try makeEncoder(blocked: 2)
        _ = encoder.encode([Self.authority], stream: 0)
        _ = encoder.encode([Self.authority], stream: 4)
        #expect(encoder.blockingStreamCount == 2)
        #expect(encoder.encode([Self.authority], stream: 8).starts(with: [0, 0]))
        #expect(encoder.blockingStreamCount == 2)
        // A stream at risk already may take more risk.
        #expect(encoder.encode([Self.agent], stream: 4) == hex("0380 10"))
        try encoder.receive(hex("80"))
        #expect(encoder.blockingStreamCount == 1)
        #expect(encoder.encode([Self.authority], stream: 8) == hex("0201 81"))
        #expect(encoder.blockingStreamCount == 1)
    }

    // Holds: 9204-2.1.2-1
    @Test("A peer that accepts no blocked streams gets references to what it has acknowledged")
    func noBlocking() throws {
        var encoder = try makeEncoder(blocked: 0)
        #expect(encoder.encode([Self.authority], stream: 0).starts(with: [0, 0]))
        #expect(!encoder.hasEncoderStreamBytes)
        #expect(encoder.encode([Self.authority], stream: 4).starts(with: [0, 0]))
        #expect(encoder.insertCount == 1)
        #expect(encoder.encode([Self.authority], stream: 8).starts(with: [0, 0]))
        #expect(encoder.insertCount == 1)
        try encoder.receive(hex("01"))
        #expect(encoder.encode([Self.authority], stream: 12) == hex("0200 80"))
        #expect(encoder.blockingStreamCount == 0)
    }

    @Test("An instruction that the credit is too small for is not made (RFC 9204 section 2.1.3)")
    func credit() throws {
        var encoder = try makeEncoder()
        encoder.encoderStreamCredit = 40
        #expect(encoder.encode([Self.agent]).starts(with: [0, 0]))
        #expect(!encoder.hasEncoderStreamBytes)
        encoder.encoderStreamCredit = 100
        #expect(encoder.encode([Self.agent]) == hex("0280 10"))
        #expect(encoder.takeInstructions().count <= 100)
    }

    // Holds: 9204-2.1.1-1, 9204-3.2.2-1
    @Test(
        "Entries not acknowledged, or still referred to, are not evicted (RFC 9204 section 2.1.1)"
    )
    func eviction() throws {
        var encoder = try makeEncoder(table: 128, limit: 128)
        _ = encoder.encode([("server", "one")], stream: 0)
        _ = encoder.encode([("server", "two")], stream: 4)
        _ = encoder.encode([("server", "three")], stream: 8)
        #expect(encoder.insertCount == 3)
        // Full, and nothing is acknowledged.
        #expect(encoder.encode([("server", "four")], stream: 12).starts(with: [0, 0]))
        // The inserts are, but stream 0 still refers to the first.
        try encoder.receive(hex("03"))
        #expect(encoder.encode([("server", "five")], stream: 16).starts(with: [0, 0]))
        #expect(encoder.insertCount == 3)
        try encoder.receive(hex("80"))
        _ = encoder.encode([("server", "six")], stream: 20)
        #expect(encoder.insertCount == 4)
        #expect(encoder.table.table.droppedCount == 1)
    }

    // Holds: 9204-2.1.1-1, 9204-3.2.2-1
    @Test("What a section refers to is not evicted by its own inserts")
    func evictionWithinSection() throws {
        var pair = try TestPair(table: 128)
        try pair.exchange([("server", "one"), ("server", "two"), ("server", "three")])
        let lines = [("server", "one"), ("server", "seven"), ("server", "eight"), ("server", "one")]
        for _ in 0..<3 { try pair.exchange(lines) }
    }

    @Test("An entry close to eviction is duplicated rather than referred to (RFC 9204 section 2.1.1.1)")
    func draining() throws {
        var pair = try TestPair(table: 200)
        try pair.exchange([("server", "one")])
        for value in ["two", "three", "four"] { try pair.exchange([("server", value)]) }
        #expect(pair.encoder.table.isDraining(0))
        #expect(!pair.encoder.table.isDraining(1))
        try pair.exchange([("server", "one")])
        #expect(text(pair.encoder.table.table.entries).last == "server: one")
        #expect(pair.lastInstructions == hex("03"))
    }

    @Test("A decoder that never acknowledges can't make the encoder grow, and gets literals in the end")
    func noAcknowledgments() throws {
        var encoder = try makeEncoder()
        for stream in 0..<3000 as Range<UInt64> {
            _ = encoder.encode([Self.authority], stream: stream)
            if stream == 0 { try encoder.receive(hex("01")) }
        }
        #expect(encoder.outstandingSectionCount == OutstandingSections.limit)
        #expect(encoder.encode([Self.authority], stream: 5000).starts(with: [0, 0]))
    }

    @Test("Acknowledgments in any order release all, and the oldest one outstanding costs nothing")
    func acknowledgmentOrder() throws {
        var encoder = try makeEncoder()
        for stream in 0..<64 as Range<UInt64> { _ = encoder.encode([Self.authority], stream: stream) }
        for round in 0..<40 as Range<UInt64> {
            for stream in (1..<64).reversed() { try encoder.receive([0x80 | UInt8(stream)]) }
            #expect(encoder.outstandingSectionCount == 1, "round \(round)")
            for stream in 1..<64 as Range<UInt64> { _ = encoder.encode([Self.authority], stream: stream) }
        }
        for stream in 0..<64 as Range<UInt8> { try encoder.receive([0x80 | stream]) }
        #expect(encoder.outstandingSectionCount == 0)
    }
}

/// An encoder and a decoder that hear of each other at once.
struct TestPair {
    var encoder: QPACKEncoder
    var decoder: QPACKDecoder
    var lastInstructions: [UInt8] = []
    private var stream: UInt64 = 0

    init(table: Int = 4096, blocked: Int = 100) throws {
        encoder = try makeEncoder(table: UInt64(table), blocked: UInt64(blocked), limit: table)
        decoder = makeDecoder(table: table, blocked: blocked)
    }

    /// Sends a section through both and checks what comes out.
    mutating func exchange(_ lines: [(String, String)], at location: SourceLocation = #_sourceLocation) throws
    {
        let bytes = encoder.encode(lines, stream: stream)
        lastInstructions = encoder.takeInstructions()
        try decoder.receive(lastInstructions)
        let decoded = try #require(try decoder.decode(bytes, stream: stream), sourceLocation: location)
        #expect(text(decoded) == text(section(lines)), sourceLocation: location)
        try encoder.receive(decoder.takeInstructions())
        #expect(encoder.outstandingSectionCount == 0, sourceLocation: location)
        stream += 4
    }
}
