import GodwitCrypto
import GodwitWire
import Testing

@Suite("Peers that break the rules of the handshake")
struct MisbehavingPeerTests {
    // MARK: Transport parameters

    // Holds: 9001-8.2-2
    @Test("A ClientHello without transport parameters closes with 0x016d (RFC 9001 section 8.2)")
    func missingClientParameters() throws {
        let client = try TLSClient(.test()).makeHandshake(
            serverName: "server.test", transportParameters: [1], usesLegacyCodepoint: true)
        let pair = HandshakePair(client, try TLSServer(.test()).handshake())
        pair.run()
        #expect(pair.server.failure?.code.rawValue == 0x016d)
    }

    // Holds: 9001-8.2-2
    @Test("An answer without transport parameters closes with 0x016d (RFC 9001 section 8.2)")
    func missingServerParameters() throws {
        let (client, server) = try flights()
        var extensions = HandshakeMessages(server.sent(at: .handshake))
        extensions.removeExtension(57, fromMessage: 8)
        client.receive(server.sent(at: .initial), at: .initial)
        client.receive(extensions.bytes, at: .handshake)
        #expect(client.failure?.code.rawValue == 0x016d)
    }

    // Holds: 9000-7-1
    @Test("Changed transport parameters make the handshake fail (RFC 9000 section 7)")
    func changedParameters() throws {
        let (client, server) = try flights()
        var flight = server.sent(at: .handshake)
        let start = try #require(flight.firstRange(of: Array("server parameters".utf8))).lowerBound
        flight[start] ^= 1
        client.receive(server.sent(at: .initial), at: .initial)
        client.receive(flight, at: .handshake)
        #expect(client.failure?.alert == 51 && client.summary == nil)
    }

    // MARK: Application protocol

    // Holds: 9000-7-2, 9001-8.1-2, 9001-8.1-3, 9001-8.1-6
    @Test(
        "A server that picks a protocol that wasn't offered, or none, is told 0x0178 (RFC 9001 section 8.1)")
    func wrongProtocol() throws {
        for isMissing in [false, true] {
            let (client, server) = try flights()
            var extensions = HandshakeMessages(server.sent(at: .handshake))
            if isMissing {
                extensions.removeExtension(16, fromMessage: 8)
            } else {
                extensions.replaceExtension(16, with: [0, 3, 2] + Array("h9".utf8), inMessage: 8)
            }
            client.receive(server.sent(at: .initial), at: .initial)
            client.receive(extensions.bytes, at: .handshake)
            #expect(client.failure?.code.rawValue == 0x0178)
        }
    }

    // MARK: Levels

    // Holds: 9001-8.3-2
    @Test("Handshake bytes in 0-RTT packets are a PROTOCOL_VIOLATION (RFC 9001 section 8.3)")
    func earlyDataLevel() throws {
        let (client, server) = try flights()
        for side in [client, server] {
            side.receive([1], at: .earlyData)
            #expect(side.failure?.code == .protocolViolation)
        }
    }

    // Holds: 9001-4.1.3-2
    @Test("New bytes at a level that TLS has left are a PROTOCOL_VIOLATION (RFC 9001 section 4.1.3)")
    func oldLevel() throws {
        let (client, server) = try flights()
        server.receive([1], at: .initial)
        client.receive(server.sent(at: .initial), at: .initial)
        client.receive([2], at: .initial)
        #expect(client.failure?.code == .protocolViolation && server.failure?.code == .protocolViolation)
    }

    // Holds: 9001-4.1.3-3
    @Test("Bytes behind the ServerHello at its level are a PROTOCOL_VIOLATION (RFC 9001 section 4.1.3)")
    func excessBytes() throws {
        let (client, server) = try flights()
        client.receive(server.sent(at: .initial) + [2, 0, 0, 1], at: .initial)
        #expect(client.failure?.code == .protocolViolation)
    }

