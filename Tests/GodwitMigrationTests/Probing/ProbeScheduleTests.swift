import GodwitWire
import Testing

@testable import GodwitMigration

@Suite("When challenges are sent")
struct ProbeScheduleTests {
    // Specs/server-migration.md 5.4.1
    @Test(
        "25 ms for a second, then an eighth of the time since, at most a second"
    )
    func intervals() {
        for (elapsed, interval) in [
            (0, 25), (999, 25), (1000, 125), (4000, 500), (8000, 1000), (60000, 1000),
        ] {
            #expect(
                ProbeSchedule.interval(after: .milliseconds(Int64(elapsed))) == .milliseconds(Int64(interval))
            )
        }
        #expect(ProbeSchedule.interval(after: .seconds(-5)) == .milliseconds(25))
    }

    @Test("More than four candidates share what four may spend (Specs/server-migration.md 5.4.2)")
    func sharing() {
        for (candidates, interval) in [(1, 25_000), (4, 25_000), (5, 31_250), (8, 50_000), (12, 75_000)] {
            let spacing = ProbeSchedule.Spacing(candidates: candidates)
            #expect(ProbeSchedule.interval(after: .zero, spacing) == .microseconds(Int64(interval)))
        }
        #expect(ProbeSchedule.interval(after: .zero, .init(slowdown: 4)) == .milliseconds(100))
    }

    @Test("The ports of a host share what one address may spend (Specs/server-migration.md 5.4.2)")
    func sharedHost() {
        for (candidates, ports, interval) in [(2, 2, 50), (4, 4, 100), (8, 2, 50), (8, 8, 200)] {
            let spacing = ProbeSchedule.Spacing(candidates: candidates, ports: ports)
            #expect(ProbeSchedule.interval(after: .zero, spacing) == .milliseconds(Int64(interval)))
        }
        // A quarter of the time since, from 200 ms on.
        let two = ProbeSchedule.Spacing(candidates: 2, ports: 2)
        #expect(ProbeSchedule.interval(after: .milliseconds(400), two) == .milliseconds(100))
    }

    @Test(
        "Who speaks up is asked at once, and only once sooner than planned (Specs/server-migration.md 5.4.6)")
    func hastening() {
        var random = SeededRandom(seed: 1)
        var schedule = ProbeSchedule(startedAt: .zero)
        schedule.onSent(at: .zero, .init(), using: &random)
        let heard = Instant.zero + .milliseconds(1)
        schedule.hasten(at: heard)
        #expect(schedule.next == heard)
        schedule.onSent(at: heard, .init(), using: &random)
        let planned = schedule.next
        #expect(planned >= heard + .milliseconds(20))
        schedule.hasten(at: heard + .milliseconds(1))
        #expect(schedule.next == planned)
    }

    @Test("Nothing makes an interval shorter than the peer can bear (Specs/server-migration.md 5.10)")
    func minimum() {
        var random = SeededRandom(seed: 1)
        for minimum in [1, 20, 26, 90] {
            for _ in 0..<50 {
                var schedule = ProbeSchedule(startedAt: .zero)
                schedule.onSent(at: .zero, .init(minimum: .milliseconds(Int64(minimum))), using: &random)
                #expect(schedule.next >= .zero + .milliseconds(Int64(max(20, minimum))))
                #expect(schedule.next <= .zero + .microseconds(Int64(max(30_000, minimum * 1200))))
            }
        }
    }

    // Holds: W2
    @Test("Intervals vary by a fifth either way, and no two clients alike (Specs/server-migration.md 5.4.3)")
    func jitter() {
        var firstTimes: Set<Int64> = []
        var (least, most) = (Int64.max, Int64.min)
        for seed in 0..<300 {
            var (schedule, random) = (ProbeSchedule(startedAt: .zero), SeededRandom(seed: UInt64(seed)))
            schedule.onSent(at: .zero, .init(), using: &random)
            firstTimes.insert(schedule.next.nanoseconds)
            (least, most) = (min(least, schedule.next.nanoseconds), max(most, schedule.next.nanoseconds))
        }
        #expect(firstTimes.count > 290)
        #expect((20_000_000...21_000_000).contains(least))
        #expect((29_000_000...30_000_000).contains(most))
    }

    // Specs/server-migration.md 5.5
    @Test(
        "A minute's challenges fit into the budget of an address, but for the end"
    )
    func total() {
        var (schedule, random) = (ProbeSchedule(startedAt: .zero), SeededRandom(seed: 7))
        var (count, countAt8) = (0, 0)
        while schedule.next < .zero + .seconds(60) {
            count += 1
            if schedule.next < .zero + .seconds(8) { countAt8 = count }
            schedule.onSent(at: schedule.next, .init(), using: &random)
        }
        #expect((54...62).contains(countAt8))
        #expect((105...115).contains(count))
    }

    @Test("A freeze moves a schedule as a whole")
    func freeze() {
        var schedule = ProbeSchedule(startedAt: .zero, delay: .milliseconds(5))
        schedule.shift(by: .seconds(3600))
        #expect(schedule == ProbeSchedule(startedAt: .zero + .seconds(3600), delay: .milliseconds(5)))
    }
}
