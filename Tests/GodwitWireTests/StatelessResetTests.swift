import GodwitWire
import Testing

@Suite("Stateless resets")
struct StatelessResetTests {
    private let token = StatelessResetToken(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)

    // Holds: 9000-10.3-4
    @Test("A reset looks like a short header and ends in its token (RFC 9000 section 10.3)")
    func layout() {
        for fill in [UInt8(0), 0xff] {
            let datagram = [UInt8](repeating: fill, count: 5).withUnsafeBytes { unpredictable in
                written { StatelessReset.encode(token, unpredictable: unpredictable, into: &$0) }
            }
            #expect(datagram.count == StatelessReset.minimumLength)
            #expect(datagram[0] == 0x40 | fill & 0x3f)
            #expect(datagram.withUnsafeBytes { StatelessReset.token(of: $0) } == token)
        }
    }

    @Test("The last 16 bytes count whatever the datagram begins with (RFC 9000 section 10.3)")
    func detection() {
        let tail = written { $0.writeResetToken(token) }
        for first in [UInt8(0x00), 0x40, 0xc0] {
            let datagram = [first, 1, 2, 3, 4] + tail
            #expect(datagram.withUnsafeBytes { StatelessReset.token(of: $0) } == token)
        }
        #expect(([1, 2, 3, 4] + tail).withUnsafeBytes { StatelessReset.token(of: $0) } == nil)
        #expect([].withUnsafeBytes { StatelessReset.token(of: $0) } == nil)
    }

    // Holds: 9000-10.3-2, 9000-10.3.3-1
    @Test(
        "A reset is shorter than what it answers, so that none loops for ever (RFC 9000 section 10.3.3)"
    )
    func lengths() {
        for count in 0...21 { #expect(StatelessReset.length(answering: count) == nil) }
        for count in 22...43 { #expect(StatelessReset.length(answering: count) == count - 1) }
        for count in [44, 1200, 65527] { #expect(StatelessReset.length(answering: count) == 42) }
    }
}
