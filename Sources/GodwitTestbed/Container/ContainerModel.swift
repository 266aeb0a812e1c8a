package import GodwitSimulator
package import MHQKit

/// What one migration of a container took, in seconds and bytes. Nil where the technique has no such phase.
package struct ContainerPhases: Codable, Hashable, Sendable {
    package var preDump: Double?
    package var preDumpTransfer: Double?
    package var dump: Double
    package var dumpTransfer: Double
    package var restore: Double
    package var lazyTransfer: Double?
    package var preDumpSize: Double?
    package var dumpSize: Double
    package var lazyPages: Int?
    /// Bytes that went over the network.
    package var preDumpSent: Double?
    package var dumpSent: Double
    /// How long the process stood still beyond the restore.
    package var stall: Double

    /// From the command until the process stands still.
    package var beforeFreeze: Double { (preDump ?? 0) + (preDumpTransfer ?? 0) }
    /// How long it stands still.
    package var frozen: Double { dump + dumpTransfer + restore + stall }
}

/// Draws what a migration takes from the constants of a plan.
package struct ContainerModel {
    private let constants: ContainerConstants
    private var random: DeterministicRandom

    package init(_ constants: ContainerConstants, _ random: DeterministicRandom) {
        (self.constants, self.random) = (constants, random)
    }

    /// The next migration in a run.
    package mutating func next(_ run: RunSpecification, of plan: ExperimentPlan) -> ContainerPhases {
        let series = plan.allSeries[run.series]
        return next(
            run.technique, inflation: run.inflation, clients: run.clients, isCompressed: series.compression,
            contents: series.contents ?? .zero)
    }

    /// The next migration.
    ///
    /// - Parameters:
    ///   - inflation: extra memory, MB of 2^20 bytes.
    ///   - clients: connections that the process holds.
    ///   - isCompressed: whether transfers are compressed.
    ///   - contents: what extra memory holds.
    package mutating func next(
        _ technique: MigrationTechnique, inflation: Int, clients: Int, isCompressed: Bool,
        contents: MemoryContents = .zero
    ) -> ContainerPhases {
        let extra = Double(inflation) * 1.048576
        let random = extra * (1 - contents.zeroPart)
        let other = constants.image + constants.imagePerClient * Double(clients - 1)
        let memory = other + extra
        let dumped = dumpSize(technique, memory)
        // What was copied before, or follows, is not in the dump.
        let (extraDumped, randomDumped) = technique == .cold ? (extra, random) : (0, 0)
        var phases = ContainerPhases(
            dump: drawn(technique == .cold ? constants.dump(extra) : constants.dumpWithoutMemory),
            dumpTransfer: transfer(dumped, random: randomDumped, isCompressed),
            restore: restore(technique, extra), dumpSize: dumped * 1e6,
            dumpSent: sent(dumped, extra: extraDumped, random: randomDumped, isCompressed), stall: 0)
        if technique.copiesBefore {
            phases.preDump = drawn(constants.preDump(extra))
            phases.preDumpTransfer = transfer(memory, random: random, isCompressed)
            phases.preDumpSize = memory * 1e6
            phases.preDumpSent = sent(memory, extra: extra, random: random, isCompressed)
        }
        if technique.copiesAfter { follow(technique, extra, &phases) }
        return phases
    }

    private mutating func follow(
        _ technique: MigrationTechnique, _ extra: Double, _ phases: inout ContainerPhases
    ) {
        let size = technique == .hybrid ? constants.lazyOfHybrid : constants.lazy(extra)
        phases.lazyPages = Int(drawn(size) * 1e6) / constants.pageSize
        phases.lazyTransfer = drawn(constants.lazyTransfer(size))
        phases.stall = drawn(constants.lazyStall)
    }

    private func dumpSize(_ technique: MigrationTechnique, _ memory: Double) -> Double {
        switch technique {
        case .cold: memory
        case .preCopy: constants.dumpAfterPreCopy
        case .postCopy: constants.dumpBeforePostCopy
        case .hybrid: constants.dumpOfHybrid
        }
    }

    private mutating func transfer(_ size: Double, random: Double, _ isCompressed: Bool) -> Double {
        guard isCompressed else { return drawn(constants.transfer(size)) }
        let perMB = constants.randomCompression ?? Self.randomCompression
        return drawn(constants.compressedTransfer(size - random) + perMB * random)
    }

    private static let randomCompression = 0.033
    /// What rsync says besides the files.
    private static let overhead = 1900.0

    /// Bytes, of sizes in MB.
    private func sent(_ size: Double, extra: Double, random: Double, _ isCompressed: Bool) -> Double {
        guard isCompressed else { return size * 1e6 + Self.overhead }
        let zeros = (extra - random) / constants.zeroCompression
        return (zeros + random + (size - extra) / constants.otherCompression) * 1e6 + Self.overhead
    }

    private mutating func restore(_ technique: MigrationTechnique, _ extra: Double) -> Double {
        drawn(technique == .postCopy ? constants.restoreOfPostCopy : constants.restore(extra))
    }

    /// A little more or less.
    private mutating func drawn(_ value: Double) -> Double {
        let unit = Double(random.next() >> 11) * 0x1p-53
        return value * (1 + constants.spread * (2 * unit - 1))
    }
}
