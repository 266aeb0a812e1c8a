import Foundation
import GodwitSimulator
import MHQKit
import Testing

@testable import GodwitTestbed

@Suite struct ContainerModelTests {
    /// Mean of dump, transfer and restore as they were measured without loss, in seconds.
    static let measured: [(MigrationTechnique, Int, Double)] = [
        (.cold, 0, 1.49), (.cold, 10, 1.65), (.cold, 50, 2.39), (.cold, 100, 3.29), (.preCopy, 0, 1.46),
        (.preCopy, 50, 1.49), (.preCopy, 100, 1.57), (.postCopy, 0, 1.46), (.postCopy, 100, 1.45),
        (.hybrid, 0, 1.45), (.hybrid, 100, 1.54),
    ]

    @Test("The model's downtimes are the measured ones within 5 in 100", arguments: measured)
    func downtime(_ technique: MigrationTechnique, _ inflation: Int, _ expected: Double) throws {
        let constants = try PlanLibrary.plan(2, isQuick: false).container
        var model = ContainerModel(constants, DeterministicRandom(seed: 1))
        var sum = 0.0
        for _ in 0..<200 {
            let phases = model.next(technique, inflation: inflation, clients: 1, isCompressed: false)
            sum += phases.dump + phases.dumpTransfer + phases.restore
            #expect((phases.preDump != nil) == technique.copiesBefore)
            #expect((phases.lazyPages != nil) == technique.copiesAfter)
        }
        #expect(abs(sum / 200 - expected) < 0.05 * expected)
    }

    @Test("Extra memory, which is zero, compresses 286 to 1, and takes longer all the same")
    func compression() throws {
        let constants = try PlanLibrary.plan(2, isQuick: false).container
        var plain = ContainerModel(constants, DeterministicRandom(seed: 1))
        var small = ContainerModel(constants, DeterministicRandom(seed: 1))
        let one = plain.next(.cold, inflation: 100, clients: 1, isCompressed: false)
        let other = small.next(.cold, inflation: 100, clients: 1, isCompressed: true)
        #expect(one.dumpSize == other.dumpSize)
        #expect(other.dumpSent < one.dumpSent / 100)
        #expect(other.dumpTransfer > one.dumpTransfer)
    }
}

extension ContainerModelTests {
    /// What a move of 100 MB takes for each of ``MemoryContents``, in their order.
    private func phases(_ technique: MigrationTechnique, isCompressed: Bool) throws -> [ContainerPhases] {
        let constants = try PlanLibrary.plan(2, isQuick: false).container
        return MemoryContents.allCases.map { contents in
            var model = ContainerModel(constants, DeterministicRandom(seed: 1))
            return model.next(
                technique, inflation: 100, clients: 1, isCompressed: isCompressed, contents: contents)
        }
    }

    @Test("Random memory does not compress, and compressing it takes longest; mixed memory is in between")
    func contents() throws {
        let phases = try phases(.preCopy, isCompressed: true)
        let (zero, random, mixed) = (phases[0], phases[1], phases[2])
        #expect(Set(phases.map(\.preDumpSize)).count == 1)
        let size = 100 * 1_048_576.0
        #expect(try #require(zero.preDumpSent) < 0.01 * size)
        #expect(abs(try #require(random.preDumpSent) - size) < 0.01 * size)
        #expect(abs(try #require(mixed.preDumpSent) - size / 2) < 0.01 * size)
        let times = try [zero, mixed, random].map { try #require($0.preDumpTransfer) }
        #expect(times == times.sorted() && Set(times).count == 3)
        // What is dumped in the end is not the extra memory.
        #expect(Set(phases.map(\.dumpSent)).count == 1)
    }

    @Test("Without compression nobody cares what memory holds")
    func uncompressedContents() throws {
        #expect(Set(try phases(.cold, isCompressed: false)).count == 1)
    }

    @Test("The plan with other contents than zeros ships, and differs from the thesis's in its series alone")
    func contentsPlan() throws {
        let folder = URL(filePath: try PlanLibrary.path(2, isQuick: false)).deletingLastPathComponent()
        let path = folder.appending(path: "experiment2_contents.json").path
        var plan = try ExperimentPlan.read(path)
        #expect(plan.series.map(\.contents) == [.zero, .mixed, .random])
        let whole = try PlanLibrary.plan(2, isQuick: false)
        (plan.series, plan.title) = (whole.series, whole.title)
        #expect(plan == whole)
    }
}
