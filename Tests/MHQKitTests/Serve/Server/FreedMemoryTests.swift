import Testing

@testable import MHQKit

@Suite struct FreedMemoryTests {
    /// After which of these counts of connections memory is given back.
    private func due(_ counts: [Int]) -> [Int] {
        var memory = FreedMemory()
        return counts.filter { memory.isDue(connections: $0) }
    }

    @Test("Memory is given back once most of many connections have gone, and again after the next many")
    func many() {
        #expect(due([0, 500, 1000, 400, 251, 250, 100, 63, 62]) == [250, 62])
        #expect(due([800, 3, 3, 700, 1]) == [3, 1])
    }

    @Test("A few connections are not worth it before all have gone, and then once")
    func few() {
        #expect(due([99, 1, 1]).isEmpty)
        #expect(due([99, 1, 0, 0, 1, 0, 0]) == [0, 0])
    }

    @Test("Giving back does no harm to what is in use")
    func giveBack() {
        let bytes = [[UInt8]](repeating: [UInt8](repeating: 7, count: 10_000), count: 100)
        FreedMemory.giveBack()
        #expect(bytes.allSatisfy { $0.allSatisfy { $0 == 7 } })
    }
}
