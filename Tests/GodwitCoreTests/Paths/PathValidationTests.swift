import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Path validation (RFC 9000 section 8.2)")
struct PathValidationTests {
    private func started(
        at now: Instant = .zero, interval: TimeSpan = .milliseconds(100), timeout: TimeSpan? = .seconds(3)
    ) -> PathValidation {
        var validation = PathValidation()
        validation.start(at: now, interval: interval, timeout: timeout)
        return validation
    }

    @Test("A challenge goes at once, then at doubling intervals, until the time is up (sections 8.2.4, 9.4)")
    func schedule() {
        var validation = started()
        var sent: [Int64] = []
        var data: UInt64 = 0
        while let deadline = validation.deadline(canSend: true), sent.count < 100 {
            if validation.isDue(at: deadline), deadline < validation.givesUpAt {
                validation.onChallengeSent(data, at: deadline, isFullSize: true)
                sent.append(deadline.nanoseconds / 1_000_000)
                data += 1
            } else if validation.failIfOverdue(at: deadline) {
                #expect(deadline == .ms(3000))
            }
        }
        #expect(sent == [0, 100, 300, 700, 1500])
        #expect(validation.state == .failed)
        let late = validation.receive(0, at: .ms(3001))
        #expect(late == nil)
    }

    @Test("A response counts for exactly its challenge, late or not (section 8.2.3)")
    func anyOutstandingChallenge() {
        for answered in UInt64(1)...3 {
            var validation = started()
            for data in UInt64(1)...3 {
                validation.onChallengeSent(data, at: .ms(Int64(data) * 100), isFullSize: true)
            }
            #expect(validation.receive(4, at: .ms(400)) == nil)
            let proof = validation.receive(answered, at: .ms(450))
            #expect(proof?.rtt == .milliseconds(450 - Int64(answered) * 100))
            #expect(validation.state == .succeeded)
            #expect(validation.deadline(canSend: true) == nil)
            // Its copy proves nothing more.
            #expect(validation.receive(answered, at: .ms(460)) == nil)
        }
    }

    // Holds: W10
    @Test("Sixty-four challenges of a candidate count, however many small ones are sent besides (5.4.1)")
    func keptChallenges() {
        var validation = PathValidation()
        validation.startScheduledOutside(outstandingLimit: 64)
        for data in UInt64(1)...64 { validation.onChallengeSent(data, at: .zero, isFullSize: true) }
        for data in UInt64(100)...300 { validation.onChallengeSent(data, at: .ms(100), isFullSize: false) }
        let proof = validation.receive(1, at: .ms(4000))
        #expect(proof == PathValidation.Proof(rtt: .seconds(4), isFullSize: true))
        #expect(validation.state == .succeeded)
    }

    @Test("A small challenge proves the address; the size has to be shown by a padded one (section 8.2.1)")
    func smallChallenge() {
        var validation = started()
        validation.onChallengeSent(1, at: .zero, isFullSize: false)
        #expect(
            validation.receive(1, at: .ms(10))
                == PathValidation.Proof(rtt: .milliseconds(10), isFullSize: false))
        #expect(validation.state == .running && !validation.hasFullSizeChallenge)
        validation.onChallengeSent(2, at: .ms(10), isFullSize: true)
        #expect(validation.hasFullSizeChallenge)
        #expect(validation.receive(2, at: .ms(30))?.isFullSize == true)
        #expect(validation.state == .succeeded)
    }

    @Test("However many challenges go unanswered, a bounded number is kept: the latest")
    func boundedMemory() {
        var validation = started(timeout: nil)
        for data in UInt64(0)..<100 { validation.onChallengeSent(data, at: .zero, isFullSize: true) }
        #expect(validation.receive(83, at: .ms(1)) == nil)
        #expect(validation.receive(84, at: .ms(1)) != nil)
    }

    @Test("Validation that is timed elsewhere sends on request only, keeps more, and never gives up")
    func scheduledOutside() {
        var validation = PathValidation()
        validation.startScheduledOutside(outstandingLimit: 64)
        #expect(validation.deadline(canSend: true) == nil)
        for step in 0..<64 {
            let now = Instant.ms(Int64(step) * 25)
            #expect(!validation.isDue(at: now))
            validation.request(at: now)
            #expect(validation.isDue(at: now))
            validation.onChallengeSent(UInt64(step), at: now, isFullSize: true)
        }
        #expect(validation.failIfOverdue(at: .ms(1_000_000)) == false)
        #expect(validation.receive(0, at: .ms(1600))?.rtt == .milliseconds(1600))
    }

    @Test("While nothing may be sent, being due wakes nobody")
    func blocked() {
        let validation = started()
        #expect(validation.deadline(canSend: true) == .zero)
        #expect(validation.deadline(canSend: false) == .ms(3000))
    }

    @Test("A response from before a freeze proves the path and gives no round-trip time")
    func freeze() {
        var validation = started()
        validation.onChallengeSent(1, at: .zero, isFullSize: true)
        validation.resume(shiftedBy: .seconds(100))
        #expect(validation.deadline(canSend: true) == .ms(100_100))
        #expect(validation.givesUpAt == .ms(103_000))
        let proof = validation.receive(1, at: .ms(100_010))
        #expect(proof == PathValidation.Proof(rtt: nil, isFullSize: true))
    }

    @Test("Of a flood of challenges only the latest are answered, each once (section 8.2.2)")
    func responseFlood() {
        var responses = PathResponses()
        for data in UInt64(0)..<1000 { responses.append(data) }
        responses.append(999)
        #expect(responses.count == PathResponses.capacity)
        var answered: [UInt64] = []
        while let data = responses.removeFirst() { answered.append(data) }
        #expect(answered == [996, 997, 998, 999])
    }

    @Test("Three times what came in may go out, until the address is validated (section 8)")
    func amplification() {
        var limit = AmplificationLimit(isLifted: false)
        #expect(limit.allowance == 0)
        limit.onReceived(100)
        #expect(limit.allowance == 300)
        limit.onSent(299)
        #expect(limit.allowance == 1)
        limit.onSent(50)
        #expect(limit.allowance == 0)
        limit.onReceived(.max)
        #expect(limit.allowance == .max)
        limit.lift()
        #expect(limit.allowance == .max)
    }

    @Test("A rate limit gives its burst, then one an interval, and nothing for the time of a freeze")
    func rateLimit() {
        var limit = RateLimit(burst: 3, interval: .milliseconds(100))
        var taken = 0
        while limit.consume(at: .ms(1000)) { taken += 1 }
        #expect(taken == 3)
        #expect(limit.available(at: .ms(1099)) == 0)
        #expect(limit.available(at: .ms(1250)) == 2)
        #expect(limit.consume(at: .ms(1250)) == true)
        #expect(limit.available(at: .ms(1300)) == 2)
        #expect(limit.available(at: .distantFuture) == 3)
        limit.shift(by: .seconds(60))
        #expect(limit.available(at: .ms(61250)) == 1)
        #expect(limit.available(at: .zero) == 1)
    }
}
