import GodwitWire
import Testing

@testable import GodwitHTTP3

@Suite("Small parts")
struct SupportTests {
    @Test(
        "Dates have the one form that is to be generated (RFC 9110 section 5.6.7)",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] as [(Int64, String)])
    func date(second: Int64, text: String) {
        #expect(HTTPDate.format(second) == text)
    }

    @Test("A date is made anew when its second has passed")
    func dateUpdates() {
        var date = HTTPDate()
        date.update(0)
        #expect(date.text.hasSuffix("00:00:00 GMT"))
        date.update(1)
        #expect(date.text.hasSuffix("00:00:01 GMT"))
    }

    @Test("A bucket allows so much at once, and then what has come in since")
    func bucket() {
        var bucket = TokenBucket(capacity: 2, refillsPerSecond: 10)
        let milliseconds = [0, 0, 0, 90, 110, 110, 1_000_000, 1_000_000, 1_000_000]
        let allowed = milliseconds.map {
            bucket.take(now: Instant(nanoseconds: 5) + TimeSpan(.milliseconds($0)))
        }
        #expect(allowed == [true, true, false, false, true, false, true, true, false])
    }
}
