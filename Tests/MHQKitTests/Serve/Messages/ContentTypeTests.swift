import Testing

@testable import MHQKit

@Suite struct ContentTypeTests {
    @Test(
        "The end of a name says what is in a file",
        arguments: [
            ("index.html", "text/html; charset=utf-8"), ("A.HTM", "text/html; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"), ("a.tar.gz", "application/gzip"),
            ("x.wasm", "application/wasm"), ("photo.jpeg", "image/jpeg"), ("data.json", "application/json"),
            ("README", "application/octet-stream"), ("a.", "application/octet-stream"),
            (".html", "application/octet-stream"), ("a.unheard-of-thing", "application/octet-stream"),
            ("", "application/octet-stream"),
        ])
    func types(name: String, expected: String) {
        #expect(ContentType.of(Array(name.utf8)) == expected)
    }
}
