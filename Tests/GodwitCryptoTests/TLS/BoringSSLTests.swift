internal import CNIOBoringSSL
import GodwitWire
import Testing

@testable import GodwitCrypto

/// What only shows when BoringSSL is spoken to directly.
@Suite("BoringSSL underneath")
struct BoringSSLTests {
    @Test(
        "Exported keying material is BoringSSL's own (RFC 8446 section 7.5)", arguments: CipherSuite.allCases)
    func exporter(suite: CipherSuite) throws {
        let client = try TLSClient(.test { $0.cipherSuites = [suite] }).handshake()
        let pair = HandshakePair(client, try TLSServer(.test()).handshake())
        pair.run()
        var expected = [UInt8](repeating: 0, count: 50)
        let (label, context) = ("EXPORTER-godwit", Array("context".utf8))
        #expect(
            SSL_export_keying_material(
                client.ssl, &expected, expected.count, label, label.utf8.count, context, context.count, 1)
                == 1)
        let material = try #require(pair.server.summary).exporterSecret
            .export(label: label, context: context, length: expected.count)
        #expect(material == expected)
    }

    // Holds: 9001-9.2-1
    @Test("A ticket that is older or younger than its client says gives no early data (RFC 9001 section 9.2)")
    func ticketAge() throws {
        let client = try TLSClient(.test())
        let server = try TLSServer(
            .test {
                $0.ticketKeys = .random()
                $0.earlyData = ReplayFilter(refusesFirstWindow: false)
            })
        let first = HandshakePair(client.handshake(), server.handshake(earlyDataContext: "a"))
        first.run()
        SSL_CTX_set_current_time_cb(server.context.context) { _, time in
            time?.pointee.tv_sec = Int(WallClock.now()) + 120
        }
        let second = HandshakePair(
            client.handshake(ticket: first.client.tickets[0], early: true),
            server.handshake(earlyDataContext: "a"))
        second.run()
        #expect(second.isComplete && second.client.summary?.isResumed == true)
        #expect(second.client.actions.contains(.earlyDataRejected))
    }

    // Holds: 9001-8.2-4
    @Test(
        "TLS without QUIC refuses our ClientHello: unsupported_extension (RFC 9001 section 8.2)"
    )
    func otherTransport() throws {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        client.start()
        let hello = client.sent(at: .initial)
        let server = PlainSession()
        SSL_set_accept_state(server.ssl)
        server.feed([22, 3, 1, UInt8(hello.count >> 8), UInt8(hello.count & 0xff)] + hello)
        #expect(SSL_do_handshake(server.ssl) == -1)
        #expect(server.output().first == 21 && server.output().suffix(2) == [2, 110])
    }

    // Holds: 9001-8.2-3
    @Test("TLS without QUIC sends no transport parameters (RFC 9001 section 8.2)")
    func plainClient() {
        let client = PlainSession()
        SSL_set_connect_state(client.ssl)
        #expect(SSL_do_handshake(client.ssl) == -1)
        let hello = HandshakeMessages(Array(client.output().dropFirst(5)))
        #expect(hello.extensionData(43, inMessage: 1) != nil)
        #expect(
            hello.extensionData(57, inMessage: 1) == nil && hello.extensionData(0xffa5, inMessage: 1) == nil)
    }

    // Holds: 9001-8.2-3
    @Test("No session is made without its interface for QUIC (RFC 9001 section 8.2)")
    func alwaysQUIC() throws {
        for session in [try TLSClient(.test()).handshake(), try TLSServer(.test()).handshake()] {
            #expect(SSL_is_quic(session.ssl) == 1)
        }
    }

    // Holds: 9001-6-1
    @Test("A KeyUpdate of TLS can't even be asked for (RFC 9001 section 6)")
    func noKeyUpdate() throws {
        let (client, server) = (try TLSClient(.test()).handshake(), try TLSServer(.test()).handshake())
        let pair = HandshakePair(client, server)
        pair.run()
        for (session, side) in [(client, pair.client), (server, pair.server)] {
            let before = side.sent(at: .oneRTT)
            #expect(SSL_key_update(session.ssl, SSL_KEY_UPDATE_REQUESTED) == 0)
            ERR_clear_error()
            side.receive([], at: .oneRTT)
            #expect(side.sent(at: .oneRTT) == before)
        }
    }

    @Test("Failures leave nothing behind in the thread's queue of errors")
    func errorQueue() throws {
        ERR_clear_error()
        let key = PacketKey(
            secret: TrafficSecret(suite: .aes128GCM, bytes: [UInt8](repeating: 0, count: 32)), version: .v1)
        #expect(key.open([UInt8](repeating: 0, count: 40), packetNumber: 0, header: []) == nil)
        #expect((try? Certificate(der: [1, 2, 3])) == nil && (try? PrivateKey(pem: "-----BEGIN")) == nil)
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        server.receive([1, 0, 0, 1, 0], at: .initial)
        #expect(server.failure != nil && ERR_peek_error() == 0)
    }
}

/// A session of TLS over a byte stream.
private final class PlainSession {
    let ssl: OpaquePointer
    private let context = SSL_CTX_new(TLS_method())
    private let input = BIO_new(BIO_s_mem())
    private let outputBIO = BIO_new(BIO_s_mem())

    init() {
        ssl = SSL_new(context)!
        SSL_set0_rbio(ssl, input)
        SSL_set0_wbio(ssl, outputBIO)
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
        ERR_clear_error()
    }

    func feed(_ bytes: [UInt8]) { BIO_write(input, bytes, CInt(bytes.count)) }

    func output() -> [UInt8] {
        var (bytes, length): (UnsafePointer<UInt8>?, Int) = (nil, 0)
        guard BIO_mem_contents(outputBIO, &bytes, &length) == 1 else { return [] }
        return [UInt8](UnsafeBufferPointer(start: bytes, count: length))
    }
}
