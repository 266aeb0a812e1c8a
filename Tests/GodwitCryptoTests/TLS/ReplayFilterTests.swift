import GodwitCrypto
import Testing

@Suite("The filter against replayed early data")
struct ReplayFilterTests {
    // Holds: 9001-9.2-1
    @Test("What was seen within the window is not let through again (RFC 8446 section 8.2)")
    func single() {
        let filter = ReplayFilter(window: 150, refusesFirstWindow: false)
        #expect(filter.admit([1], now: 1000))
        #expect(filter.admit([2], now: 1000))
        for now in [1000, 1001, 1149, 1150, 1299] as [Int64] { #expect(!filter.admit([1], now: now)) }
    }

    @Test("What is older than two windows is forgotten")
    func forgetting() {
        let filter = ReplayFilter(window: 150, refusesFirstWindow: false)
        #expect(filter.admit([1], now: 1000))
        #expect(filter.admit([1], now: 1301))
        // An entry made at the end of one window is still known at the end of the next.
        #expect(filter.admit([2], now: 1450))
        #expect(!filter.admit([2], now: 1599))
    }

    @Test("A filter that is full refuses instead of growing, until a window is over")
    func capacity() {
        let filter = ReplayFilter(window: 150, capacity: 3, refusesFirstWindow: false)
        let admitted = (0..<10 as Range<UInt8>).map { filter.admit([$0], now: 1000) }
        #expect(admitted == [true, true, true] + Array(repeating: false, count: 7))
        #expect(filter.admit([20], now: 1150))
    }

    @Test("A filter that has just begun can't know what came before (RFC 8446 section 8.2)")
    func firstWindow() {
        let filter = ReplayFilter(window: 150)
        #expect(!filter.admit([1], now: 1000) && !filter.admit([2], now: 1149))
        #expect(filter.admit([3], now: 1150))
    }

    @Test("A clock that is set back opens no gap")
    func clockSetBack() {
        let filter = ReplayFilter(window: 150, refusesFirstWindow: false)
        #expect(filter.admit([1], now: 1000))
        #expect(!filter.admit([1], now: 500) && !filter.admit([1], now: 600))
    }
}
