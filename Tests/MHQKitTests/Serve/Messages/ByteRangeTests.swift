import Testing

@testable import MHQKit

@Suite struct ByteRangeTests {
    @Test(
        "One range of a file (RFC 9110 section 14.1.2)",
        arguments: [
            ("bytes=0-499", 0..<500), ("bytes=500-999", 500..<1000), ("bytes=-500", 9500..<10000),
            ("bytes=9500-", 9500..<10000), ("bytes=0-0", 0..<1), ("bytes=-1", 9999..<10000),
            ("bytes=0-99999", 0..<10000), ("bytes=-99999", 0..<10000), ("BYTES = 1-2", 1..<3),
            ("bytes= 1-2 ,", 1..<3), ("bytes=1-99999999999999999999", 1..<10000),
            ("bytes=9999-9223372036854775807", 9999..<10000), ("bytes=-99999999999999999999", 0..<10000),
        ] as [(String, Range<Int64>)])
    func one(field: String, expected: Range<Int64>) {
        #expect(ByteRange(field, size: 10_000) == .part(expected))
    }

    @Test(
        "Ranges that touch are one, in whatever order; others are dropped where there is nothing",
        arguments: [
            ("bytes=0-4,5-9", 0..<10), ("bytes=5-9, 0-4", 0..<10), ("bytes=0-9,3-4", 0..<10),
            ("bytes=-1000,9000-9499", 9000..<10000), ("bytes=0-4,20000-", 0..<5),
        ] as [(String, Range<Int64>)])
    func joined(field: String, expected: Range<Int64>) {
        #expect(ByteRange(field, size: 10_000) == .part(expected))
    }

    @Test(
        "What breaks the syntax, has another unit, or asks for parts that lie apart is ignored (RFC 9110 section 14.2)",
        arguments: [
            nil, "", "bytes", "bytes=", "bytes=,", "items=0-1", "bytes=a-b", "bytes=5-4", "bytes=1",
            "bytes=--1",
            "bytes=1-2-3", "bytes=+1-2", "bytes=0-1,x", "bytes=0-1,10-11", "bytes=0x1-2", "bytes=- 5",
        ])
    func ignored(field: String?) {
        #expect(ByteRange(field, size: 10_000) == .whole)
    }

    @Test("A hundred ranges are nobody's wish (RFC 9110 section 14.2)")
    func tooMany() {
        let field = "bytes=" + (0..<100).map { "\($0)-\($0)" }.joined(separator: ",")
        #expect(ByteRange(field, size: 10_000) == .whole)
    }

    @Test(
        "What lies behind the end can't be had (RFC 9110 section 15.5.17)",
        arguments: ["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=99999999999999999999-"])
    func unsatisfiable(field: String) {
        #expect(ByteRange(field, size: 10_000) == .unsatisfiable)
    }

    @Test("An empty file has no first byte, and its last bytes are all of it")
    func empty() {
        #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange("bytes=-5", size: 0) == .whole)
        #expect(ByteRange("bytes=-0", size: 0) == .unsatisfiable)
    }
}
