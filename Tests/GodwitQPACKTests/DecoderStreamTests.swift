import Testing

@testable import GodwitQPACK

@Suite("The decoder stream at the encoder (RFC 9204 section 4.4)")
struct DecoderStreamTests {
    private static let line = [(":authority", "www.example.com")]

    /// An encoder that has sent an insert and a section with a reference to it on stream 4.
    private func encoder() throws -> QPACKEncoder {
        var encoder = try makeEncoder()
        _ = encoder.encode(Self.line, stream: 4)
        #expect(encoder.insertCount == 1)
        #expect(encoder.outstandingSectionCount == 1)
        #expect(encoder.blockingStreamCount == 1)
        return encoder
    }

    @Test(
        "An acknowledgment releases references and says that inserts are there (RFC 9204 section 2.1.4)"
    )
    func acknowledgment() throws {
        var encoder = try encoder()
        try encoder.receive(hex("84"))
        #expect(encoder.knownReceivedCount == 1)
        #expect(encoder.outstandingSectionCount == 0)
        #expect(encoder.blockingStreamCount == 0)
    }

    // Holds: 9204-4.4.1-1
    @Test("Sections of a stream are acknowledged one by one, the earliest first (RFC 9204 section 2.2.2.1)")
    func order() throws {
        var encoder = try encoder()
        _ = encoder.encode([("server", "godwit")], stream: 4)
        #expect(encoder.outstandingSectionCount == 2)
        try encoder.receive(hex("84"))
        #expect(encoder.knownReceivedCount == 1)
        #expect(encoder.blockingStreamCount == 1)
        try encoder.receive(hex("84"))
        #expect(encoder.knownReceivedCount == 2)
        #expect(encoder.blockingStreamCount == 0)
        #expect(errorKind { try encoder.receive(hex("84")) } == .decoderStreamError)
    }

    @Test("A cancellation releases the references and says nothing of the inserts (RFC 9204 section 2.2.2.2)")
    func cancellation() throws {
        var encoder = try encoder()
        _ = encoder.encode([("server", "godwit")], stream: 4)
        try encoder.receive(hex("44"))
        #expect(encoder.knownReceivedCount == 0)
        #expect(encoder.outstandingSectionCount == 0)
        #expect(encoder.blockingStreamCount == 0)
        // Nobody knows what the other end still has: a cancellation is never too many.
        try encoder.receive(hex("44 48"))
    }

    @Test("An increment says that inserts are there and releases nothing (RFC 9204 section 4.4.3)")
    func increment() throws {
        var encoder = try encoder()
        try encoder.receive(hex("01"))
        #expect(encoder.knownReceivedCount == 1)
        #expect(encoder.outstandingSectionCount == 1)
        #expect(encoder.blockingStreamCount == 0)
    }

    // Holds: 9204-4.4.1-1, 9204-4.4.3-1, 9204-7.4-1
    @Test(
        "Instructions that break a rule are errors (RFC 9204 sections 4.4.1 and 4.4.3)",
        arguments: [
            "00", "02", "3f00", "01 01", "88", "84 84", "44 84", "3fffffffffffffffffff7f",
            "ffffffffffffffffffffff",
        ])
    func errors(instructions: String) throws {
        var encoder = try encoder()
        let error = qpackError { try encoder.receive(hex(instructions)) }
        #expect(error?.kind == .decoderStreamError)
        #expect(error?.code == 0x202)
        #expect(error?.scope == .connection)
    }

    // Holds: 9204-4.4.1-1
    @Test("A section without references can't be acknowledged (RFC 9204 section 4.4.1)")
    func noReferences() throws {
        var encoder = try makeEncoder()
        _ = encoder.encode([(":method", "GET")], stream: 4)
        #expect(errorKind { try encoder.receive(hex("84")) } == .decoderStreamError)
    }

    @Test("Instructions may be cut anywhere")
    func cuts() throws {
        var encoder = try makeEncoder()
        _ = encoder.encode(Self.line, stream: 1_000_000)
        for byte in hex("ffc1833d") { try encoder.receive([byte]) }
        #expect(encoder.outstandingSectionCount == 0)
    }

    @Test("A server that forgets the table it offered is in error (RFC 9204 section 3.2.3)")
    func rememberedSettings() throws {
        for capacity in [0, 100, 8192] as [UInt64] {
            var encoder = try makeEncoder(table: 4096)
            let error = qpackError {
                try encoder.applyPeerSettings(maximumTableCapacity: capacity, blockedStreams: 100)
            }
            #expect(error?.kind == .decoderStreamError)
        }
        var encoder = try makeEncoder(table: 0)
        try encoder.applyPeerSettings(maximumTableCapacity: 4096, blockedStreams: 100)
        try encoder.applyPeerSettings(maximumTableCapacity: 4096, blockedStreams: 100)
    }
}
