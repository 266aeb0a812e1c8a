import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("Events happen in order")
struct EventQueueTests {
    @Test("The earliest event comes first, whatever the order they were scheduled in")
    func ordersByTime() {
        var random = DeterministicRandom(seed: 1)
        var queue = EventQueue()
        let times = (0..<500).map { _ in Instant(nanoseconds: Int64(random.integer(below: 100))) }
        for (index, time) in times.enumerated() { queue.schedule(.timer, UInt32(index), at: time) }

        var order: [UInt32] = []
        while let event = queue.popFirst() { order.append(event.subject) }

        let sorted = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
        #expect(order == sorted.map(UInt32.init))
        #expect(queue.isEmpty)
    }

    @Test("Events of one instant happen in the order they were scheduled in, also while others are taken out")
    func keepsOrderWithinAnInstant() {
        var queue = EventQueue()
        for subject in 0..<3 { queue.schedule(.arrival, UInt32(subject), at: .zero) }
        let first = queue.popFirst()
        #expect(first?.subject == 0)
        for subject in 3..<6 { queue.schedule(.arrival, UInt32(subject), at: .zero) }
        var order: [UInt32] = []
        while let event = queue.popFirst() { order.append(event.subject) }
        #expect(order == [1, 2, 3, 4, 5])
    }
}
