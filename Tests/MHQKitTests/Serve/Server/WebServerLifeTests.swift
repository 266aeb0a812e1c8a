import Foundation
import GodwitHTTP3
import HTTPTypes
import NIOCore
import Testing

@testable import MHQKit

/// How the server of `mhq serve` begins, what it tells, and how it ends.
@Suite(.timeLimit(.minutes(15))) struct WebServerLifeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func writeCertificate(_ name: String, for hosts: [String]) throws -> CertificateFiles {
        let made = try SelfSignedCertificate.make(names: hosts)
        return CertificateFiles(
            certificates: try folder.write(name + ".pem", made.certificate.pem),
            privateKey: try folder.write(name + ".key", made.key.pem))
    }

    @Test("Each request leaves a line of JSON in the access log")
    func accessLog() async throws {
        let log = folder["access.log"]
        try await RunningServer.run {
            $0.accessLog = log
        } _: { server in
            try await server.withClient { client in
                _ = try await client.ask("/bytes/10")
                _ = try await client.ask(
                    "/echo", method: .post, [.userAgent: "te\"st"], body: .bytes([1, 2, 3]))
                _ = try await client.ask("/none")
            }
        }
        let lines = try folder.text("access.log").split(separator: "\n")
        #expect(lines.count == 3)
        #expect(
            lines[0].contains(#""method":"GET","authority":"localhost","path":"/bytes/10","protocol":"h3","#))
        #expect(lines[0].contains(#""status":200,"bytesSent":10,"bytesReceived":0"#))
        #expect(lines[0].contains(#""remote":"127.0.0.1:"#))
        #expect(lines[1].contains(#""status":200,"bytesSent":3,"bytesReceived":3"#))
        #expect(lines[1].contains(#""userAgent":"te\"st""#))
        #expect(lines[2].contains(#""status":404"#))
    }

    @Test("After a reload the log goes on under its name, and new connections get new certificates")
    func reload() async throws {
        let log = folder["access.log"]
        let files = try writeCertificate("server", for: ["localhost", "127.0.0.1"])
        let oldAuthority = try folder.write("old.pem", folder.text("server.pem"))
        try await RunningServer.run {
            $0.accessLog = log
            $0.certificates = [files]
        } _: { server in
            try await server.withClient(authorityFile: oldAuthority) { client in
                _ = try await client.ask("/bytes/1")
                _ = try writeCertificate("server", for: ["localhost", "127.0.0.1"])
                try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
                server.signals.yield(.reload)
                try await Self.wait { FileManager.default.fileExists(atPath: log) }
                try await server.withClient(authorityFile: files.certificates) {
                    _ = try await $0.ask("/bytes/2")
                }
                // A connection that there was goes on.
                _ = try await client.ask("/bytes/3")
            }
        }
        #expect(try folder.text("access.log.1").contains("/bytes/1"))
        #expect(try folder.text("access.log").contains("/bytes/2"))
        #expect(try folder.text("access.log").contains("/bytes/3"))
    }

    /// However slow the machine is; what never comes true is ended by the suite's time limit.
    private static func wait(until isTrue: () -> Bool) async throws {
        while !isTrue() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("Each name gets its own certificate, over HTTP/3 and over TCP")
    func severalCertificates() async throws {
        let files = [
            try writeCertificate("a", for: ["127.0.0.1", "a.test"]),
            try writeCertificate("b", for: ["b.test"]),
        ]
        try await RunningServer.run {
            $0.certificates = files
        } _: { server in
            for (file, name) in [(files[0], "a.test"), (files[1], "b.test"), (files[0], "c.test")] {
                let answer = try await RawConnection.run(
                    port: server.port, authorityFile: file.certificates, serverName: name
                ) { try await $0.ask("/bytes/1") }
                #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(name)")
            }
            try await server.withClient(authorityFile: files[0].certificates) {
                _ = try await $0.ask("/bytes/1")
            }
        }
    }

    @Test("A request that is under way is answered after the server was told to end (RFC 9114 section 5.2)")
    func drain() async throws {
        let (answer, exitCode) = try await RunningServer.run {
            $0.gracePeriod = .seconds(30)
        } _: { server in
            try await server.withClient { client in
                let (pieces, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
                continuation.yield(ByteBuffer(string: "a"))
                let request = HTTPRequest(
                    method: .post, scheme: "https", authority: "localhost", path: "/echo")
                let (_, body) = try await client.send(request, body: .stream(pieces))
                server.end()
                // The server has heard of it when it takes no more requests.
                try await Self.wait { !client.isUsable }
                continuation.yield(ByteBuffer(string: "b"))
                continuation.finish()
                return String(buffer: try await body.collect(upTo: 10))
            }
        }
        #expect(answer == "ab")
        #expect(exitCode == 0)
    }

    @Test("The second signal to end cuts off what is under way")
    func endAtOnce() async throws {
        let (failure, exitCode) = try await RunningServer.run {
            $0.gracePeriod = .seconds(600)
        } _: { server in
            try await server.withClient { client in
                let request = HTTPRequest(
                    method: .post, scheme: "https", authority: "localhost", path: "/echo")
                let conversation = try await client.begin(request)
                let (_, body) = try await conversation.response()
                server.signals.yield(.end(SIGINT))
                server.signals.yield(.end(SIGINT))
                do {
                    _ = try await body.collect(upTo: 10)
                    return nil as HTTP3Failure?
                } catch let failure as HTTP3Failure {
                    return failure
                }
            }
        }
        #expect(failure != nil)
        #expect(exitCode == 128 + SIGINT)
    }

    @Test(
        "The certificate that was made for the run is written down, and goes with it unless it was asked for")
    func selfSigned() async throws {
        let (temporary, _) = try await RunningServer.run { server in
            #expect(FileManager.default.fileExists(atPath: server.authorityFile))
            return server.authorityFile
        }
        #expect(!FileManager.default.fileExists(atPath: temporary))
        let path = folder["own.pem"]
        try await RunningServer.run {
            $0.selfSignedFile = path
        } _: { server in
            #expect(server.authorityFile == path)
            try await server.withClient { _ = try await $0.ask("/") }
        }
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("Metrics are served in the text format of Prometheus")
    func metrics() async throws {
        try await RunningServer.run {
            $0.metrics = try ListenAddress("127.0.0.1:0", option: "--metrics")
        } _: { server in
            let url = try #require(server.server.report.metricsURL)
            let port = try TargetURL(url.replacing("http://", with: "https://")).port
            let page = try await RawConnection.run(port: port) { try await $0.ask("/metrics") }
            #expect(page.hasPrefix("HTTP/1.1 200 "))
            #expect(page.contains("text/plain; version=0.0.4"))
            #expect(page.contains("# TYPE process_resident_memory_bytes gauge"))
            let other = try await RawConnection.run(port: port) { try await $0.ask("/") }
            #expect(other.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test("What keeps a server from starting is told with the option's name")
    func refused() async throws {
        let good = try writeCertificate("good", for: ["a.test"])
        let other = try writeCertificate("other", for: ["b.test"])
        let text = try folder.write("text", "no certificate")
        func failure(_ change: (inout WebServerOptions) -> Void) async -> Failure? {
            var options = WebServerOptions()
            options.listen = [try! ListenAddress("127.0.0.1:0", option: "--listen")]
            change(&options)
            do {
                _ = try await WebServer.start(options)
                return nil
            } catch {
                return error as? Failure
            }
        }
        func pair(_ certificates: String, _ key: String) -> [CertificateFiles] {
            [CertificateFiles(certificates: certificates, privateKey: key)]
        }
        let missing = folder["none"]
        let cases: [(Failure?, String, Int32)] = [
            (await failure { $0.listen = [] }, "--listen: ", ExitCode.usage),
            (await failure { $0.root = missing }, "--root: \(missing): ", ExitCode.noInput),
            (
                await failure { $0.accessLog = missing + "/x" }, "--access-log: \(missing)/x: ",
                ExitCode.cannotCreate
            ),
            (
                await failure { $0.certificates = pair(missing, good.privateKey) },
                "--certificate: \(missing): ", 66
            ),
            (
                await failure { $0.certificates = pair(good.certificates, missing) },
                "--private-key: \(missing): ", 66
            ),
            (await failure { $0.certificates = pair(text, good.privateKey) }, text, ExitCode.dataError),
            (
                await failure { $0.certificates = pair(good.certificates, other.privateKey) },
                other.privateKey, 65
            ),
            (await failure { $0.selfSignedFile = missing + "/x" }, "--write-certificate: \(missing)/x: ", 73),
            (await failure { $0.keyLog = missing + "/x" }, "\(missing)/x: ", ExitCode.cannotCreate),
        ]
        for (failure, prefix, code) in cases {
            #expect(failure?.message.hasPrefix(prefix) == true, "\(prefix): \(failure?.message ?? "")")
            #expect(failure?.exitCode == code, "\(prefix)")
            #expect(failure?.message.contains("\n") == false)
        }
    }

    @Test("A port in use is told with its number")
    func portInUse() async throws {
        try await RunningServer.run { server in
            var options = WebServerOptions()
            options.listen = [try ListenAddress("127.0.0.1:\(server.port)", option: "--listen")]
            let failure = await #expect(throws: Failure.self) { _ = try await WebServer.start(options) }
            #expect(failure?.exitCode == ExitCode.system)
            #expect(failure?.message.contains("--listen: ") == true)
            #expect(failure?.message.contains(":\(server.port)") == true)
        }
    }
}
