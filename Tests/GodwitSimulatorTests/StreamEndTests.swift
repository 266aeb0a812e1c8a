import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("The payload checker knows how a stream is to end")
struct StreamEndTests {
    private let host = HostID(index: 0)
    private let direction = StreamDirection(connection: 1, stream: 4, sender: .client)

    private func tell(_ checker: PayloadChecker, _ observation: Observation) -> String? {
        checker.check(observation, from: host, at: .zero)
    }

    private func deliver(_ checker: PayloadChecker, _ range: Range<UInt64>) -> String? {
        PayloadPattern(direction).bytes(range).withUnsafeBytes {
            tell(checker, .received(direction, offset: range.lowerBound, bytes: $0))
        }
    }

    @Test("A stream that its sender gave up ends with the sender's code (RFC 9000 section 3.2)")
    func reset() {
        let checker = PayloadChecker()
        checker.expect(direction, .reset(code: 7))
        #expect(deliver(checker, 0..<10) == nil)
        #expect(!checker.isComplete && checker.checkEnd(at: .zero).count == 1)
        #expect(tell(checker, .reset(direction, code: 7)) == nil)
        #expect(checker.isComplete(connection: 1) && checker.checkEnd(at: .zero).isEmpty)
        #expect(deliver(checker, 10..<11)?.contains("after its end") == true)
        #expect(tell(checker, .reset(direction, code: 7))?.contains("twice") == true)

        let wrong = PayloadChecker()
        wrong.expect(direction, .reset(code: 7))
        #expect(tell(wrong, .reset(direction, code: 8))?.contains("reset with 8, not with 7") == true)
        let whole = PayloadChecker()
        whole.expect(direction, .reset(code: 7))
        #expect(tell(whole, .finished(direction, size: 0))?.contains("but it was reset") == true)
        let untouched = PayloadChecker()
        untouched.expect(direction, size: 0)
        #expect(tell(untouched, .reset(direction, code: 1))?.contains("which nobody did") == true)
    }

    @Test("A stream that is given up behind its end may arrive whole or be reset (RFC 9000 section 3.1)")
    func resetBehindEnd() {
        for observation in [Observation.finished(direction, size: 0), .reset(direction, code: 9)] {
            let checker = PayloadChecker()
            checker.expect(direction, .resetBehindEnd(size: 0, code: 9))
            #expect(tell(checker, observation) == nil)
            #expect(checker.isComplete)
        }
    }

    @Test("A sender that is to stop learns so, or that all has arrived (RFC 9000 section 3.5)")
    func stopped() {
        for observation in [Observation.stopped(direction, code: 5), .acknowledged(direction)] {
            let checker = PayloadChecker()
            checker.expect(direction, .stopped(size: 100, code: 5))
            #expect(checker.checkEnd(at: .zero).first?.contains("not told that it is to stop") == true)
            #expect(tell(checker, observation) == nil)
            #expect(checker.isComplete && checker.checkEnd(at: .zero).isEmpty)
            #expect(tell(checker, observation)?.contains("twice") == true)
        }
        let checker = PayloadChecker()
        checker.expect(direction, .stopped(size: 100, code: 5))
        #expect(tell(checker, .stopped(direction, code: 6))?.contains("stopped with 6, not with 5") == true)
        let nobody = PayloadChecker()
        nobody.expect(direction, size: 100)
        #expect(tell(nobody, .stopped(direction, code: 6))?.contains("nobody asked for") == true)
    }

    @Test("What is acknowledged has been delivered")
    func acknowledged() {
        let checker = PayloadChecker()
        checker.expect(direction, size: 10)
        #expect(tell(checker, .acknowledged(direction))?.contains("when 0 B of it were delivered") == true)
        let good = PayloadChecker()
        good.expect(direction, size: 10)
        #expect(deliver(good, 0..<10) == nil)
        #expect(tell(good, .finished(direction, size: 10)) == nil)
        #expect(tell(good, .acknowledged(direction)) == nil)
    }

    @Test("An end that comes before it is announced is judged in the end")
    func announcedLate() {
        let checker = PayloadChecker()
        #expect(tell(checker, .finished(direction, size: 0)) == nil)
        checker.expect(direction, .reset(code: 1))
        #expect(checker.isComplete)
        #expect(checker.checkEnd(at: .zero).first?.contains("but it was reset") == true)
    }

    @Test("What is announced on a lost connection need not come to its end, before or after the loss")
    func released() {
        let checker = PayloadChecker()
        let other = StreamDirection(connection: 1, stream: 8, sender: .server)
        checker.expect(direction, size: 10)
        checker.release(connection: 1)
        checker.expect(other, size: 10)
        #expect(checker.isComplete && checker.checkEnd(at: .zero).isEmpty)
        // What comes must be right all the same.
        #expect(tell(checker, .finished(direction, size: 3))?.contains("after 0 B were delivered") == true)
        #expect(checker.isComplete)

        let agreement = AgreementChecker()
        agreement.expect(connection: 1)
        agreement.release(connection: 1)
        agreement.expect(connection: 1)
        #expect(agreement.isComplete && agreement.checkEnd(at: .zero).isEmpty)
        for role in [Role.client, .server] {
            let end = Observation.ended(connection: 1, role: role, outcome: "\(role)")
            #expect(agreement.check(end, from: host, at: .zero) == nil)
        }
    }
}