    @Test("Bytes that come before their level are kept, up to a bound (RFC 9000 section 7.5)")
    func aheadOfTime() throws {
        let (client, server) = try flights()
        client.receive(server.sent(at: .handshake), at: .handshake)
        #expect(client.failure == nil && client.summary == nil)
        client.receive(server.sent(at: .initial), at: .initial)
        #expect(client.summary != nil)

        let (flooded, _) = try flights()
        flooded.receive([UInt8](repeating: 0, count: 4096), at: .oneRTT)
        #expect(flooded.failure == nil)
        for _ in 0..<16 { flooded.receive([UInt8](repeating: 0, count: 4096), at: .oneRTT) }
        #expect(flooded.failure?.code == .cryptoBufferExceeded)
    }

    @Test("A message that never ends is cut off with CRYPTO_BUFFER_EXCEEDED (RFC 9000 section 7.5)")
    func endlessMessage() throws {
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        server.receive([1, 0, 0x3f, 0xff], at: .initial)
        for _ in 0..<20 where server.failure == nil {
            server.receive([UInt8](repeating: 0, count: 1000), at: .initial)
        }
        #expect(server.failure != nil)
    }

    // MARK: Messages that QUIC forbids

    // Holds: 9001-6-2
    @Test("A KeyUpdate of TLS closes with 0x010a (RFC 9001 section 6)")
    func keyUpdate() throws {
        let pair = try completed()
        for side in [pair.client, pair.server] {
            side.receive([24, 0], at: .oneRTT)
            #expect(side.failure?.code.rawValue == 0x010a)
        }
    }

    // Holds: 9001-4.4-4
    @Test("A CertificateRequest after the handshake is a PROTOCOL_VIOLATION (RFC 9001 section 4.4)")
    func certificateRequest() throws {
        let pair = try completed()
        pair.client.receive([13, 0, 0, 3, 0, 0, 0], at: .oneRTT)
        #expect(pair.client.failure?.code == .protocolViolation)
    }

    @Test("Other messages after the handshake close with unexpected_message")
    func unexpectedMessages() throws {
        for type in [1, 2, 5, 8, 11, 15, 20, 99] as [UInt8] {
            let pair = try completed()
            for side in [pair.client, pair.server] {
                side.receive([type, 0, 0, 0], at: .oneRTT)
                #expect(side.failure?.alert == 10)
            }
        }
        let pair = try completed()
        pair.server.receive([4, 0, 0, 0], at: .oneRTT)
        #expect(pair.server.failure?.alert == 10)
    }

    @Test("An EndOfEarlyData message closes with 0x010a (RFC 9001 section 8.3)")
    func endOfEarlyData() throws {
        let (_, server) = try flights()
        server.receive([5, 0, 0, 0], at: .handshake)
        #expect(server.failure?.code.rawValue == 0x010a)
    }

    @Test(
        "A client that asks for middlebox compatibility commits a PROTOCOL_VIOLATION (RFC 9001 section 8.4)")
    func compatibilityMode() throws {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        client.start()
        var hello = HandshakeMessages(client.sent(at: .initial))
        hello.insertSessionID([UInt8](repeating: 7, count: 32))
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        server.receive(hello.bytes, at: .initial)
        #expect(server.failure?.code == .protocolViolation)
    }

    // Holds: 9001-4.6.1-2
    @Test(
        "A ticket with a false early data size is a PROTOCOL_VIOLATION (RFC 9001 section 4.6.1)"
    )
    func ticketSize() throws {
        for (size, isAllowed) in [([0, 0, 0x40, 0] as [UInt8], false), ([0xff, 0xff, 0xff, 0xff], true)] {
            let pair = try completed()
            let body: [UInt8] = [0, 0, 1, 0, 1, 2, 3, 4, 1, 0, 0, 2, 9, 9, 0, 8, 0, 42, 0, 4] + size
            pair.client.receive([4, 0, 0, UInt8(body.count)] + body, at: .oneRTT)
            #expect(pair.client.failure?.code == (isAllowed ? nil : .protocolViolation))
            #expect(pair.client.tickets.count == (isAllowed ? 1 : 0))
        }
    }

    // MARK: Noise

