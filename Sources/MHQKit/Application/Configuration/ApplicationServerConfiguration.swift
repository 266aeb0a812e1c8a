import Foundation
package import Godwit
package import GodwitWire

/// What `mhq --mode=server --config=FILE` is told. Members that are absent have the values of the thesis's
/// published example.
package struct ApplicationServerConfiguration: Hashable, Sendable {
    package var host: IPAddress
    package var port: UInt16
    package var managementPort: UInt16
    /// Whether QUIC version 0xfaceb002 is spoken as well, with which the thesis's client begins.
    package var speaksThesisVersion: Bool
    /// 0 for one a core.
    package var workerThreads: Int
    package var migration: ApplicationMigration
    package var pool: AddressPool
    /// Where its operator, whom nobody asks who he is, may send clients.
    package var allowedDestinations: AllowedDestinations
    /// Bytes that the process holds for nothing.
    package var inflation: Int
    /// What those hold; the thesis's configurations don't say, and mean zeros.
    package var inflationContents: MemoryContents
    package var seed: UInt64
    /// How an endpoint of the thesis's policy differs from one of ours.
    package var thesis: ThesisTiming
    /// What to tell the user, a line each.
    package var warnings: [String] = []

    private static let examplePool = (1...4).map { "127.0.0.\($0):6666" }

    /// - Throws: a failure that names the member at fault.
    package init(_ reader: ConfigurationReader) throws(Failure) {
        var reader = reader
        host = try reader.ip("host", default: "127.0.0.1")
        port = try reader.whole("port", in: 0...UInt16.max, default: 6666)
        managementPort = try reader.whole("managementPort", in: 0...UInt16.max, default: 7777)
        speaksThesisVersion = try reader.flag("thesisVersion", default: false)
        workerThreads = try reader.whole("numberOfWorkerThreads", in: 0...1_000_000, default: 0)
        let host = host
        var named: [AddressPrefix]?
        (migration, pool, named) = try reader.object("serverMigration") { inner throws(Failure) in
            let migration = try ApplicationMigration(&inner, poolByDefault: true)
            let named = try inner.prefixes("allowedDestinations")
            return (migration, try Self.pool(&inner, migration, within: named), named)
        }
        allowedDestinations = AllowedDestinations(named ?? Self.prefixes(around: host, pool))
        (inflation, inflationContents) = try reader.object("memoryFootprintInflation") {
            inner throws(Failure) in
            let isEnabled = try inner.flag("enable", default: false)
            let bytes = try inner.whole("additionalBytes", in: 0...1 << 40, default: 100_000_000)
            return (isEnabled ? bytes : 0, try inner.choice("contents", default: MemoryContents.zero))
        }
        seed = try reader.whole("seed", in: 0...UInt64.max, default: 1)
        thesis = try reader.object("thesis") { inner throws(Failure) in try ThesisTiming(&inner) }
        settle(reader.unknownMembers)
        if named == nil, migration.isEnabled, migration.explicit, !host.isLoopback, !host.isLocal {
            warnings.append(
                "serverMigration.allowedDestinations: is absent, so clients are sent to no public address but "
                    + "those of host and addressPool")
        }
    }

    /// Without a list: what the configuration names, and addresses that reach no further than the host's own does.
    /// The management port asks nobody who he is, and must not aim clients at anyone in the internet.
    private static func prefixes(around host: IPAddress, _ pool: AddressPool) -> [AddressPrefix] {
        let hosts = pool.addresses.map(\.ip) + (host.isUnspecified ? [] : [host])
        let named = hosts.compactMap { AddressPrefix($0, length: $0.isIPv4 ? 32 : 128) }
        let loopback = host.isLoopback || host.isUnspecified ? ["127.0.0.0/8", "::1/128"] : []
        let local = host.isLocal || host.isUnspecified ? Self.localPrefixes : []
        return named + (loopback + local).compactMap { AddressPrefix($0) }
    }

    /// Private and link-local (RFC 1918, RFC 3927, RFC 4193, RFC 4291).
    private static let localPrefixes = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10",
    ]

    private static func pool(
        _ reader: inout ConfigurationReader, _ migration: ApplicationMigration, within named: [AddressPrefix]?
    ) throws(Failure) -> AddressPool {
        let allowed = named.map { AllowedDestinations($0) }
        var pool = AddressPool()
        // Without a pool of its own, one that was switched on has the example's.
        for (index, address) in try reader.addresses("addressPool", default: examplePool).enumerated() {
            guard pool.insert(address) else {
                throw reader.failure(
                    "addressPool[\(index)]",
                    "\"\(address)\" is no address of a host, stands there twice, or is one of more than "
                        + "\(AddressPool.capacity)")
            }
            if migration.isEnabled, migration.poolOfAddresses, let allowed, !allowed.contains(address) {
                throw reader.failure(
                    "addressPool[\(index)]",
                    "\"\(address)\" is not within serverMigration.allowedDestinations")
            }
        }
        return pool
    }

    private mutating func settle(_ unknown: [String]) {
        warnings += unknown.map { "\($0): is not known and counts for nothing" }
        if !migration.poolOfAddresses { pool = AddressPool() }
        if migration.isEnabled, migration.poolOfAddresses, pool.isEmpty {
            migration.poolOfAddresses = false
            warnings.append("serverMigration.addressPool: is empty, so Pool of Addresses is off")
        }
        if migration.isEnabled, migration.suite(.thesis).isEmpty {
            warnings.append("serverMigration: every protocol is off, so the server cannot move")
        }
    }

    /// How many threads serve connections.
    package var eventLoops: Int {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return workerThreads == 0 || workerThreads > cores ? cores : workerThreads
    }
}

extension IPAddress {
    fileprivate var isLocal: Bool { isPrivate || isLinkLocal }
}
