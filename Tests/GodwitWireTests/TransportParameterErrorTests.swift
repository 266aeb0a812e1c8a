import GodwitWire
import Testing

@Suite("Transport parameters that are wrong")
struct TransportParameterErrorTests {
    private func error(_ bytes: [UInt8], sender: Role = .server) -> TransportErrorCode? {
        do throws(TransportError) {
            _ = try TransportParameters.decode(bytes, sender: sender, keeping: [0x64])
            return nil
        } catch {
            return error.code
        }
    }

    // Holds: 9000-4.6-1, 9000-7.4-1, 9000-18.2-7
    @Test(
        "Values out of range are refused (RFC 9000 section 18.2)",
        arguments: [
            // max_udp_payload_size 1199, ack_delay_exponent 21, max_ack_delay 2^14,
            // active_connection_id_limit 0 and 1.
            "03 02 44af", "0a 01 15", "0b 04 80004000", "0e 01 00", "0e 01 01",
            // initial_max_streams_bidi and _uni of 2^60 + 1 (section 4.6).
            "08 08 d000000000000001", "09 08 d000000000000001",
        ])
    func outOfRange(text: String) {
        #expect(error(hex(text)) == .transportParameterError)
    }

    @Test(
        "Values at the ends of their ranges are fine (RFC 9000 section 18.2)",
        arguments: [
            "03 02 44b0", "03 08 ffffffffffffffff", "0a 01 14", "0b 02 7fff", "0e 01 02",
            "08 08 d000000000000000",
            "09 08 d000000000000000", "01 08 ffffffffffffffff", "00 00",
            "0f 14 0102030405060708090a0b0c0d0e0f1011121314",
        ])
    func inRange(text: String) {
        #expect(error(hex(text)) == nil)
    }

    // Holds: 9000-7.4-1
    @Test(
        "Values of the wrong length or form are refused (RFC 9000 section 7.4)",
        arguments: [
            // Integers: nothing, too little, something behind.
            "04 00", "04 01 40", "04 02 0505", "01 03 400500", "20 00",
            // Connection ids of 21 bytes.
            "00 15 0102030405060708090a0b0c0d0e0f101112131415",
            "0f 15 0102030405060708090a0b0c0d0e0f101112131415",
            "10 15 0102030405060708090a0b0c0d0e0f101112131415",
            // Tokens of 15 and 17 bytes.
            "02 0f 000000000000000000000000000000", "02 11 0000000000000000000000000000000000",
            // Flags with a value (RFC 9000 section 18.2, RFC 9287 section 3).
            "0c 01 00", "6ab2 01 01",
            // A length beyond the end, an identifier without length, half an identifier.
            "04 02 05", "04", "40", "3fff",
        ])
    func malformed(text: String) {
        #expect(error(hex(text)) == .transportParameterError)
    }

    // Holds: 9000-18.2-5
    @Test(
        "A preferred address has a connection id of 1 to 20 bytes and no more (RFC 9000 section 18.2)"
    )
    func preferredAddress() {
        let addresses = "c0000201 01bb 20010db8000000000000000000000001 01bb"
        let token = String(repeating: "00", count: 16)
        func bytes(_ rest: String) -> [UInt8] { TransportParameterTests.entry(0x0d, hex(addresses + rest)) }
        #expect(error(bytes("01 aa \(token)")) == nil)
        #expect(error(bytes("00 \(token)")) == .transportParameterError)
        #expect(error(bytes("15 \(String(repeating: "aa", count: 21)) \(token)")) == .transportParameterError)
        #expect(error(bytes("01 aa \(token) 00")) == .transportParameterError)
        #expect(error(bytes("01 aa \(token.dropLast(2))")) == .transportParameterError)
        #expect(error(bytes("")) == .transportParameterError)
    }

    @Test("Version information has whole versions and no version 0 (RFC 9368 section 4)")
    func versionInformation() {
        for text in [
            "11 00", "11 03 000000", "11 05 0000000100", "11 04 00000000", "11 08 00000001 00000000",
        ] {
            #expect(error(hex(text)) == .transportParameterError)
        }
        #expect(error(hex("11 04 00000001")) == nil)
    }

    @Test(
        "A client that chose none of its own versions is refused, a server is not (RFC 9368 sections 3 and 4)"
    )
    func chosenVersion() {
        #expect(error(hex("11 08 00000001 6b3343cf"), sender: .client) == .transportParameterError)
        #expect(error(hex("11 04 00000001"), sender: .client) == .transportParameterError)
        #expect(error(hex("11 0c 00000001 6b3343cf 00000001"), sender: .client) == nil)
        #expect(error(hex("11 08 00000001 6b3343cf"), sender: .server) == nil)
    }

    @Test("A parameter that is sent twice is refused, known or not (RFC 9000 section 7.4)")
    func duplicates() {
        for text in [
            "04 01 05 04 01 05", "0c 00 0c 00", "3b 00 04 01 05 3b 00", "4064 00 4064 00",
            "04 01 05 4004 01 06",
        ] {
            #expect(error(hex(text)) == .transportParameterError)
        }
    }

    // Holds: 9000-18.2-9
    @Test("A client must not send what only servers send (RFC 9000 section 18.2)")
    func serverOnly() {
        let token = String(repeating: "00", count: 16)
        for text in [
            "00 00", "02 10 \(token)", "10 00", "0d 2a c0000201 01bb \(token) 01bb 01 aa \(token)",
        ] {
            #expect(error(hex(text), sender: .client) == .transportParameterError)
            #expect(error(hex(text), sender: .server) == nil)
        }
    }

    @Test("A parameter of an extension is bounded, an unknown one is not")
    func boundedParameters() {
        let long = [UInt8](repeating: 1, count: AdditionalTransportParameters.maxLength + 1)
        #expect(error(TransportParameterTests.entry(0x64, long)) == .transportParameterError)
        #expect(error(TransportParameterTests.entry(0x64, long.dropLast())) == nil)
        #expect(error(TransportParameterTests.entry(0x65, long)) == nil)
    }

    @Test(
        "Whatever the bytes, decoding never traps, and what it accepts it writes back as the same parameters",
        arguments: UInt64(0)..<6)
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for index in 0..<400 {
            let sender: Role = index.isMultiple(of: 2) ? .client : .server
            var bytes = TransportParameterTests.random(&generator, sender: sender)
                .encoded(sender: sender, random: generator.next())
            generator.mutate(&bytes)
            guard let parameters = try? TransportParameters.decode(bytes, sender: sender, keeping: [0x64])
            else {
                continue
            }
            let again = parameters.encoded(sender: sender)
            #expect(try TransportParameters.decode(again, sender: sender, keeping: [0x64]) == parameters)
            _ = (parameters.maxIdleTimeout, parameters.maxAckDelay, parameters.rememberedForEarlyData)
        }
    }
}
