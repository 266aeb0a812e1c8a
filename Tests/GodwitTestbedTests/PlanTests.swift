import GodwitSimulator
import MHQKit
import Testing

@testable import GodwitTestbed

@Suite struct PlanTests {
    @Test("Every plan that ships can be read, and says so itself", arguments: 0...6)
    func shipped(_ id: Int) throws {
        for isQuick in [false, true] {
            let plan = try PlanLibrary.plan(id, isQuick: isQuick)
            #expect(plan.experiment == id)
            #expect(plan.quick == isQuick)
            #expect(Set(plan.runs.map(\.key)).count == plan.runs.count)
            #expect(plan.runs.map(\.index) == Array(0..<plan.runs.count))
            let again = try ExperimentPlan(text: plan.text, file: "again")
            #expect(again == plan)
            #expect(again.digest == plan.digest)
        }
    }

    @Test("The full plans have the thesis's numbers of runs and seeds")
    func sizes() throws {
        let first = try PlanLibrary.plan(1, isQuick: false).runs.filter { $0.series == 0 }
        #expect(first.count == 600)
        #expect(first.map(\.seed) == Array(1...600))
        #expect(first.filter { $0.run == 3 }.map(\.migrationProtocol).allSatisfy { $0 == .poolOfAddresses1 })
        let second = try PlanLibrary.plan(2, isQuick: false).runs.filter { $0.series == 0 }
        #expect(second.count == 640)
        #expect(second.prefix(40).map(\.technique).prefix(11).last == .preCopy)
        let fourth = try PlanLibrary.plan(4, isQuick: false).runs.filter { $0.series == 0 }
        #expect(fourth.count == 144)
        #expect(fourth.map(\.run) == Array(1...144))
        #expect(fourth.prefix(3).map(\.interval) == [0, 260, 1000])
        let third = try PlanLibrary.plan(3, isQuick: false).runs.filter { $0.series == 0 }
        #expect(third.count == 100)
        #expect(third.prefix(10).map(\.run) == Array(1...10))
    }

