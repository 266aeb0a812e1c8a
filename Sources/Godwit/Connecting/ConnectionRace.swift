import GodwitCore
import GodwitWire
import NIOCore

/// Tries the addresses of a host until a handshake succeeds (RFC 8305), on the event loop of the endpoint.
final class ConnectionRace: @unchecked Sendable {
    // All of it is touched on the event loop alone; that is what makes the class `Sendable`.

    private let loop: EndpointLoop
    private let request: ConnectRequest
    private let delay: TimeAmount
    private var race: AddressRace
    private var attempts: [ConnectionDriver] = []
    private var failures: [FailedAttempt] = []
    private var waiters = Waiters()
    private var outcome: Outcome?

    private enum Outcome {
        case won(ConnectionDriver)
        case lost
    }

    /// - Parameter request: what the attempts have in common.
    init(_ race: AddressRace, _ request: ConnectRequest, delay: Duration, on loop: EndpointLoop) {
        self.race = race
        self.request = request
        self.delay = .nanoseconds(TimeSpan(delay).nanoseconds)
        self.loop = loop
    }

    // MARK: Running

    /// The first attempt, which is not waited for.
    func beginAlone() throws -> ConnectionDriver {
        guard case .attempt(let address, _) = race.begin() else { throw failure }
        do { return try connect(to: address) } catch { throw failure }
    }

    private var failure: QUICError { .connectFailed(host: request.serverName, attempts: failures) }

    /// The connection that came about first.
    func run() async throws -> ConnectionDriver {
        take(race.begin())
        while outcome == nil {
            if Task.isCancelled {
                closeAttempts(except: nil)
                throw CancellationError()
            }
            await loop.driver.suspend({ waiters.append($0) }) { self.waiters.wakeAll() }
        }
        guard case .won(let winner)? = outcome else { throw failure }
        return winner
    }

    private func take(_ step: AddressRace.Step) {
        switch step {
        case .wait: return
        case .giveUp: end(.lost)
        case .attempt(let address, let more):
            do {
                _ = try connect(to: address)
                if more { startDelay() }
            } catch {
                take(race.attemptFailed())
            }
        }
    }

    private func connect(to address: NetworkAddress) throws -> ConnectionDriver {
        var request = request
        request.remote = address
        do {
            let attempt = try loop.connect(request)
            attempt.race = self
            attempts.append(attempt)
            return attempt
        } catch {
            failures.append(FailedAttempt(address: address, reason: nil))
            throw QUICError.configuration("\(error)")
        }
    }

    private func startDelay() {
        loop.driver.eventLoop.scheduleTask(in: delay) {
            if self.outcome == nil { self.take(self.race.delayPassed()) }
        }
    }

    // MARK: What becomes of attempts

    func onSuccess(_ attempt: ConnectionDriver) {
        attempt.race = nil
        guard outcome == nil else { return }
        closeAttempts(except: attempt)
        end(.won(attempt))
    }

    func onFailure(_ attempt: ConnectionDriver, _ reason: ConnectionCloseReason) {
        attempt.race = nil
        guard outcome == nil else { return }
        failures.append(FailedAttempt(address: attempt.core.remoteAddress, reason: reason))
        take(race.attemptFailed())
    }

    private func end(_ outcome: Outcome) {
        self.outcome = outcome
        waiters.wakeAll()
    }

    private func closeAttempts(except winner: ConnectionDriver?) {
        for attempt in attempts where attempt !== winner {
            attempt.race = nil
            attempt.core.close(code: 0, reason: "", now: loop.now())
        }
        loop.markBusy()
    }
}
