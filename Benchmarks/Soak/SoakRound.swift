import GodwitHTTP3
import NIOConcurrencyHelpers
import NIOPosix

/// Many connections, all at once, for a while; then none.
struct SoakRound {
    let port: UInt16
    let connections: Int
    let seconds: Double
    let seed: UInt64
    let group: MultiThreadedEventLoopGroup

    /// How long to wait behind a round, in seconds: longer than a connection is kept after its end, and than it takes
    /// a server's handlers to find out.
    let rest: Double

    /// - Returns: the most memory that the server had, in KB.
    func run(_ report: inout SoakReport, _ outcome: inout SoakOutcome) async throws -> Int {
        let shared = NIOLockedValueBox(SoakOutcome())
        let deadline = ContinuousClock.now + .seconds(seconds)
        var configuration = try HTTP3ClientConfiguration(trust: .insecureNoVerification)
        configuration.limits.connectTime = .seconds(30)
        let peak = await withDiscardingTaskGroup { [configuration, report] tasks in
            for number in 0..<connections {
                let client = SoakClient(
                    port: port, configuration: configuration, group: group, deadline: deadline,
                    seed: seed << 32 | UInt64(number))
                tasks.addTask { await client.run(shared) }
            }
            return await Self.watch(report, until: deadline)
        }
        outcome.add(shared.withLockedValue { $0 })
        try await Task.sleep(for: .seconds(rest))
        return peak
    }

    private static func watch(_ report: SoakReport, until deadline: ContinuousClock.Instant) async -> Int {
        var peak = 0
        while ContinuousClock.now < deadline {
            peak = max(peak, report.serverMemory)
            try? await Task.sleep(for: .milliseconds(500))
        }
        return peak
    }
}

/// What has happened in all.
struct SoakOutcome: CustomStringConvertible {
    var connections = 0
    var requests = 0
    var givenUp = 0
    /// Failures of what should have worked.
    var surprises = 0
    var firstSurprise: String?

    /// A machine that is busy with other work may miss the time that a handshake has.
    var isAsExpected: Bool { surprises * 100 <= requests }

    mutating func add(_ other: SoakOutcome) {
        connections += other.connections
        requests += other.requests
        givenUp += other.givenUp
        surprises += other.surprises
        firstSurprise = firstSurprise ?? other.firstSurprise
    }

    mutating func note(surprise: any Error) {
        surprises += 1
        firstSurprise = firstSurprise ?? "\(surprise)"
    }

    var description: String {
        "\(connections) connections, \(requests) requests, of these \(givenUp) given up; failed otherwise: "
            + "\(surprises)" + (firstSurprise.map { " (first: \($0))" } ?? "")
    }
}
