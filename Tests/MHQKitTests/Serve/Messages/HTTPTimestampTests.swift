import Testing

@testable import MHQKit

@Suite struct HTTPTimestampTests {
    @Test(
        "All three forms of a date are read (RFC 9110 section 5.6.7)",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        ])
    func forms(text: String) {
        #expect(HTTPTimestamp.parse(text) == 784_111_777)
    }

    @Test(
        "What is no date is none",
        arguments: [
            "", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 199 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT", "784111777",
        ])
    func wrong(text: String) {
        #expect(HTTPTimestamp.parse(text) == nil)
    }

    @Test(
        "A date is written as it is read",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] as [(Int64, String)])
    func written(second: Int64, text: String) {
        #expect(HTTPTimestamp.text(second) == text)
        #expect(HTTPTimestamp.parse(text) == second)
    }

    @Test("Every day of four centuries survives")
    func everyDay() {
        for day in stride(from: Int64(-70_000), to: 80_000, by: 13) {
            let second = day * 86_400 + 3_661
            #expect(HTTPTimestamp.parse(HTTPTimestamp.text(second)) == second)
        }
    }

    @Test("Logs have dates with milliseconds (RFC 3339)")
    func logs() {
        #expect(HTTPTimestamp.internetText(784_111_777, milliseconds: 5) == "1994-11-06T08:49:37.005Z")
    }
}
