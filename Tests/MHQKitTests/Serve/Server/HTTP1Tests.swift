import Foundation
import NIOCore
import Testing

@testable import MHQKit

/// The server of `mhq serve` as those see it who come over TCP.
@Suite struct HTTP1Tests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("root/index.html", "<p>home")
        try folder.write("root/big", pattern(300_000).map { $0 % 26 + 97 })
    }

    private func connect<Result: Sendable>(
        _ body: @Sendable (RawConnection, RunningServer) async throws -> Result
    ) async throws -> Result {
        try await RunningServer.run {
            $0.root = folder["root"]
        } _: { server in
            try await RawConnection.run(port: server.port, authorityFile: server.authorityFile) {
                try await body($0, server)
            }
        }.0
    }

    @Test("A browser that comes over TCP is told of HTTP/3 (RFC 7838 section 3)")
    func alternative() async throws {
        try await connect { connection, server in
            let answer = try await connection.ask("/")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("\r\nAlt-Svc: h3=\":\(server.port)\"; ma=86400\r\n"))
            #expect(answer.lowercased().contains("\r\ncontent-length: 7\r\n"))
            #expect(answer.contains("\r\nDate: "))
            #expect(answer.hasSuffix("\r\n\r\n<p>home"))
        }
    }

    @Test("Files, their parts, and what they are not")
    func files() async throws {
        let whole = try await connect { connection, _ in try await connection.ask("/big") }
        #expect(whole.hasSuffix(try folder.text("root/big")))
        let part = try await connect { connection, _ in
            try await connection.ask("/big", "Range: bytes=-3\r\n")
        }
        let end = String(try folder.text("root/big").suffix(3))
        #expect(part.hasPrefix("HTTP/1.1 206 ") && part.hasSuffix("\r\n\r\n" + end))
        let head = try await connect { connection, _ in try await connection.ask("/big", method: "HEAD") }
        #expect(head.hasPrefix("HTTP/1.1 200 ") && head.hasSuffix("\r\n\r\n"))
        #expect(head.lowercased().contains("content-length: 300000"))
        let none = try await connect { connection, _ in try await connection.ask("/../x") }
        #expect(none.hasPrefix("HTTP/1.1 400 "))
    }

    @Test("What is posted comes back, after a 100 if the client waits for it (RFC 9110 section 10.1.1)")
    func echo() async throws {
        let answer = try await connect { connection, _ in
            try await connection.send(
                "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            )
            var iterator = connection.inbound.makeAsyncIterator()
            let first = try await iterator.next().map { String(buffer: $0) } ?? ""
            #expect(first.contains("HTTP/1.1 200 ") || first.contains("HTTP/1.1 100 "))
            try await connection.send("hello")
            var text = first
            while let chunk = try await iterator.next() { text += String(buffer: chunk) }
            return text
        }
        #expect(answer.contains("HTTP/1.1 200 OK"))
        #expect(answer.hasSuffix("hello"))
    }

    @Test("A connection serves one request after the other, and several that come at once in their order")
    func keepAlive() async throws {
        let answer = try await connect { connection, _ in
            let request = "HTTP/1.1\r\nHost: a\r\n"
            try await connection.send(
                "GET /bytes/3 \(request)\r\nPOST /bytes/3 \(request)Content-Length: 2\r\n\r\nxxHEAD / \(request)\r\n"
            )
            try await connection.send("GET / \(request)Connection: close\r\n\r\n")
            return try await connection.readToEnd()
        }
        let statuses = answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
        #expect(statuses == ["200", "405", "200", "200"])
        #expect(answer.hasSuffix("<p>home"))
    }

    @Test("A request without a host is refused (RFC 9112 section 3.2)")
    func noHost() async throws {
        let answer = try await connect { connection, _ in
            try await connection.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            return try await connection.readToEnd()
        }
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
    }

    @Test("What is no HTTP gets an answer and the end of the connection")
    func noHTTP() async throws {
        let answer = try await connect { connection, _ in
            try await connection.send("\u{1}\u{2}\u{3}\r\n\r\n")
            return try await connection.readToEnd()
        }
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
    }

    @Test("A connection that is idle ends when the server does")
    func drain() async throws {
        let (answer, exitCode) = try await RunningServer.run {
            $0.gracePeriod = .seconds(600)
        } _: { server in
            try await RawConnection.run(port: server.port, authorityFile: server.authorityFile) {
                connection in
                try await connection.send("GET /bytes/1 HTTP/1.1\r\nHost: a\r\n\r\n")
                var iterator = connection.inbound.makeAsyncIterator()
                var text = ""
                while !text.hasSuffix("\r\n\r\n\0"), let chunk = try await iterator.next() {
                    text += String(buffer: chunk)
                }
                server.end()
                while let chunk = try await iterator.next() { text += String(buffer: chunk) }
                return text
            }
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(exitCode == 0)
    }

    @Test("Without TCP there is nobody at the port")
    func noTCP() async throws {
        try await RunningServer.run {
            $0.servesTCP = false
        } _: { server in
            await #expect(throws: (any Error).self) {
                try await RawConnection.run(port: server.port) { _ in }
            }
        }
    }
}
