package import GodwitMigration
package import MHQKit

/// An experiment as it is written down: what moves, how, how often, over which network. Spans are milliseconds
/// unless they say otherwise.
package struct ExperimentPlan: Codable, Hashable, Sendable {
    /// 0 to 6: what is done and what is measured.
    package var experiment: Int
    /// For people.
    package var title: String
    /// Whether it is smaller than the thesis's: to see that all works.
    package var quick: Bool
    /// Unix time at which every simulated run begins, in seconds.
    package var epoch: Int64
    /// How often each configuration is run.
    package var repetitions: Int
    /// The seed of the first run.
    package var firstSeed: UInt64
    /// The folders of results and the networks that they are about.
    package var series: [Series]
    package var protocols: [PlanProtocol]
    /// Protocols that the thesis has no results of; theirs lie apart.
    package var extraProtocols: [PlanProtocol]
    package var techniques: [MigrationTechnique]
    /// Extra memory of the server, MB of 2^20 bytes.
    package var inflations: [Int]
    /// From a response to the next request.
    package var intervals: [Int]
    /// How many clients there are at once.
    package var clients: [Int]
    package var steps: PlanSteps
    package var addresses: PlanAddresses
    package var networks: [String: PlanNetwork]
    package var container: ContainerConstants
    /// How an endpoint of the thesis's differs from ours.
    package var thesis: ThesisTiming

    /// A folder of results.
    package struct Series: Codable, Hashable, Sendable {
        /// Below the folder of policy and backend.
        package var folder: String
        /// A name in ``ExperimentPlan/networks``.
        package var network: String
        /// The part of round trips that lose a datagram, half of it in each direction that has no loss of its own.
        package var loss: Double
        /// Whether images are compressed as they are transferred.
        package var compression: Bool
        /// What extra memory holds; zeros when it is absent.
        package var contents: MemoryContents?
    }
}

/// What a run moves by, as results call it.
package enum PlanProtocol: String, Codable, Hashable, Sendable, CaseIterable {
    case quicBaseline
    case proactiveExplicit
    case reactiveExplicit
    case poolOfAddresses1
    case poolOfAddresses2
    case poolOfAddresses3
    case symmetric
    case synchronizedSymmetric
    case combined

    /// How many addresses the pool has.
    package var poolSize: Int {
        switch self {
        case .poolOfAddresses1: 1
        case .poolOfAddresses2: 2
        case .poolOfAddresses3: 3
        default: 0
        }
    }

    /// What both ends offer; empty when nothing moves.
    package func suite(_ policy: MigrationPolicy) -> MigrationSuite {
        guard let strategy else { return [] }
        let basic = strategy.suite.intersection(.basic)
        return policy == .godwit ? basic.union(.extended) : basic
    }

    /// The strategy; nil when nothing moves.
    package var strategy: MigrationStrategy? {
        switch self {
        case .quicBaseline: nil
        case .proactiveExplicit, .reactiveExplicit: .explicit
        case .poolOfAddresses1, .poolOfAddresses2, .poolOfAddresses3: .poolOfAddresses
        case .symmetric: .symmetric
        case .synchronizedSymmetric: .synchronizedSymmetric
        case .combined: .combined
        }
    }

    /// As the application's configuration calls it; nil for what it does not know.
    package var application: ApplicationProtocol? {
        switch self {
        case .quicBaseline, .reactiveExplicit: .reactiveExplicit
        case .proactiveExplicit: .proactiveExplicit
        case .poolOfAddresses1, .poolOfAddresses2, .poolOfAddresses3: .poolOfAddresses
        case .symmetric: .symmetric
        case .synchronizedSymmetric: .synchronizedSymmetric
        case .combined: nil
        }
    }

    /// As the results of experiments call it: those of the fourth know no size of a pool.
    package func name(in experiment: Int) -> String {
        experiment == 4 && poolSize > 0 ? "poolOfAddresses" : rawValue
    }
}

/// How a container is carried over.
package enum MigrationTechnique: String, Codable, Hashable, Sendable, CaseIterable {
    /// Stop, dump, copy, restore.
    case cold
    /// Most of the memory is copied before the stop.
    case preCopy
    /// Memory follows after the restore, page by page as it is missed.
    case postCopy
    /// Both.
    case hybrid

    package var copiesBefore: Bool { self == .preCopy || self == .hybrid }
    package var copiesAfter: Bool { self == .postCopy || self == .hybrid }
}
