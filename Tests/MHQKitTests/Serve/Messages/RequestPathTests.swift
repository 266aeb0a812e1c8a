import Testing

@testable import MHQKit

@Suite struct RequestPathTests {
    private func path(_ target: String) throws -> String {
        String(decoding: try RequestPath(target: target).bytes, as: UTF8.self)
    }

    @Test(
        "A target names a file below the root",
        arguments: [
            ("/a.txt", "a.txt"), ("/a/b/c", "a/b/c"), ("/a%20b", "a b"), ("/a?b=/../c", "a"),
            ("/%C3%A4", "ä"),
            ("//a///b", "a/b"), ("/./a/./b", "a/b"), ("/a%2Eb", "a.b"),
            ("/a..b/...c"[...].dropLast(5) + "", "a..b"),
            ("/.well-known/x", ".well-known/x"), ("/100%25", "100%"),
        ])
    func files(target: String, expected: String) throws {
        #expect(try path(target) == expected)
        #expect(try !RequestPath(target: target).isFolder)
    }

    @Test(
        "A target that ends in a slash names a folder",
        arguments: [("/", ""), ("/a/", "a"), ("/a/b//", "a/b")])
    func folders(target: String, expected: String) throws {
        #expect(try path(target) == expected)
        #expect(try RequestPath(target: target).isFolder)
    }

    @Test(
        "No target leads out of the root, whatever it is disguised as",
        arguments: [
            "/..", "/../etc/passwd", "/a/../../b", "/a/../b", "/%2e%2e/a", "/.%2E/a", "/a/%2e%2e", "/a%00b",
            "/%00",
            "/a%0", "/a%", "/%zz", "/%2", "", "*", "a/b", "https://x/", "/a#b",
        ])
    func malformed(target: String) {
        #expect(throws: RequestPath.Refusal.malformed) { try RequestPath(target: target) }
    }

    @Test(
        "A slash in a name, a hidden file and what is too long are not there",
        arguments: [
            "/a%2Fb", "/..%2Fetc%2Fpasswd", "/%2e%2e%2fa", "/.git/config", "/a/.htpasswd", "/.well-known2/x",
            "/" + String(repeating: "a", count: 256), String(repeating: "/abcdefgh", count: 500),
        ])
    func notFound(target: String) {
        #expect(throws: RequestPath.Refusal.notFound) { try RequestPath(target: target) }
    }

    @Test("The index of a folder is a file in it")
    func index() throws {
        let index = try RequestPath(target: "/a/").appending("index.html")
        #expect(String(decoding: index.bytes, as: UTF8.self) == "a/index.html")
        #expect(!index.isFolder)
        #expect(String(decoding: index.name, as: UTF8.self) == "index.html")
        let top = try RequestPath(target: "/").appending("index.html")
        #expect(String(decoding: top.bytes, as: UTF8.self) == "index.html")
    }
}
