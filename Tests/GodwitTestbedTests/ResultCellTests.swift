import Testing

@testable import GodwitTestbed

@Suite struct ResultCellTests {
    @Test("Lists are Python literals, quoted when they have commas")
    func lists() {
        #expect(ResultCell.list([21_689 as Int64]) == "[21689]")
        #expect(ResultCell.list([1, 2] as [Int64]) == "\"[1, 2]\"")
        #expect(ResultCell.list(["192.168.1.105:6666"]) == "['192.168.1.105:6666']")
        #expect(ResultCell.list([0.5, 1.25]) == "\"[0.5, 1.25]\"")
        #expect(ResultCell.list([["real 0.39", "user 0.04"]]) == "\"[['real 0.39', 'user 0.04']]\"")
        #expect(ResultCell.list([Int64]()) == "[]")
    }

    @Test("Sizes and rates end in K or M, by powers of 1000")
    func sizes() {
        #expect(ResultCell.diskSize(1_460_000) == "1.5M")
        #expect(ResultCell.diskSize(252_000) == "252K")
        #expect(ResultCell.size(1_460_000) == "1.46M")
        #expect(ResultCell.rate(1_460_000, 1.0) == "973.33K bytes/sec")
        #expect(ResultCell.speedup(1_460_000, 1_460_000) == "1.00")
        #expect(ResultCell.diskSize(nil) == "")
        #expect(ResultCell.seconds(nil) == "")
        #expect(ResultCell.flag(true) == "True")
    }
}
