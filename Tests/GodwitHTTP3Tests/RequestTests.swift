import GodwitHTTP3
import GodwitTestSupport
import HTTPTypes
import NIOCore
import Testing

@Suite("Requests and their responses", .timeLimit(.minutes(15)))
struct RequestTests {
    // Holds: 9114-4.1-8
    @Test("A request is answered in one call, and its fields arrive (RFC 9114 section 4.1)")
    func oneShot() async throws {
        try await HTTP3Pair.run { request, body, response in
            #expect(request.method == .get)
            #expect(request.scheme == "https")
            #expect(request.authority == "localhost")
            #expect(request.path == "/hello?x=1")
            #expect(request.headerFields[.accept] == "text/plain")
            try await response.respond(.ok, fields: [.contentType: "text/plain"], body: "hello\n")
        } _: { pair in
            try await pair.withClient { client in
                let (response, body) = try await client.send(
                    .test(.get, "/hello?x=1", fields: [.accept: "text/plain"]))
                #expect(response.status == .ok)
                #expect(response.headerFields[.contentType] == "text/plain")
                #expect(response.headerFields[.contentLength] == "6")
                #expect(response.headerFields[.date]?.hasSuffix("GMT") == true)
                #expect(String(buffer: try await body.collect(upTo: 100)) == "hello\n")
            }
        }
    }

    @Test("Content streams both ways at once, with nothing lost (RFC 9114 section 4.1)")
    func echo() async throws {
        try await HTTP3Pair.run { request, body, response in
            let writer = try await response.send(HTTPResponse(status: .ok))
            for try await chunk in body { try await writer.write(chunk) }
            try await writer.finish()
        } _: { pair in
            try await pair.withClient { client in
                let content = pattern(1 << 20)
                let (response, body) = try await client.send(.test(.post, "/echo"), body: .bytes(content))
                #expect(response.status == .ok)
                #expect(try await body.collect(upTo: 2 << 20) == content)
            }
        }
    }

    // Holds: 9114-4.1-8
    @Test("A conversation: each side waits for what the other says, in one request (RFC 9114 section 4.1)")
    func conversation() async throws {
        try await HTTP3Pair.run { request, body, response in
            let writer = try await response.send(.ok)
            for try await chunk in body { try await writer.write(chunk) }
        } _: { pair in
            try await pair.withClient { client in
                let request = try await client.begin(.test(.post))
                let (_, body) = try await request.response()
                var answers = body.makeAsyncIterator()
                for word in ["one", "two", "three"] {
                    try await request.writer.write(Array(word.utf8))
                    let answer = try await answers.next()
                    #expect(answer.map { String(buffer: $0) } == word)
                }
                try await request.writer.finish()
                let end = try await answers.next()
                #expect(end == nil)
            }
        }
    }

    @Test("Many requests share a connection, more than the server allows at once (RFC 9000 section 4.6)")
    func many() async throws {
        try await HTTP3Pair.run {
            $0.limits.concurrentRequests = 8
        } handler: { request, body, response in
            try await response.respond(.ok, body: request.path ?? "")
        } _: { pair in
            try await pair.withClient { client in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<50 {
                        group.addTask {
                            let (_, body) = try await client.send(.test(.get, "/\(number)"))
                            return String(buffer: try await body.collect(upTo: 100)) == "/\(number)"
                        }
                    }
                    for try await isRight in group { #expect(isRight) }
                }
            }
        }
    }

    @Test("Interim responses come before the final one (RFC 9114 section 4.1)")
    func informational() async throws {
        let hints = Report<String?>()
        try await HTTP3Pair.run { request, body, response in
            for link in ["</a>", "</b>"] {
                try await response.sendInformational(
                    HTTPResponse(status: .earlyHints, headerFields: [HTTPField.Name("Link")!: link]))
            }
            try await response.respond(.ok)
        } _: { pair in
            try await pair.withClient { client in
                var options = HTTP3RequestOptions()
                options.onInformational = { hints.send($0.headerFields[HTTPField.Name("Link")!]) }
                let (response, _) = try await client.send(.test(), options: options)
                #expect(response.status == .ok)
                #expect(await hints.next() == "</a>")
                #expect(await hints.next() == "</b>")
            }
        }
    }

    @Test("A client that expects 100 gets it when the handler wants the content (RFC 9110 section 10.1.1)")
    func expectContinue() async throws {
        let interim = Report<Int>()
        try await HTTP3Pair.run { request, body, response in
            let content = try await body.collect(upTo: 100)
            try await response.respond(.ok, body: content)
        } _: { pair in
            try await pair.withClient { client in
                var options = HTTP3RequestOptions()
                options.onInformational = { interim.send($0.status.code) }
                let request = try await client.begin(
                    .test(.post, fields: [HTTPField.Name("Expect")!: "100-continue"]), options: options)
                #expect(await interim.next() == 100)
                try await request.writer.finish(ByteBuffer(string: "content"))
                let (response, body) = try await request.response()
                #expect(response.status == .ok)
                #expect(String(buffer: try await body.collect(upTo: 100)) == "content")
            }
        }
    }

