import Foundation
import GodwitHTTP3
import HTTPTypes
import NIOCore
import Testing

@testable import MHQKit

/// The server of `mhq serve` as a client over HTTP/3 sees it.
@Suite struct WebServerTests {
    private let folder: TemporaryFolder
    private let big = pattern(700_000)

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("root/index.html", "<p>home")
        try folder.write("root/a.txt", "hello, world")
        try folder.write("root/sub dir/index.html", "<p>sub")
        try folder.write("root/empty/none.txt", "")
        try folder.write("root/big", big)
        try folder.write("secret", "secret")
    }

    /// A server with the folder, and a client of it.
    private func ask<Result: Sendable>(
        _ configure: @Sendable (inout WebServerOptions) throws -> Void = { _ in },
        _ body: @Sendable (HTTP3Client) async throws -> Result
    ) async throws -> Result {
        try await RunningServer.run {
            $0.root = folder["root"]
            try configure(&$0)
        } _: {
            try await $0.withClient(body)
        }.0
    }

    @Test("Files are served with what a cache wants to know")
    func files() async throws {
        try await ask { client in
            let home = try await client.ask("/")
            #expect(home.status == 200)
            #expect(home.text == "<p>home")
            #expect(home.fields[.contentType] == "text/html; charset=utf-8")
            #expect(home.fields[.contentLength] == "7")
            #expect(
                home.fields[.eTag] != nil && home.fields[.lastModified] != nil && home.fields[.date] != nil)
            #expect(try await client.ask("/a.txt?x").text == "hello, world")
            #expect(try await client.ask("/big").content == big)
            #expect(try await client.ask("/empty/none.txt").content.isEmpty)
        }
    }

    @Test("HEAD is GET without the content (RFC 9110 section 9.3.2)")
    func head() async throws {
        try await ask { client in
            for path in ["/a.txt", "/big", "/bytes/1000000", "/bytes/5"] {
                let get = try await client.ask(path)
                let head = try await client.ask(path, method: .head)
                #expect(head.status == 200)
                #expect(head.content.isEmpty)
                #expect(head.fields[.contentLength] == "\(get.content.count)")
                #expect(head.fields[.contentType] == get.fields[.contentType])
            }
        }
    }

    @Test("A folder is asked for with a slash behind, and shows its page or nothing")
    func folders() async throws {
        try await ask { client in
            let redirect = try await client.ask("/sub%20dir?x=y")
            #expect(redirect.status == 301)
            #expect(redirect.fields[.location] == "/sub%20dir/?x=y")
            #expect(try await client.ask("/sub%20dir/").text == "<p>sub")
            #expect(try await client.ask("/empty/").status == 404)
            // Not to be read as another server's address.
            #expect(try await client.ask("//sub%20dir").fields[.location] == "/sub%20dir/")
        }
    }

    @Test("Nothing outside of the folder is served, nor what is hidden")
    func escapes() async throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder["root/link"], withDestinationPath: folder["secret"])
        try folder.write("root/.hidden", "hidden")
        try await ask { client in
            let cases = [
                ("/../secret", 400), ("/%2e%2e/secret", 400), ("/..%2fsecret", 404), ("/a.txt%00", 400),
                ("/link", 404), ("/.hidden", 404), ("/none", 404), ("/%zz", 400),
            ]
            for (path, status) in cases {
                let answer = try await client.ask(path)
                #expect(answer.status == status, "\(path)")
            }
        }
    }

    @Test("Parts of files (RFC 9110 section 14)")
    func ranges() async throws {
        try await ask { client in
            let part = try await client.ask("/a.txt", [.range: "bytes=7-"])
            #expect(part.status == 206)
            #expect(part.text == "world")
            #expect(part.fields[.contentRange] == "bytes 7-11/12")
            #expect(part.fields[.contentLength] == "5")
            let joined = try await client.ask("/a.txt", [.range: "bytes=0-1, 2-3"])
            #expect(joined.text == "hell" && joined.status == 206)
            #expect(try await client.ask("/a.txt", [.range: "bytes=0-1, 5-6"]).status == 200)
            let outside = try await client.ask("/a.txt", [.range: "bytes=12-"])
            #expect(outside.status == 416)
            #expect(outside.fields[.contentRange] == "bytes */12")
            let large = try await client.ask("/big", [.range: "bytes=100-400099"])
            #expect(large.content == Array(big[100..<400_100]))
            #expect(large.fields[.contentLength] == "400000")
        }
    }

    @Test("A client keeps the copy that it has (RFC 9110 section 13)")
    func conditions() async throws {
        try await ask { client in
            let first = try await client.ask("/a.txt")
            let tag = try #require(first.fields[.eTag])
            let date = try #require(first.fields[.lastModified])
            let same = try await client.ask("/a.txt", [.ifNoneMatch: tag])
            #expect(same.status == 304)
            #expect(same.content.isEmpty && same.fields[.eTag] == tag)
            #expect(try await client.ask("/a.txt", [.ifModifiedSince: date]).status == 304)
            #expect(try await client.ask("/a.txt", [.ifNoneMatch: "\"other\""]).status == 200)
            #expect(try await client.ask("/a.txt", [.ifMatch: "\"other\""]).status == 412)
            #expect(try await client.ask("/a.txt", [.range: "bytes=0-0", .ifRange: tag]).status == 206)
            #expect(
                try await client.ask("/a.txt", [.range: "bytes=0-0", .ifRange: "\"other\""]).status == 200)
        }
    }

    @Test("Methods that files don't have are refused (RFC 9110 section 15.5.6)")
    func methods() async throws {
        try await ask { client in
            let post = try await client.ask("/a.txt", method: .post, body: .bytes([1]))
            #expect(post.status == 405)
            #expect(post.fields[.allow] == "GET, HEAD, OPTIONS")
            let options = try await client.ask("/a.txt", method: .options)
            #expect(options.status == 204)
            #expect(options.fields[.allow] == "GET, HEAD, OPTIONS")
            #expect(try await client.ask("/echo").status == 405)
        }
    }

    @Test("What is posted to /echo comes back", arguments: [0, 1, 100_000, 3_000_000])
    func echo(size: Int) async throws {
        try await ask { client in
            let content = pattern(size)
            let answer = try await client.ask(
                "/echo", method: .post, [.contentType: "x/y"], body: .bytes(content))
            #expect(answer.status == 200)
            #expect(answer.content == content)
            #expect(answer.fields[.contentType] == "x/y")
        }
    }

    @Test("/bytes/N has N bytes, and /distribution sizes that a seed repeats")
    func fillers() async throws {
        for size in [0, 1, 65_511, 65_512, 1_000_000] {
            let answer = try await ask { try await $0.ask("/bytes/\(size)") }
            #expect(answer.content.count == size)
            #expect(answer.content.enumerated().allSatisfy { $1 == UInt8($0 % 251) })
            #expect(answer.fields[.contentLength] == "\(size)")
        }
        var expected = SizeGenerator(seed: 7)
        let sizes = (0..<20).map { _ in expected.next() }
        try await ask {
            $0.seed = 7
        } _: { client in
            for size in sizes { #expect(try await client.ask("/distribution").content.count == size) }
            let post = try await client.ask("/distribution", method: .post, body: .bytes(pattern(10_000)))
            #expect(post.status == 200 && post.content.isEmpty)
        }
    }

    @Test("Without a folder there is a page that says what there is")
    func noFolder() async throws {
        try await RunningServer.run { server in
            let (page, file) = try await server.withClient { client in
                (try await client.ask("/"), try await client.ask("/a.txt"))
            }
            #expect(page.text.contains("/bytes/N"))
            #expect(file.status == 404)
        }
    }

    @Test("Content above the limit is refused with 413")
    func limits() async throws {
        try await ask {
            $0.limits.contentSize = 1000
        } _: { client in
            let answer = try await client.ask("/echo", method: .post, body: .bytes(pattern(1001)))
            #expect(answer.status == 413)
            #expect(try await client.ask("/echo", method: .post, body: .bytes(pattern(1000))).status == 200)
        }
    }
}
