import CGodwitSocket
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Tells an event loop when a socket has something to be taken: datagrams, or what the network says.
///
/// A thread of its own polls the sockets of all watches, for SwiftNIO can't be told to leave errors to others. Every
/// event costs a change of threads; only clients whose server may move have such sockets.
final class SocketWatch: @unchecked Sendable {
    // All of it is touched on the event loop alone; that is what makes the class `Sendable`.

    enum Event {
        case ready
        /// The event loop shuts down.
        case eventLoopIsGone
    }

    private let descriptor: SocketDescriptor
    private let eventLoop: any EventLoop
    private let onEvent: (Event) -> Void
    private let poller: SocketPoller
    private var number: UInt64?
    private var isReading: Bool
    /// Whether the poller tells of the next event. It tells of one only.
    private var isArmed = false
    /// Fails with the event loop.
    private var sentinel: Scheduled<Void>?
    private var isOver = false

    /// Nil where the system can't do it.
    init?(
        of descriptor: SocketDescriptor, on eventLoop: any EventLoop, isReading: Bool,
        _ onEvent: @escaping (Event) -> Void
    ) {
        guard let poller = SocketPoller.shared else { return nil }
        (self.poller, self.descriptor, self.eventLoop) = (poller, descriptor, eventLoop)
        (self.isReading, self.onEvent) = (isReading, onEvent)
    }

    func begin() {
        let sentinel = eventLoop.scheduleTask(in: .hours(24 * 365)) {}
        sentinel.futureResult.whenFailure { _ in
            if !self.isOver { self.onEvent(.eventLoopIsGone) }
        }
        self.sentinel = sentinel
        number = poller.add(descriptor) { [eventLoop] in eventLoop.execute { self.onReady() } }
        isArmed = number != nil
        if number == nil { onEvent(.eventLoopIsGone) }
    }

    func setReading(_ isReading: Bool) {
        self.isReading = isReading
        arm()
    }

    func end() {
        isOver = true
        if let number { poller.remove(descriptor, number) }
        sentinel?.cancel()
    }

    private func onReady() {
        isArmed = false
        guard !isOver, isReading else { return }
        onEvent(.ready)
        arm()
    }

    private func arm() {
        guard !isOver, isReading, !isArmed, let number else { return }
        isArmed = true
        poller.arm(descriptor, number)
    }
}

/// Waits for the sockets of all watches.
private final class SocketPoller: Sendable {
    /// Nil where the system can't do it.
    static let shared = SocketPoller()

    private struct State {
        var handlers: [UInt64: @Sendable () -> Void] = [:]
        var latest: UInt64 = 0
    }

    private let poller: CInt
    private let state = NIOLockedValueBox(State())
    private let thread = NIOThreadPool(numberOfThreads: 1)

    private static var eventsAtOnce: Int { 64 }

    private init?() {
        poller = godwit_poller_open()
        guard poller >= 0 else { return nil }
        thread.start()
        thread.submit { _ in self.run() }
    }

    func add(_ descriptor: SocketDescriptor, _ handler: @escaping @Sendable () -> Void) -> UInt64? {
        let number = state.withLockedValue { state in
            state.latest += 1
            state.handlers[state.latest] = handler
            return state.latest
        }
        guard godwit_poller_add(poller, descriptor.number, number) == 0 else {
            state.withLockedValue { $0.handlers[number] = nil }
            return nil
        }
        return number
    }

    /// Has the next event of a socket told.
    func arm(_ descriptor: SocketDescriptor, _ number: UInt64) {
        godwit_poller_arm(poller, descriptor.number, number)
    }

    func remove(_ descriptor: SocketDescriptor, _ number: UInt64) {
        godwit_poller_remove(poller, descriptor.number)
        state.withLockedValue { $0.handlers[number] = nil }
    }

    private func run() {
        var numbers = [UInt64](repeating: 0, count: Self.eventsAtOnce)
        while true {
            let count = godwit_poller_wait(poller, &numbers, CInt(numbers.count))
            guard count >= 0 else { return }
            for number in numbers[..<Int(count)] { state.withLockedValue { $0.handlers[number] }?() }
        }
    }
}