    @Test("Noise at any level, at any stage, completes no handshake and traps nowhere")
    func noise() throws {
        var random = randomGenerator(1)
        for round in 0..<60 {
            let (client, server) = try flights()
            if round % 3 == 1 { client.receive(server.sent(at: .initial), at: .initial) }
            if round % 3 == 2 {
                client.receive(server.sent(at: .initial), at: .initial)
                client.receive(server.sent(at: .handshake), at: .handshake)
            }
            for side in [client, server] {
                let wasComplete = side.session.isComplete
                for _ in 0..<4 {
                    let level = EncryptionLevel.allCases[Int(random.next() % 4)]
                    side.receive(random.bytes(Int(random.next() % 400)), at: level)
                }
                #expect(side.session.isComplete == wasComplete)
            }
        }
    }

    @Test("A changed byte anywhere in a flight is noticed at the latest by the Finished messages")
    func changedBytes() throws {
        var random = randomGenerator(2)
        let (client, server) = (try TLSClient(.test { $0.groups = [.x25519] }), try TLSServer(.test()))
        for _ in 0..<150 {
            let (one, other) = (
                HandshakeParticipant(client.handshake()), HandshakeParticipant(server.handshake())
            )
            one.start()
            var hello = one.sent(at: .initial)
            let changesHello = random.next() % 2 == 0
            if changesHello { change(&hello, &random) }
            other.receive(hello, at: .initial)
            one.receive(other.sent(at: .initial), at: .initial)
            var flight = other.sent(at: .handshake)
            if !changesHello, !flight.isEmpty { change(&flight, &random) }
            one.receive(flight, at: .handshake)
            other.receive(one.sent(at: .handshake), at: .handshake)
            #expect(!one.session.isComplete && !other.session.isComplete)
        }
    }

    // MARK: What a ClientHello holds

    // Holds: 9001-4.2-1, 9001-5.3-1, 9001-8.2-1, 9001-8.4-1
    @Test(
        "A ClientHello offers TLS 1.3 alone and no session id (RFC 9001 sections 4.2, 8.2, 8.4)"
    )
    func clientHello() throws {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        client.start()
        let hello = HandshakeMessages(client.sent(at: .initial))
        #expect(hello.sessionIDLength == 0)
        #expect(hello.extensionData(43, inMessage: 1) == [2, 3, 4])
        #expect(hello.extensionData(57, inMessage: 1) == Array("client parameters".utf8))
        #expect(hello.suites.sorted() == [0x1301, 0x1302, 0x1303])
    }

    // Holds: 9001-8.2-1
    @Test("The server's transport parameters are in its EncryptedExtensions (RFC 9001 section 8.2)")
    func encryptedExtensions() throws {
        let (_, server) = try flights()
        let messages = HandshakeMessages(server.sent(at: .handshake))
        #expect(messages.extensionData(57, inMessage: 8) == Array("server parameters".utf8))
    }

    // Holds: 9001-5.3-2
    @Test("Suites that we don't know are no reason to refuse a ClientHello (RFC 9001 section 5.3)")
    func unknownSuites() throws {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        client.start()
        var hello = HandshakeMessages(client.sent(at: .initial))
        hello.insertSuites([0x1305, 0x8a8a])
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        server.receive(hello.bytes, at: .initial)
        #expect(server.failure == nil && !server.sent(at: .initial).isEmpty)
    }

    // Holds: 9001-4.2-2
    @Test("A ClientHello for TLS 1.2 alone is refused (RFC 9001 section 4.2)")
    func oldVersion() throws {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        client.start()
        var hello = HandshakeMessages(client.sent(at: .initial))
        hello.removeExtension(43, fromMessage: 1)
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        server.receive(hello.bytes, at: .initial)
        #expect(server.failure?.alert == 70)
    }

    private func change(_ bytes: inout [UInt8], _ random: inout RandomGenerator) {
        let index = Int(random.next() % UInt64(bytes.count))
        bytes[index] ^= 1 << UInt8(random.next() % 8)
    }

    private func completed() throws -> HandshakePair {
        let pair = HandshakePair(try TLSClient(.test()).handshake(), try TLSServer(.test()).handshake())
        pair.run()
        #expect(pair.isComplete)
        return pair
    }

    /// A client that has sent its ClientHello, and a server that has answered it.
    private func flights() throws -> (client: HandshakeParticipant, server: HandshakeParticipant) {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        client.start()
        server.receive(client.sent(at: .initial), at: .initial)
        return (client, server)
    }
}
