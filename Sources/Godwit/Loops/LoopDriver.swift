import NIOConcurrencyHelpers
import NIOCore

/// Runs the endpoints of one event loop, and the tasks that use their connections.
///
/// Tasks that prefer this executor run on the loop's thread, so that what they call goes straight into the
/// core. A turn goes round in this order until nothing is left: tell the tasks what has happened, let them
/// run, and send what the endpoints have. What several tasks write in a turn goes out together.
///
/// SwiftNIO runs whatever is submitted to a loop before it looks at sockets again. So a turn that takes too
/// long is cut short and goes on from a timer, behind the sockets.
final class LoopDriver: TaskExecutor, @unchecked Sendable {
    // Everything but `visitors` is touched on the event loop alone; that is what makes the class `Sendable`.

    let eventLoop: any EventLoop
    /// Where trains are written and read; one of each serves all endpoints, because none keeps anything in
    /// it.
    let sendBuffer: UnsafeMutableRawBufferPointer
    let receiveBuffer: UnsafeMutableRawBufferPointer

    private var jobs: ContiguousArray<UnownedJob> = []
    private var running: ContiguousArray<UnownedJob> = []
    private var busy: ContiguousArray<EndpointLoop> = []
    private var serving: ContiguousArray<EndpointLoop> = []
    private var isTakingTurn = false
    private var isTurnScheduled = false
    /// What other threads have handed over.
    private struct Visitors {
        var calls: ContiguousArray<@Sendable () -> Void> = []
        var jobs: ContiguousArray<UnownedJob> = []
        var isEmpty: Bool { calls.isEmpty && jobs.isEmpty }
    }
    private let visitors = NIOLockedValueBox(Visitors())

    /// The kernel cuts a train up on its way out if with the headers of UDP, IP and the link it is longer
    /// than 64 KB, and then every datagram costs what a train does.
    static let trainCapacity = 65_000
    private static let longestTurn: TimeAmount = .milliseconds(1)
    /// Long enough that the loop looks at its sockets before the timer comes up.
    private static let pause: TimeAmount = .microseconds(20)

