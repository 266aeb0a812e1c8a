import GodwitWire
import NIOCore
import NIOPosix
import Testing

@testable import Godwit

@Suite("Event loops, clocks and timers", .timeLimit(.minutes(1)))
struct LoopTests {
    @Test("Tasks run on the loop that they prefer and come back to it")
    func executor() async throws {
        try await withEventLoops(2) { group in
            let loops = Array(group.makeIterator())
            let drivers = loops.map { LoopDriver.of($0) }
            #expect(LoopDriver.of(loops[0]) === drivers[0])
            await withTaskExecutorPreference(drivers[0]) {
                #expect(loops[0].inEventLoop)
                await drivers[1].run {
                    #expect(loops[1].inEventLoop)
                    await Task.yield()
                    #expect(loops[1].inEventLoop)
                }
                #expect(loops[0].inEventLoop)
            }
        }
    }

    @Test("A task that never rests does not keep the loop from anything else")
    func greedyTask() async throws {
        try await withEventLoops(1) { group in
            let loop = group.next()
            let greedy = Task(executorPreference: LoopDriver.of(loop)) {
                while !Task.isCancelled { await Task.yield() }
            }
            // Both of these need the loop to look beyond its queue of tasks.
            try await loop.scheduleTask(in: .milliseconds(5)) {}.futureResult.get()
            let channel = try await DatagramBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).get()
            try await channel.close()
            greedy.cancel()
            await greedy.value
        }
    }

    @Test("Instants are offsets that never run backwards, and go on after a freeze")
    func clock() {
        var clock = LoopClock(at: .uptimeNanoseconds(1000))
        #expect(clock.read(.uptimeNanoseconds(1500)) == Instant(nanoseconds: 500))
        #expect(clock.read(.uptimeNanoseconds(1200)) == Instant(nanoseconds: 500))
        #expect(clock.time(of: Instant(nanoseconds: 700)) == .uptimeNanoseconds(1700))
        // The host it goes on on was started a moment ago.
        clock.resume(at: .uptimeNanoseconds(10))
        #expect(clock.read(.uptimeNanoseconds(30)) == Instant(nanoseconds: 520))
        #expect(clock.time(of: Instant(nanoseconds: 520)) == .uptimeNanoseconds(30))
        #expect(clock.time(of: .distantFuture) == .distantFuture || clock.time(of: .distantFuture) > .uptimeNanoseconds(1 << 62))
        #expect(clock.time(of: Instant(nanoseconds: 100)) == .uptimeNanoseconds(0))
        // And one that has been up for a century.
        clock.resume(at: .uptimeNanoseconds(1 << 61))
        #expect(clock.read(.uptimeNanoseconds(1 << 61 + 5)) == Instant(nanoseconds: 525))
    }

    @Test("No more timers run than deadlines that lie before one another")
    func alarms() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try! group.syncShutdownGracefully() }
        var alarms = AlarmStack()
        func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }
        func push(_ instant: Instant) throws {
            alarms.push(instant, try group.next().scheduleCallback(at: .distantFuture, handler: NoCallback()))
        }
        #expect(alarms.needsAlarm(at: at(100)))
        try push(at(100))
        #expect(!alarms.needsAlarm(at: at(100)))
        #expect(!alarms.needsAlarm(at: at(200)))
        #expect(alarms.needsAlarm(at: at(50)))
        try push(at(50))
        #expect(!alarms.popExpired(now: at(49)))
        #expect(alarms.popExpired(now: at(60)))
        #expect(!alarms.needsAlarm(at: at(100)))
        #expect(alarms.popExpired(now: at(100)))
        #expect(alarms.needsAlarm(at: at(1000)))
        try push(at(1000))
        alarms.cancelAll()
        #expect(alarms.needsAlarm(at: at(2000)))
    }

    private struct NoCallback: NIOScheduledCallbackHandler, Sendable {
        func handleScheduledCallback(eventLoop: some EventLoop) {}
    }
}
