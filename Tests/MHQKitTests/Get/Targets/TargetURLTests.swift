import Testing

@testable import MHQKit

@Suite struct TargetURLTests {
    @Test("A URL is taken apart (RFC 3986)")
    func parts() throws {
        let url = try TargetURL("HTTPS://Example.ORG:4433/a/b?c=d#e")
        #expect(url.host == "example.org")
        #expect(url.port == 4433)
        #expect(url.path == "/a/b?c=d")
        #expect(url.authority == "example.org:4433")
        #expect(url.fileName == "b")
    }

    @Test(
        "What may be left out has its usual value",
        arguments: [
            ("https://a", "a:443", "/"), ("a", "a:443", "/"), ("a:4433", "a:4433", "/"),
            ("a/b", "a:443", "/b"),
            ("https://a:443/", "a:443", "/"), ("https://a:/x", "a:443", "/x"),
            ("https://a?b", "a:443", "/?b"),
            ("https://a#b", "a:443", "/"), ("https://[::1]:1/x", "[::1]:1", "/x"),
            ("[2001:DB8::1]", "[2001:db8::1]:443", "/"),
            ("localhost:4433/x", "localhost:4433", "/x"),
        ])
    func defaults(text: String, hostAndPort: String, path: String) throws {
        let url = try TargetURL(text)
        #expect(url.hostAndPort == hostAndPort)
        #expect(url.path == path)
    }

    @Test("The usual port is left out of requests (RFC 9110 section 4.2.2)")
    func authority() throws {
        #expect(try TargetURL("https://a:443").authority == "a")
        #expect(try TargetURL("https://[::1]").authority == "[::1]")
        #expect(try TargetURL("https://[::1]:2").authority == "[::1]:2")
        #expect(try TargetURL("https://[::1]:2").host == "::1")
    }

    @Test(
        "Dots are taken away, and what a URL can't hold is encoded",
        arguments: [
            ("a/b/../c", "/c"), ("a/./b/.", "/b/"), ("a/b/..", "/"), ("a/../../x", "/x"),
            ("a/b/%2e%2e/c", "/b/%2e%2e/c"),
            ("a/ä", "/%C3%A4"), ("a/x|y", "/x%7Cy"), ("a/?ü=\"", "/?%C3%BC=%22"), ("a//b/", "//b/"),
            ("a/%zz", "/%zz"),
            ("a/?x=../y", "/?x=../y"),
        ])
    func paths(text: String, path: String) throws {
        #expect(try TargetURL(text).path == path)
    }

    @Test(
        "What is wrong is said",
        arguments: [
            ("", "is empty"), ("http://a", "http"), ("ftp://a", "ftp"), ("https://", "names no host"),
            ("https:///a", "names no host"), ("https://u:p@a/", "names a user"), ("https://a:0/", "'0'"),
            ("https://a:65536/", "'65536'"), ("https://a:+1/", "'+1'"), ("https://a:x", "'x'"),
            ("a b", "space"),
            ("a\nb", "control"), ("https://::1/", "brackets"), ("https://[::1/", "IPv6"),
            ("https://[a]/", "IPv6"),
            ("https://a,b/", "characters"), ("https://ä/", "characters"), ("https://a%20b/", "characters"),
        ])
    func wrong(text: String, word: String) {
        let problem = #expect(throws: TargetURL.Problem.self) { try TargetURL(text) }
        #expect(problem?.reason.contains(word) == true, "\(problem?.reason ?? "")")
    }

    @Test(
        "The last name of a path may be a file's, unless it leads elsewhere",
        arguments: [
            ("a/b/c.txt", "c.txt"), ("a/b%20c", "b c"), ("a/x?y=/z", "x"), ("a/", nil), ("a", nil),
            ("a/b/", nil),
            ("a/%2e%2e", nil), ("a/%2E", nil), ("a/..%2Fb", nil), ("a/x%00y", nil), ("a/%zz", nil),
        ] as [(String, String?)])
    func fileName(text: String, expected: String?) throws {
        #expect(try TargetURL(text).fileName == expected)
    }
}
