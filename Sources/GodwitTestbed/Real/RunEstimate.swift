import GodwitSimulator
import MHQKit

/// About how long a run takes in real time.
struct RunEstimate {
    /// Seconds.
    let seconds: Double

    /// To start a server and a client, and to see that they are there.
    private static let start = 1.0

    init(_ plan: ExperimentPlan, _ run: RunSpecification) {
        let steps = plan.steps
        let paths = plan.networks[plan.allSeries[run.series].network]!
        func request(_ path: PlanPath) -> Double {
            let path = paths.path(path)
            return (path.toServer.delay + path.toClient.delay + Double(run.interval)) / 1000
        }
        let (near, far) = (request(paths.source), request(paths.destination))
        var span = Self.start
        span += Double(steps.startSpacing * (run.clients - 1) + steps.lastClientDelay + steps.noticeAt) / 1000
        span += Double(steps.handoverEvery * steps.outages.count + steps.tail) / 1000
        if steps.triggerAfter > 0 || steps.noticeAt > 0 {
            let after = max(steps.responsesAfterMove, steps.shutdownAfter - steps.triggerAfter)
            span += near * Double(steps.triggerAfter) + far * Double(max(0, after))
            span += (steps.triggerAfter > 0 ? Double(steps.drain) / 1000 : 0) + Self.migration(plan, run)
        } else {
            span += Double(steps.shutdownAfter) * (plan.experiment == 0 ? far : near)
        }
        seconds = span
    }

    private static func migration(_ plan: ExperimentPlan, _ run: RunSpecification) -> Double {
        var container = ContainerModel(plan.container, DeterministicRandom(seed: 1))
        let phases = container.next(run, of: plan)
        return phases.beforeFreeze + phases.frozen
    }

    /// Runs of a plan, so many at a time, in seconds.
    static func total(of runs: [RunSpecification], in plan: ExperimentPlan, width: Int) -> Double {
        runs.reduce(0) { $0 + RunEstimate(plan, $1).seconds } / Double(max(1, width))
    }
}
