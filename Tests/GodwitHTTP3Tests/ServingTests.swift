import Godwit
import GodwitTestSupport
import HTTPTypes
import Logging
import NIOCore
import Testing

@testable import GodwitHTTP3

@Suite("Servers, their certificates and addresses", .timeLimit(.minutes(15)))
struct ServingTests {
    @Test("Certificates are replaced while connections live, and later handshakes get the new ones")
    func replacedCertificates() async throws {
        let (old, new) = (TestCertificate(names: ["127.0.0.1"]), TestCertificate(names: ["127.0.0.1"]))
        let configuration = try HTTP3ServerConfiguration(certificate: old.identity)
        try await HTTP3Pair.run(
            configuration: configuration
        ) { _ in
        } client: {
            $0 = try! HTTP3ClientConfiguration(trust: .insecureNoVerification)
        } handler: { _, _, response in
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { before in
                #expect(try await before.quic.handshakeCompleted().peerCertificates == [old.certificate.der])
                pair.server.credentials.replace(with: [new.identity])
                #expect(try await before.send(.test()).0.status == .ok)
                try await pair.withClient { after in
                    let shown = try await after.quic.handshakeCompleted().peerCertificates
                    #expect(shown == [new.certificate.der])
                }
                #expect(try await before.send(.test()).0.status == .ok)
            }
        }
    }

    // Holds: 9114-3.2-1, 9114-3.2-2
    @Test("Each name that the server has gets its own certificate (RFC 6066 section 3)")
    func serverNames() async throws {
        let certificates = ["a.test", "b.test"].map { TestCertificate(names: [$0]) }
        let credentials = ServerCredentials(certificates.map(\.identity))
        let configuration = try HTTP3ServerConfiguration(credentials: credentials)
        try await HTTP3Pair.run(
            configuration: configuration
        ) { _ in
        } client: {
            $0 = try! HTTP3ClientConfiguration(trust: .certificates(certificates.map(\.certificate)))
            $0.quic.resolver = LoopbackResolver()
        } handler: { request, _, response in
            try await response.respond(.ok)
        } _: { pair in
            for (name, certificate) in zip(["a.test", "b.test"], certificates) {
                let shown = try await HTTP3Client.connect(
                    to: name, port: pair.port, configuration: pair.client, eventLoopGroup: pair.group
                ) { try await $0.quic.handshakeCompleted().peerCertificates }
                #expect(shown == [certificate.certificate.der])
            }
        }
    }

    @Test("A server at [::] serves IPv6 and IPv4")
    func dualStack() async throws {
        try await HTTP3Pair.run(at: "[::]:0", loops: 2) { _, _, response in
            let address = await response.context.remoteAddress
            try await response.respond(.ok, body: address.isIPv4 ? "IPv4" : "IPv6")
        } _: { pair in
            for (host, family) in [("127.0.0.1", "IPv4"), ("::1", "IPv6")] {
                let answer = try await HTTP3Client.connect(
                    to: host, port: pair.port, configuration: pair.client, eventLoopGroup: pair.group
                ) { client in
                    let (_, body) = try await client.send(.test())
                    return String(buffer: try await body.collect(upTo: 100))
                }
                #expect(answer == family)
            }
        }
    }

    @Test("Requests, cancellations and limits are counted under the documented labels")
    func metrics() async throws {
        let recorder = MetricsRecorder()
        var tally = ServerTally(HTTP3ServerMetrics(factory: recorder))
        for status in [200, 204, 302, 404, 500, 0, 999] { tally.noteAnswered(status) }
        tally.cancelled += 2
        tally.noteLimit("contentSize")
        tally.report()
        tally.noteAnswered(200)
        tally.report()
        #expect(recorder["godwit_http3_requests status=2xx"] == 3)
        #expect(recorder["godwit_http3_requests status=3xx"] == 1)
        #expect(recorder["godwit_http3_requests status=4xx"] == 1)
        #expect(recorder["godwit_http3_requests status=5xx"] == 2)
        #expect(recorder["godwit_http3_requests status=none"] == 1)
        #expect(recorder["godwit_http3_requests_cancelled"] == 2)
        #expect(recorder["godwit_http3_limits_hit limit=contentSize"] == 1)
    }

    @Test("There is a record of every request that has ended, also of those that no handler has seen")
    func records() async throws {
        let records = Report<HTTP3RequestRecord>()
        try await HTTP3Pair.run {
            $0.limits.contentSize = 5
            $0.onRequestEnd = { records.send($0) }
        } handler: { request, body, response in
            try await response.respond(.ok, body: body.collect(upTo: 5))
        } _: { pair in
            try await pair.withClient { client in
                let (_, echo) = try await client.send(.test(.post, "/echo"), body: .bytes(pattern(5)))
                _ = try await echo.collect(upTo: 5)
                _ = try await client.send(.test(.post, "/large"), body: .bytes(pattern(6)))
            }
            let (echo, large) = (await records.next(), await records.next())
            #expect(echo?.request?.path == "/echo")
            #expect(echo?.status == 200)
            #expect(echo?.bytesReceived == 5)
            #expect(echo?.bytesSent == 5)
            #expect(echo?.failure == nil)
            #expect(large?.request?.path == "/large")
            #expect(large?.status == 413)
        }
    }

    // Holds: 9114-6.2-1
    @Test("Each side may open the streams that HTTP/3 needs (RFC 9114 section 6.2)")
    func unidirectionalStreams() throws {
        let server = try HTTP3ServerConfiguration(certificate: TestCertificate.shared.identity)
        #expect(server.listener(loops: 1).transport.maxIncomingUnidirectionalStreams >= 3)
        let client = try HTTP3ClientConfiguration(trust: .insecureNoVerification)
        #expect(client.transport.transport.maxIncomingUnidirectionalStreams >= 3)
    }

    @Test("What clients may do becomes the transport's limits")
    func limits() throws {
        var configuration = try HTTP3ServerConfiguration(certificate: TestCertificate.shared.identity)
        configuration.limits.connections = 7
        configuration.limits.handshakes = 6
        configuration.limits.waitingConnections = 5
        configuration.limits.concurrentRequests = 4
        configuration.limits.sendBuffer = 3000
        configuration.limits.connectionIdleTime = .seconds(2)
        configuration.limits.handshakeTime = .seconds(1)
        let quic = configuration.listener(loops: 2)
        #expect(quic.server.maxConnections == 4)
        #expect(quic.server.maxHandshakes == 3)
        #expect(quic.maxPendingConnections == 5)
        #expect(quic.transport.maxIncomingBidirectionalStreams == 4)
        #expect(quic.transport.streamSendBuffer == 3000)
        #expect(quic.transport.idleTimeout == .seconds(2))
        #expect(quic.transport.handshakeTimeout == .seconds(1))
        #expect(quic.transport.maxDatagramFrameSize == 0)
        configuration.areDatagramsEnabled = true
        #expect(configuration.listener(loops: 1).transport.maxDatagramFrameSize > 0)
    }
}

/// Knows every name as the loopback interface.
struct LoopbackResolver: QUICNameResolver {
    func addresses(of host: String) async throws -> [IPAddress] { [IPAddress("127.0.0.1")!] }
}
