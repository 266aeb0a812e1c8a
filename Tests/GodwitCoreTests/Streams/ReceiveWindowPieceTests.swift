import GodwitWire
import Testing

@testable import GodwitCore

@Suite("A receive window and reads in pieces")
struct ReceiveWindowPieceTests {
    private let rtt = TimeSpan.milliseconds(100)

    private func size(after reads: [(consumed: [UInt64], at: Int64)]) -> UInt64 {
        var window = ReceiveWindow(size: 1000)
        for (consumed, milliseconds) in reads {
            for offset in consumed {
                window.noteConsumed(
                    offset, now: .zero + .milliseconds(milliseconds), rtt: rtt, maximumSize: 100_000)
            }
        }
        return window.size
    }

    @Test("What waited for long and is read at one moment shows no haste, in however many pieces it comes")
    func oneMoment() {
        #expect(size(after: [([1000], 0)]) == 1000)
        #expect(size(after: [([300, 900, 1000], 0)]) == 1000)
    }

    @Test("The window grows by the same in one piece and in several (RFC 9000 section 4.2)")
    func pieces() {
        #expect(size(after: [([100], 0), ([1100], 150)]) == 2000)
        #expect(size(after: [([100], 0), ([600, 700, 1100], 150)]) == 2000)
        #expect(size(after: [([50, 100], 0), ([700], 90), ([1300], 170)]) == 2000)
        #expect(size(after: [([50, 100], 0), ([601, 700], 90), ([1300], 170)]) == 2000)
        #expect(size(after: [([100], 0), ([600], 150)]) == 1000)
    }
}
