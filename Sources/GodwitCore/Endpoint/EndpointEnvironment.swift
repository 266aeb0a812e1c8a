import GodwitCrypto
import GodwitMigration
import GodwitWire

/// What the connections of an endpoint share: configuration, randomness, and memory that serves one at a
/// time.
final class EndpointEnvironment {
    let configuration: EndpointConfiguration
    @exclusivity(unchecked) var random: RandomGenerator
    var connectionIDs: ConnectionIDGenerator
    var addressValidation: AddressValidation?
    let scratch = PacketScratch()
    /// The slots of connections that may have something to send or to tell.
    @exclusivity(unchecked) var awake: ContiguousArray<UInt32> = []
    /// Changes to the endpoint's tables that connections have asked for.
    var idChanges = IndexedRing<(LocalConnectionIDAction, ConnectionHandle)>()
    var resetTokenChanges = IndexedRing<(ResetTokenChange, ConnectionHandle)>()
    /// Sees every packet, for checkers.
    @exclusivity(unchecked) var observer: (any PacketObserver)?
    /// Whether the server is about to be frozen, or may be frozen now.
    @exclusivity(unchecked) var standstill = Standstill.none
    /// How the server is going to move.
    var plan: OpenMigrationPlan?
    /// Where the server may move without further notice.
    var migrationPool: AddressPool
    /// What connections have to say to the barrier of a plan, and to whoever watches moves.
    var barrierMessages = IndexedRing<BarrierMessage>()
    var migrationNotices = IndexedRing<MigrationNotice>()
    /// Wall-clock seconds at the endpoint's epoch.
    var unixTimeAtEpoch: Int64
    /// When this process began to answer for its connections; ids of before may belong to another.
    let startTime: Int64

    init(configuration: EndpointConfiguration, entropy: Entropy) {
        self.configuration = configuration
        random = RandomGenerator(seed: entropy.seed)
        connectionIDs = ConnectionIDGenerator(
            key: configuration.connectionIDKey, resetKey: configuration.statelessResetKey,
            serverID: configuration.serverID, shard: configuration.shard)
        addressValidation = configuration.server.map {
            AddressValidation(keys: $0.tokenKeys, tokenLifetime: $0.tokenLifetime)
        }
        migrationPool = configuration.server?.migration.pool ?? AddressPool()
        unixTimeAtEpoch = configuration.unixTimeAtEpoch
        startTime = configuration.unixTimeAtEpoch
    }

    func unixTime(at now: Instant) -> Int64 { unixTimeAtEpoch + now.nanoseconds / 1_000_000_000 }

    func makeConnectionID(at now: Instant) -> ConnectionID {
        connectionIDs.make(unixTime: unixTime(at: now), using: &random)
    }
}

/// Buffers that are filled and emptied for every packet, one set for all connections of an endpoint, so that
/// a packet costs no allocation and an idle connection no memory.
final class PacketScratch {
    // Without a check for overlaps at run time, for the reason that ``Connection`` gives.

    @exclusivity(unchecked) var outcome = AckOutcome()
    @exclusivity(unchecked) var records = SentFrameList()
    @exclusivity(unchecked) var masks = HeaderProtectionBatch()
    @exclusivity(unchecked) var probeFrames = SentFrameList()
}