    // Holds: 9114-4.1-6, 9114-4.1-7, 9114-4.2-1
    @Test("Trailers follow the content, both ways (RFC 9114 section 4.1)")
    func trailers() async throws {
        let digest = HTTPField.Name("X-Digest")!
        try await HTTP3Pair.run { request, body, response in
            let content = try await body.collect(upTo: 100)
            #expect(await body.trailers?[digest] == "up")
            let writer = try await response.send(.ok)
            try await writer.write(content)
            try await writer.finish(trailers: [digest: "down"])
        } _: { pair in
            try await pair.withClient { client in
                let content = HTTP3Content.writing { writer in
                    try await writer.write(Array("content".utf8))
                    try await writer.finish(trailers: [digest: "up"])
                }
                let (_, body) = try await client.send(.test(.post), body: content)
                #expect(await body.trailers == nil)
                #expect(String(buffer: try await body.collect(upTo: 100)) == "content")
                #expect(await body.trailers?[digest] == "down")
            }
        }
    }

    // Holds: 9114-4.2.1-1
    @Test("Cookies come in several lines and are one value to the handler (RFC 9114 section 4.2.1)")
    func cookies() async throws {
        try await HTTP3Pair.run { request, body, response in
            try await response.respond(.ok, body: request.headerFields[.cookie] ?? "")
        } _: { pair in
            try await pair.withClient { client in
                let (_, body) = try await client.send(.test(fields: [.cookie: "a=1; b=2; c=3"]))
                #expect(String(buffer: try await body.collect(upTo: 100)) == "a=1; b=2; c=3")
            }
        }
    }

    // Holds: 9114-3.1.2-1
    @Test("Nothing but https is asked for: who serves another scheme is not known (RFC 9114 section 3.1.2)")
    func otherSchemes() async throws {
        try await HTTP3Pair.run { request, body, response in
            try await response.respond(.ok, body: request.scheme ?? "")
        } _: { pair in
            try await pair.withClient { client in
                for scheme in ["http", "HTTP", "ftp"] {
                    let request = HTTPRequest(method: .get, scheme: scheme, authority: "localhost", path: "/")
                    let error = await failure { try await client.send(request) }
                    #expect(error.isMalformed(field: ":scheme"))
                }
                let request = HTTPRequest(method: .get, scheme: "HTTPS", authority: "localhost", path: "/")
                let (_, body) = try await client.send(request)
                #expect(String(buffer: try await body.collect(upTo: 100)) == "HTTPS")
            }
        }
    }

    // Holds: 9114-10.6-1, 9114-10.6-2
    @Test("Content is never compressed on its way: it may hold secrets (RFC 9114 section 10.6)")
    func uncompressed() async throws {
        let text = ByteBuffer(string: String(repeating: "secret", count: 1000))
        try await HTTP3Pair.run { request, body, response in
            #expect(request.headerFields[.contentEncoding] == nil)
            #expect(request.headerFields[.contentLength] == "6000")
            try await response.respond(.ok, body: body.collect(upTo: 6000))
        } _: { pair in
            try await pair.withClient { client in
                let fields: HTTPFields = [.acceptEncoding: "gzip, br, zstd"]
                let (response, body) = try await client.send(.test(.post, fields: fields), body: .bytes(text))
                #expect(response.headerFields[.contentEncoding] == nil)
                #expect(response.headerFields[.contentLength] == "6000")
                #expect(try await body.collect(upTo: 6000) == text)
            }
        }
    }

    // Holds: 9114-4.1-5, 9114-4.2-3, 9114-4.2-6
    @Test("What must not stand in a message is not sent, and harms no other request (RFC 9114 section 4.2)")
    func forbiddenFields() async throws {
        try await HTTP3Pair.run { request, body, response in
            let refused = await failure { try await response.send(.ok, fields: [.connection: "close"]) }
            #expect(refused.isMalformed(field: "connection"))
            try await response.respond(.ok, body: "still there")
        } _: { pair in
            try await pair.withClient { client in
                for (name, value) in [
                    ("connection", "close"), ("transfer-encoding", "chunked"), ("te", "gzip"),
                ] {
                    let error = await failure {
                        try await client.send(.test(fields: [HTTPField.Name(name)!: value]))
                    }
                    #expect(error.isMalformed(field: name))
                }
                let (_, body) = try await client.send(.test())
                #expect(String(buffer: try await body.collect(upTo: 100)) == "still there")
            }
        }
    }
}

extension Optional<any Error> {
    fileprivate func isMalformed(field: String) -> Bool {
        if case .notSent(.malformed(field, _))? = self as? HTTP3Failure { true } else { false }
    }
}
