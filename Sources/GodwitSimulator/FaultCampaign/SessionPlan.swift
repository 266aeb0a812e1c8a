import GodwitWire

/// What a client of a fault campaign does with one connection.
struct SessionPlan {
    enum Start {
        /// So long after the client appeared.
        case at(TimeSpan)
        /// When the session with that index is over.
        case after(Int)
    }

    /// How a connection ends when its work is done.
    enum Ending: Equatable {
        case closedByClient(code: UInt64)
        case closedByServer(code: UInt64)
        /// Both ends fall silent until the idle timeout (RFC 9000 section 10.1).
        case silence
        /// The client freezes for longer than the idle timeout and does not notice: it goes on with a
        /// connection that the server has forgotten, and is told so (RFC 9000 section 10.3).
        case oversleep
    }

    var start: Start
    /// Whether it resumes an earlier session if there is a ticket, and shows an earlier token.
    var resumes = false
    var offersEarlyData = false
    /// Whether somebody sends the first flight once more (RFC 8446 section 8).
    var isReplayed = false
    /// One after the other.
    var steps: [WorkloadStep]
    /// Further streams, each so long after the beginning.
    var furtherStreams: [(delay: TimeSpan, plan: StreamPlan)] = []
    /// Streams that the server opens.
    var serverStreams: [StreamPlan] = []
    var datagrams: DatagramPlan?
    var ending: Ending
}

/// The datagrams of a session.
struct DatagramPlan {
    var clientCount: Int
    var serverCount: Int
    var interval: TimeSpan
    /// The most bytes of one; what a packet has room for comes on top of that.
    var largest: Int

    func count(_ sender: Role) -> Int { sender == .client ? clientCount : serverCount }
}

/// What decides which sessions a client of a run may have.
struct SessionLimits {
    /// The most bytes of anything besides the workload of the plan.
    var bytes: Int
    /// Longer than the idle timeout; nil where nothing but traffic keeps a connection alive.
    var longIdle: TimeSpan?
    /// Whether both ends fall silent when there is nothing to do.
    var allowsSilence: Bool
    /// Whether a client may be frozen.
    var allowsOversleep: Bool
}

extension SessionPlan {
    /// The sessions of a client: the one that does the plan's work, others at the same time, and others that
    /// follow it.
    static func draw(
        _ random: inout DeterministicRandom, work: [WorkloadStep], _ limits: SessionLimits
    ) -> [SessionPlan] {
        let parallel = random.chance(0.25) ? random.integer(in: 1...2) : 0
        let followers = random.chance(0.4) ? random.integer(in: 1...2) : 0
        var sessions = [main(&random, work, limits)]
        for _ in 0..<followers {
            sessions.append(small(&random, .after(sessions.count - 1), limits, resumes: random.chance(0.85)))
        }
        for _ in 0..<parallel {
            let start = Start.at(random.plannedSpan(.zero, .seconds(2)))
            sessions.append(small(&random, start, limits, resumes: false))
        }
        let last = followers
        let mayPart = parallel == 0
        for index in sessions.indices {
            sessions[index].ending = Ending.draw(
                &random, limits, maySleep: mayPart && index == last && limits.allowsOversleep)
        }
        if sessions[0].ending == .oversleep { sessions[0].start = .at(ServerLoss.knownFrom - .zero) }
        return sessions
    }

    private static func main(
        _ random: inout DeterministicRandom, _ work: [WorkloadStep], _ limits: SessionLimits
    ) -> SessionPlan {
        var session = SessionPlan(start: .at(.zero), steps: work, ending: .silence)
        if let longIdle = limits.longIdle { session.steps.append(.idle(longIdle)) }
        let further = random.chance(0.6) ? random.integer(in: 1...3) : 0
        session.furtherStreams = drawStreams(&random, further, limits)
        let fromServer = random.chance(0.5) ? random.integer(in: 1...3) : 0
        session.serverStreams = drawStreams(&random, fromServer, limits).map(\.plan)
        session.datagrams = random.chance(0.5) ? .draw(&random) : nil
        return session
    }

    private static func small(
        _ random: inout DeterministicRandom, _ start: Start, _ limits: SessionLimits, resumes: Bool
    ) -> SessionPlan {
        var session = SessionPlan(start: start, steps: [], ending: .silence)
        session.resumes = resumes
        session.offersEarlyData = resumes && random.chance(0.75)
        session.isReplayed = session.offersEarlyData && random.chance(0.3)
        session.steps = WorkloadStep.draw(&random, bytes: limits.bytes)
        session.furtherStreams = drawStreams(&random, random.integer(in: 0...1), limits)
        session.serverStreams = drawStreams(&random, random.integer(in: 0...1), limits).map(\.plan)
        session.datagrams = random.chance(0.3) ? .draw(&random) : nil
        return session
    }

    private static func drawStreams(
        _ random: inout DeterministicRandom, _ count: Int, _ limits: SessionLimits
    ) -> [(delay: TimeSpan, plan: StreamPlan)] {
        (0..<count).map { _ in
            let delay = random.chance(0.5) ? .zero : random.plannedSpan(.zero, .seconds(2))
            return (delay, StreamPlan.draw(&random, bytes: limits.bytes))
        }
    }
}

extension SessionPlan.Ending {
    fileprivate static func draw(
        _ random: inout DeterministicRandom, _ limits: SessionLimits, maySleep: Bool
    ) -> SessionPlan.Ending {
        let code = UInt64(random.integer(in: 0...1000))
        switch random.integer(in: 0...19) {
        case 0...2: return .closedByServer(code: code)
        case 3...5 where limits.allowsSilence: return .silence
        case 6...7 where maySleep: return .oversleep
        default: return .closedByClient(code: code)
        }
    }
}

extension DatagramPlan {
    fileprivate static func draw(_ random: inout DeterministicRandom) -> DatagramPlan {
        DatagramPlan(
            clientCount: random.integer(in: 0...20), serverCount: random.integer(in: 0...20),
            interval: random.chance(0.3) ? .zero : random.plannedSpan(.milliseconds(1), .milliseconds(200)),
            largest: random.element(of: [10, 200, 1500]))
    }
}