    @Test("What is wrong in a plan is said in one line that names it")
    func wrongPlans() throws {
        let text = try PlanLibrary.plan(0, isQuick: true).text
        let changes: [(String, String, String)] = [
            ("\"experiment\" : 0", "\"experiment\" : 9", "experiment: is no number from 0 to 6"),
            ("quicBaseline", "teleport", "protocols[0]: is not known"),
            ("\"repetitions\" : 5", "\"repetitions\" : 0", "repetitions: is no number from 1 to 100,000"),
            ("nopacketloss/exp0", "../exp0", "series[0].folder: must lie within the results"),
            ("\"epoch\"", "\"epic\"", "epoch: is missing"),
            ("\"rate\" : 13", "\"rate\" : 0", "networks.wan.source.toServer.rate: \(Self.outOfRange)"),
            (
                "\"delay\" : 18", "\"delay\" : -1",
                "networks.wan.destination.toServer.delay: is no number from 0 to 60,000"
            ),
            ("\"tail\" : 0", "\"tail\" : 0, \"tial\" : 0", "steps.tial: no plan has that"),
            (
                "\"loss\" : 0,", "\"loss\" : 0, \"los\" : null, \"content\" : \"zero\",",
                "series[0].content, series[0].los: no plan has that"
            ),
            ("\"rate\" : 13", "\"rates\" : 13", "networks.wan.source.toServer.rates: no plan has that"),
        ]
        for (old, new, message) in changes {
            let failure = #expect(throws: Failure.self) {
                try ExperimentPlan(text: text.replacing(old, with: new), file: "plan.json")
            }
            #expect(failure == Failure(ExitCode.dataError, "plan.json: " + message))
        }
    }

    private static let outOfRange = "is no number from 1 to 1,000,000"

    @Test("Numbers that no run can be done with are named")
    func wrongNumbers() throws {
        typealias Change = (inout ExperimentPlan) -> Void
        let changes: [(String, Change)] = [
            ("firstSeed: is no number from 1 to 1,000,000,000,000,000", { $0.firstSeed = 0 }),
            ("firstSeed: is no number from 1 to 1,000,000,000,000,000", { $0.firstSeed = .max }),
            ("epoch: is no number from 0 to 10,000,000,000", { $0.epoch = .max }),
            ("intervals[1]: is no number from 0 to 86,400,000", { $0.intervals = [0, -1] }),
            ("inflations[0]: is no number from 0 to 1,000,000", { $0.inflations = [-1] }),
            ("clients[0]: is no number from 1 to 1,000", { $0.clients = [0] }),
            ("steps.outages[1]: is no number from 0 to 86,400,000", { $0.steps.outages = [1, .max] }),
            ("steps.commandDelay: is no number from 0 to 86,400,000", { $0.steps.commandDelay = -0.1 }),
            ("thesis.probeMargin: is no number from 1 to 60,000", { $0.thesis.probeMargin = 0 }),
            ("container.lazy.base: is no number from 0 to 1,000,000", { $0.container.lazy.base = -1 }),
            (
                "container.randomCompression: is no number from 0 to 1,000,000",
                { $0.container.randomCompression = -1 }
            ),
            ("container.pageSize: \(Self.outOfRange)", { $0.container.pageSize = 0 }),
            (
                "networks.wan.source.toClient.queue: \(Self.outOfRange)",
                { $0.networks["wan"]?.source.toClient.queue = 0 }
            ),
            (
                "networks.wan.source.toClient.loss: is not from 0 to below 1",
                { $0.networks["wan"]?.source.toClient.loss = 1 }
            ),
            ("series[1].folder: is another series' as well", { $0.series[1].folder = $0.series[0].folder }),
            ("repetitions: there are more than 2,000,000 runs", { $0.intervals = Array(0...500_000) }),
            (
                "addresses.destination: '192.168.1.104' is somebody's already",
                { $0.addresses.destination = $0.addresses.source }
            ),
        ]
        for (message, change) in changes {
            var plan = try PlanLibrary.plan(0, isQuick: true)
            #expect(plan.problem == nil)
            change(&plan)
            #expect(plan.problem == message)
        }
    }

    @Test("The largest first seed leaves room for the seeds of every run and client")
    func largestSeed() {
        let last = UInt64(ExperimentPlan.seeds.upperBound) + 2_000_000
        #expect(!last.multipliedReportingOverflow(by: 1000).overflow)
    }

    @Test("The thesis's script can read the fourth experiment's results if they are 144 runs of 30 clients")
    func readability() throws {
        var plan = try PlanLibrary.plan(4, isQuick: false)
        #expect(plan.isReadableByThesis)
        plan.quick = true
        #expect(plan.isReadableByThesis)
        for change in [{ $0.repetitions = 2 }, { $0.clients = [29] }, { $0.intervals = [0] }]
            as [(inout ExperimentPlan) -> Void]
        {
            var other = plan
            change(&other)
            #expect(!other.isReadableByThesis)
        }
        #expect(try !PlanLibrary.plan(4, isQuick: true).isReadableByThesis)
        #expect(try PlanLibrary.plan(2, isQuick: true).isReadableByThesis)
    }

    @Test("What a direction loses takes the place of the series' half, and a symmetric path halves it")
    func loss() throws {
        var network = try #require(try PlanLibrary.plan(0, isQuick: true).networks["wan"])
        #expect(network.source.toServer.parameters(loss: 0.015).loss == 0.015)
        network.source.toServer.loss = 0.5
        #expect(network.source.toServer.parameters(loss: 0.015).loss == 0.5)
        #expect(network.source.toClient.parameters(loss: 0.015).loss == 0.015)
        network.symmetric = true
        let path = network.path(network.source)
        #expect(path.toServer.loss == 0.25 && path.toClient.loss == 0.25)
        #expect(network.path(network.destination).toServer.loss == nil)
    }
}
