import Dispatch
import GodwitTestSupport
import GodwitWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import Godwit

@Suite("Event loops, clocks and timers", .timeLimit(.minutes(15)))
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

    @Test("What a caller elsewhere wants done on the loop is not overtaken by what it does there later")
    func callsKeepTheirPlace() async throws {
        try await withEventLoops(1) { group in
            let driver = LoopDriver.of(group.next())
            let (isBlocked, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            // While the loop is busy a first visitor has a turn scheduled, in which the later ones come, too.
            driver.eventLoop.execute {
                isBlocked.signal()
                mayGoOn.wait()
            }
            await withUnsafeContinuation { continuation in
                DispatchQueue.global().async {
                    isBlocked.wait()
                    continuation.resume()
                }
            }
            let isCalled = NIOLockedValueBox(false)
            let first = Task(executorPreference: driver) {}
            driver.execute { isCalled.withLockedValue { $0 = true } }
            let later = Task(executorPreference: driver) { isCalled.withLockedValue { $0 } }
            mayGoOn.signal()
            await first.value
            #expect(await later.value)
        }
    }

    @Test("Instants are offsets that never run backwards, and go on after a freeze")
    func clock() {
        var clock = LoopClock(at: .uptimeNanoseconds(1000))
        func read(_ nanoseconds: UInt64) -> Int64 { clock.read(.uptimeNanoseconds(nanoseconds)).nanoseconds }
        #expect(read(1500) == 500)
        #expect(read(1200) == 500)
        #expect(clock.time(of: Instant(nanoseconds: 700)) == .uptimeNanoseconds(1700))
        #expect(clock.time(of: .distantFuture) == .distantFuture)
        // The host on which it goes on was started a moment ago.
        clock.resume(at: .uptimeNanoseconds(10))
        #expect(read(30) == 520)
        #expect(clock.time(of: Instant(nanoseconds: 520)) == .uptimeNanoseconds(30))
        #expect(clock.time(of: Instant(nanoseconds: 100)) == .uptimeNanoseconds(0))
        // And one that has been up for decades.
        clock.resume(at: .uptimeNanoseconds(1 << 60))
        #expect(read(1 << 60 + 5) == 525)
    }

    @Test("No more timers run than deadlines that lie before one another")
    func alarms() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try! group.syncShutdownGracefully() }
        var alarms = AlarmStack()
        func needsAlarm(_ nanoseconds: Int64) -> Bool {
            alarms.needsAlarm(at: Instant(nanoseconds: nanoseconds))
        }
        func popExpired(_ nanoseconds: Int64) -> Bool {
            alarms.popExpired(now: Instant(nanoseconds: nanoseconds))
        }
        func push(_ nanoseconds: Int64) throws {
            let callback = try group.next().scheduleCallback(at: .distantFuture, handler: NoCallback())
            alarms.push(Instant(nanoseconds: nanoseconds), callback)
        }
        #expect(needsAlarm(100))
        try push(100)
        #expect(!needsAlarm(100))
        #expect(!needsAlarm(200))
        #expect(needsAlarm(50))
        try push(50)
        #expect(!popExpired(49))
        #expect(popExpired(60))
        #expect(!needsAlarm(100))
        #expect(popExpired(100))
        #expect(needsAlarm(1000))
        try push(1000)
        alarms.cancelAll()
        #expect(needsAlarm(2000))
    }

    private struct NoCallback: NIOScheduledCallbackHandler, Sendable {
        func handleScheduledCallback(eventLoop: some EventLoop) {}
    }
}
