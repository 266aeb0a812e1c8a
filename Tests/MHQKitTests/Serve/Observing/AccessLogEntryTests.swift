import Testing

@testable import MHQKit

@Suite struct AccessLogEntryTests {
    @Test("A request is one JSON object on one line")
    func whole() {
        var entry = AccessLogEntry()
        entry.time = 784_111_777_005
        entry.remote = "192.0.2.1:5000"
        entry.method = "GET"
        entry.authority = "example.org"
        entry.path = "/a?b"
        entry.version = "h3"
        entry.status = 200
        entry.bytesSent = 1024
        entry.duration = .microseconds(1_500_250)
        entry.userAgent = "curl/8"
        let expected = """
            {"time":"1994-11-06T08:49:37.005Z","remote":"192.0.2.1:5000","method":"GET","authority":"example.org",\
            "path":"/a?b","protocol":"h3","status":200,"bytesSent":1024,"bytesReceived":0,"seconds":1.500250,\
            "userAgent":"curl/8"}
            """
        #expect(entry.json == expected)
    }

    @Test("What did not happen is left out, what is unusual is said")
    func unusual() {
        var entry = AccessLogEntry()
        (entry.isEarlyData, entry.isAborted) = (true, true)
        #expect(!entry.json.contains("status") && !entry.json.contains("userAgent"))
        #expect(entry.json.contains("\"earlyData\":true,\"aborted\":true"))
    }

    @Test("Nothing that a client sends breaks out of the line or the string (RFC 8259 section 7)")
    func hostile() {
        var entry = AccessLogEntry()
        entry.userAgent = "\"}\n{\"\\\u{0}\u{1b}[2J\u{2028}\u{85}ä😀\r\t"
        #expect(entry.json.contains(#""userAgent":"\"}\n{\"\\\u0000\u001b[2J\u2028\u0085ä😀\r\t""#))
        #expect(!entry.json.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }

    @Test("Times of less than a second have all their places")
    func places() {
        var line = JSONLine()
        line.add("a", seconds: .microseconds(7))
        line.add("b", seconds: .zero)
        line.add("c", seconds: .seconds(-1))
        line.add("d", ["x", "\""])
        line.add("e", true)
        #expect(
            line.finished() == #"{"a":0.000007,"b":0.000000,"c":0.000000,"d":["x","\""],"e":true}"#)
    }
}
