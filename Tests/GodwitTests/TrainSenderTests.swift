import Testing

@testable import Godwit

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("Sending trains to a system that refuses")
struct TrainSenderTests {
    /// A train of three datagrams and a rest.
    private let train = pattern(3 * 100 + 30)

    /// Sends the train to a system that answers with these errnos in turn, and then with none.
    private func send(
        usesTrains: Bool = true, errnos: [CInt]
    ) -> (outcome: SendOutcome, calls: [Int], stillUsesTrains: Bool) {
        var (errnos, calls): (ArraySlice<CInt>, [Int]) = (errnos[...], [])
        var sender = TrainSender(usesTrains: usesTrains)
        let outcome = train.withUnsafeBytes { train in
            sender.send(train, segmentSize: 100) { bytes, _ in
                calls.append(bytes.count)
                return errnos.popFirst() ?? 0
            }
        }
        return (outcome, calls, sender.usesTrains)
    }

    @Test("A train takes one call")
    func whole() {
        let result = send(errnos: [])
        #expect(result.outcome == .sent)
        #expect(result.calls == [330])
    }

    @Test("Without trains each datagram takes a call")
    func oneByOne() {
        let result = send(usesTrains: false, errnos: [])
        #expect(result.outcome == .sent)
        #expect(result.calls == [100, 100, 100, 30])
    }

    @Test("A train that finds no room is kept", arguments: [EAGAIN, ENOBUFS])
    func noRoom(number: CInt) {
        #expect(send(errnos: [number]).outcome == .blocked(sent: 0))
        #expect(send(usesTrains: false, errnos: [0, 0, number]).outcome == .blocked(sent: 200))
    }

    @Test("A system that takes no trains is given datagrams from then on", arguments: [EIO, EINVAL])
    func noTrains(number: CInt) {
        let result = send(errnos: [number])
        #expect(result.outcome == .sent)
        #expect(result.calls == [330, 100, 100, 100, 30])
        #expect(!result.stillUsesTrains)
    }

    @Test(
        "Datagrams too large for the path are told by their size, and the rest is sent (RFC 9000 section 14.3)"
    )
    func tooLarge() {
        let result = send(errnos: [EMSGSIZE, EMSGSIZE, EMSGSIZE, EMSGSIZE])
        #expect(result.outcome == .tooLarge(100))
        #expect(result.calls == [330, 100, 100, 100, 30])
        #expect(result.stillUsesTrains)
    }

    @Test("What ICMP told of an earlier datagram costs a second attempt and nothing else")
    func hint() {
        let result = send(errnos: [ECONNREFUSED])
        #expect(result.outcome == .sent)
        #expect(result.calls == [330, 330])
    }

    @Test("A train that can't be sent at all is lost")
    func refused() {
        #expect(send(errnos: [EPERM]).outcome == .refused(EPERM))
        #expect(send(errnos: [EINVAL, EINVAL]).outcome == .refused(EINVAL))
        #expect(send(errnos: [ENETUNREACH, ENETUNREACH]).outcome == .refused(ENETUNREACH))
    }
}
