/// The steps of a client in an experiment, as a machine: told of each response, it says what to do until the next
/// request. It neither waits nor sends, so that simulated and real clients do the same.
package struct ClientScript: Hashable, Sendable {
    /// What a client is to do.
    package enum Step: Hashable, Sendable {
        /// Let so many milliseconds pass.
        case wait(milliseconds: Int)
        /// Tell the server or the container's side something, and wait for the answer.
        case command(Command)
        /// Send the next request; with the transport told that the server moves now if it is so.
        case send(looksForServer: Bool)
        /// That was it.
        case finish
    }

    /// What a client of experiments 0 to 3 commands.
    package enum Command: String, Hashable, Sendable {
        case notice
        case migrate
        case shutdown
    }

    /// What the steps depend on.
    package struct Settings: Hashable, Sendable {
        /// 0 to 6.
        package var experiment: Int
        /// Between a response and the next request, in milliseconds.
        package var interval: Int
        /// After which response the server is told; 0 for never.
        package var noticeAfter = 0
        /// After which response the move is asked for; 0 for never.
        package var triggerAfter = 0
        /// After which response the client ends; 0 for never.
        package var shutdownAfter = 0
        /// Before the move is asked for, so that nothing is unacknowledged then, in milliseconds.
        package var drain = 2000
        /// Whether the first request after the move was asked for is sent with word that the server moves.
        package var isProactive = false
        /// How many responses from the server's new address end experiments 2 and 4, the first one included.
        package var responsesAfterMove: Int?

        package init(experiment: Int, interval: Int) {
            (self.experiment, self.interval) = (experiment, interval)
            responsesAfterMove = [2: 10, 4: 500][experiment]
        }
    }

    private let settings: Settings
    private var responses = 0
    private var origin: String?
    private var isElsewhere = false
    private var left: Int
    /// Whether the move was asked for.
    package private(set) var isTriggered = false

    package init(_ settings: Settings) {
        self.settings = settings
        left = settings.responsesAfterMove ?? 0
    }

    /// What to do when a whole response has come.
    ///
    /// - Parameter address: where the server was then.
    package mutating func responded(from address: String) -> [Step] {
        responses += 1
        note(address)
        var steps: [Step] = []
        if isDue(settings.noticeAfter) { steps.append(.command(.notice)) }
        let triggers = (1...2).contains(settings.experiment) && isDue(settings.triggerAfter)
        if triggers {
            isTriggered = true
            steps += [.wait(milliseconds: settings.drain), .command(.migrate)]
        }
        if isElsewhere { left -= 1 }
        if isAtEnd { return steps + [.command(.shutdown), .finish].filter(isWanted) }
        if settings.interval > 0 { steps.append(.wait(milliseconds: settings.interval)) }
        return steps + [.send(looksForServer: triggers && settings.isProactive)]
    }

    /// What to do when no response comes any more.
    package func timedOut() -> [Step] { [.command(.shutdown), .finish].filter(isWanted) }

    private func isDue(_ number: Int) -> Bool {
        (1...3).contains(settings.experiment) && number > 0 && responses == number
    }

    /// In experiment 2 only what comes after the trigger counts, lest a stray address end it.
    private mutating func note(_ address: String) {
        guard let origin else { return origin = address }
        if address != origin, settings.experiment == 4 || isTriggered { isElsewhere = true }
    }

    private var isAtEnd: Bool {
        switch settings.experiment {
        case 0, 1, 3: settings.shutdownAfter > 0 && responses == settings.shutdownAfter
        case 2, 4: isElsewhere && left <= 0
        default: false
        }
    }

    /// Only some clients end the server as well: in experiment 3 the one that gives the notice.
    private func isWanted(_ step: Step) -> Bool {
        guard step == .command(.shutdown) else { return true }
        return settings.experiment < 3 || (settings.experiment == 3 && settings.noticeAfter > 0)
    }
}