    private init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        sendBuffer = .allocate(byteCount: Self.trainCapacity, alignment: 64)
        receiveBuffer = .allocate(byteCount: 1 << 16, alignment: 64)
    }

    deinit {
        sendBuffer.deallocate()
        receiveBuffer.deallocate()
    }

    var isCurrent: Bool { eventLoop.inEventLoop }

    // MARK: One for each event loop

    private struct Weak { weak var driver: LoopDriver? }
    private static let drivers = NIOLockedValueBox<[ObjectIdentifier: Weak]>([:])

    /// The driver of an event loop, made when it is first asked for.
    static func of(_ eventLoop: any EventLoop) -> LoopDriver {
        drivers.withLockedValue { drivers in
            if let driver = drivers[ObjectIdentifier(eventLoop)]?.driver { return driver }
            drivers = drivers.filter { $0.value.driver != nil }
            let driver = LoopDriver(eventLoop)
            drivers[ObjectIdentifier(eventLoop)] = Weak(driver: driver)
            return driver
        }
    }

    // MARK: Tasks

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            scheduleTurn()
        } else {
            receive { $0.jobs.append(job) }
        }
    }

    private func receive(_ visitor: (inout Visitors) -> Void) {
        let isFirst = visitors.withLockedValue { visitors in
            let isFirst = visitors.isEmpty
            visitor(&visitors)
            return isFirst
        }
        if isFirst { eventLoop.execute { self.takeTurn() } }
    }

    /// Lets visitors in: their calls are made at once, so that none is overtaken by a job that its caller
    /// handed over later. Returns whether there was a call.
    private func admitVisitors() -> Bool {
        var calls: ContiguousArray<@Sendable () -> Void> = []
        visitors.withLockedValue { visitors in
            jobs.append(contentsOf: visitors.jobs)
            visitors.jobs.removeAll(keepingCapacity: true)
            swap(&calls, &visitors.calls)
        }
        for call in calls { call() }
        return !calls.isEmpty
    }

    /// Runs what waits; what the jobs enqueue waits for the next round. Returns whether there was any.
    private func runJobs() -> Bool {
        let hasCalled = admitVisitors()
        guard !jobs.isEmpty else { return hasCalled }
        swap(&jobs, &running)
        for index in running.indices { running[index].runSynchronously(on: asUnownedTaskExecutor()) }
        running.removeAll(keepingCapacity: true)
        return true
    }

    // MARK: Turns

    /// Has an endpoint served in this turn, or in one that is to come soon.
    func markBusy(_ endpoint: EndpointLoop) {
        guard !endpoint.isBusy else { return }
        endpoint.isBusy = true
        busy.append(endpoint)
        scheduleTurn()
    }

    private func scheduleTurn() {
        guard !isTakingTurn, !isTurnScheduled else { return }
        isTurnScheduled = true
        eventLoop.execute { self.takeTurn() }
    }

    func takeTurn() {
        guard !isTakingTurn else { return }
        isTakingTurn = true
        isTurnScheduled = false
        let end = NIODeadline.now() + Self.longestTurn
        var (round, isDone) = (0, false)
        while !isDone, round == 0 || NIODeadline.now() < end {
            round += 1
            // What tasks write in a row goes out together; but tasks that never come to rest must not hold it
            // up.
            isDone = !goRound(mayPostponeSending: round % 8 != 0)
        }
        isTakingTurn = false
        if !isDone { continueLater() }
    }

    /// Returns whether anything was done, so that there may be more.
    private func goRound(mayPostponeSending: Bool) -> Bool {
        swap(&serving, &busy)
        for endpoint in serving { endpoint.tellEvents() }
        let hasRun = runJobs()
        for endpoint in serving {
            endpoint.isBusy = false
            if hasRun && mayPostponeSending || endpoint.transmit() { markBusy(endpoint) }
        }
        let hasServed = !serving.isEmpty
        serving.removeAll(keepingCapacity: true)
        return hasRun || hasServed
    }

    private func continueLater() {
        isTurnScheduled = true
        eventLoop.scheduleTask(in: Self.pause) { self.takeTurn() }
    }
}

// What tasks do that wait for something to happen on the loop.
extension LoopDriver {
    /// Does something on the loop: at once if the caller is there, soon if not, but before whatever the
    /// caller does on the loop afterwards.
    func execute(_ body: @escaping @Sendable () -> Void) {
        if isCurrent { body() } else { receive { $0.calls.append(body) } }
    }

    /// Runs something on the loop, for a caller elsewhere.
    nonisolated(nonsending) func run<Result: Sendable>(
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withTaskExecutorPreference(self) { try await LoopDriver.runPreferred(body) }
    }

    /// Runs something on the loop, for a caller elsewhere.
    nonisolated(nonsending) func run<Result: Sendable>(_ body: @Sendable () async -> Result) async -> Result {
        await withTaskExecutorPreference(self) { await LoopDriver.runPreferred(body) }
    }

    // Being concurrent they leave the caller's actor and follow the preference.
    @concurrent
    private static func runPreferred<Result: Sendable>(
        _ body: @Sendable () async throws -> Result
    ) async throws -> Result { try await body() }

    @concurrent
    private static func runPreferred<Result: Sendable>(
        _ body: @Sendable () async -> Result
    ) async -> Result { await body() }

    /// Suspends a task that is on the loop until it is woken. The caller looks again afterwards whether it is
    /// what it waits for, whether it was cancelled, and whether it is on the loop: a task that prefers no
    /// executor may not be.
    ///
    /// - Parameters:
    ///   - enlist: remembers whom to wake.
    ///   - wake: wakes those who are remembered; called on the loop when the task is cancelled.
    nonisolated(nonsending) func suspend(
        _ enlist: (UnsafeContinuation<Void, Never>) -> Void, wake: @escaping @Sendable () -> Void
    ) async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { enlist($0) }
        } onCancel: {
            // Never at once, even on the loop: the task may not be enlisted yet.
            eventLoop.execute(wake)
        }
    }
}
