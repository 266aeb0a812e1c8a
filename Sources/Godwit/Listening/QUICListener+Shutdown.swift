import GodwitWire
import Logging
import NIOConcurrencyHelpers
import NIOCore

extension QUICListener {
    /// Takes no more connections, lets those that there are go on for a while, closes what is left then, and
    /// lets go of the address.
    ///
    /// ``connections`` ends at once, and ``run(_:)`` as soon as its handlers have. Calling it twice does no
    /// harm; when the task is cancelled the while is over.
    ///
    /// - Parameters:
    ///   - gracePeriod: how long connections may go on.
    ///   - code: tells the peers' applications why the connections that are left are closed; nil for the
    ///     configuration's `cancellationCode`.
    public func shutdown(gracePeriod: Duration = .seconds(10), code: UInt64? = nil) async {
        acceptQueue.finish()
        let end = NIODeadline.now() + .nanoseconds(TimeSpan(gracePeriod).nanoseconds)
        await onEachLoop { await $0.waitForConnections(until: end) }
        let code = code ?? configuration.cancellationCode
        await onEachLoop { loop in
            loop.closeConnections(code: code, reason: "")
            // A peer that did not get the close is told again when it next sends.
            await loop.waitForSilence()
            loop.close()
        }
        coordinator.audience.end()
        state.withLockedValue { $0.isShutDown = true }
        configuration.logger.info("shut down", metadata: ["address": "\(localAddress)"])
    }

    private func onEachLoop(_ body: @escaping @Sendable (EndpointLoop) async -> Void) async {
        await withDiscardingTaskGroup { group in
            for loop in loops { group.addTask(executorPreference: loop.driver) { await body(loop) } }
        }
    }
}

extension EndpointLoop {
    /// How long to answer late packets of connections that were closed, at most.
    private static let longestSilence = TimeAmount.milliseconds(250)

    /// Waits until the application has closed its connections, or time is up.
    fileprivate func waitForConnections(until end: NIODeadline) async {
        await wait(until: end) { $0.connections.isEmpty }
    }

    /// Waits until the connections that were closed are forgotten, but not for long.
    fileprivate func waitForSilence() async {
        await wait(until: .now() + Self.longestSilence) { $0.endpoint.connectionCount == 0 }
    }

    private func wait(until end: NIODeadline, _ isOver: (EndpointLoop) -> Bool) async {
        let timer = driver.eventLoop.scheduleTask(deadline: end) { self.closeWaiters.wakeAll() }
        while !isOver(self), NIODeadline.now() < end, !Task.isCancelled, !isClosed {
            await driver.suspend({ closeWaiters.append($0) }) { self.closeWaiters.wakeAll() }
        }
        timer.cancel()
    }
}
