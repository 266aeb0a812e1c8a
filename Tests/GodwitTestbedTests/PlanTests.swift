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
        ]
        for (old, new, message) in changes {
            let failure = #expect(throws: Failure.self) {
                try ExperimentPlan(text: text.replacing(old, with: new), file: "plan.json")
            }
            #expect(failure == Failure(ExitCode.configuration, "plan.json: " + message))
        }
    }
}
