import Foundation
import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("What a log says of a server that moves (Specs/qlog-migration.md)")
struct QlogMigrationTests {
    private let there = MigrationDestination(MovingPair.there)!

    private func states(_ log: QlogFile) -> [[String: Any]] {
        log.events.filter { $0.name == "server_migration:state_updated" }.map(\.data)
    }

    private func endpoint(_ value: Any?) -> String {
        guard let fields = value as? [String: Any] else { return "" }
        let address = fields["ip_v4"].map { "\($0)" } ?? "[\(fields["ip_v6"] ?? "")]"
        return "\(address):\(fields["port_v4"] ?? fields["port_v6"] ?? "")"
    }

    /// Both logs of a connection whose server moved.
    private func logs(
        _ order: MigrationOrder, pool: [NetworkAddress] = []
    ) throws -> (client: QlogFile, server: QlogFile) {
        let collector = QlogCollector()
        let moving = MovingPair(
            server: ServerMigrationSettings(
                ServerMigrationNegotiation(hasPool: !pool.isEmpty), pool: AddressPool(pool)!),
            qlog: collector)
        try moving.establish()
        #expect(try moving.prepare(order) == .ready(order.strategy))
        try moving.move()
        #expect(try moving.request() != nil)
        return (try collector.log(of: .client), try collector.log(of: .server))
    }

    @Test("Each end tells its states, with the addresses of the path after each (2)")
    func states() throws {
        let (client, server) = try logs(.combined(destination: there))
        let (seen, said) = (states(client), states(server))
        let names = seen.compactMap { $0["new"] as? String }
        #expect(names.prefix(2) == ["announced", "told"] && names.last == "moved")
        #expect(Set(names) == ["announced", "told", "searching", "moved"])
        #expect(endpoint(seen[1]["address"]) == "203.0.113.5:443")
        let search = try #require(seen.first { $0["new"] as? String == "searching" })
        #expect(search["trigger"] as? String == "preferred")
        #expect(endpoint(search["remote"]) == "198.51.100.1:443")
        let end = try #require(seen.last)
        #expect(endpoint(end["address"]) == endpoint(end["remote"]))
        #expect(endpoint(end["remote"]) == "203.0.113.5:443")
        #expect(seen.allSatisfy { endpoint($0["local"]) == "192.0.2.1:50000" })
        #expect(said.compactMap { $0["new"] as? String } == ["started", "ready", "completed"])
        #expect(said.map { endpoint($0["local"]) }.last == "203.0.113.5:443")
        #expect(said.map { endpoint($0["local"]) }.first == "198.51.100.1:443")
        // Nothing that is not asked for.
        #expect(Set(seen[0].keys) == ["new", "local", "remote"])
        #expect(Set(said[0].keys) == ["new", "strategy", "local", "remote"])
    }

    @Test("Strategies have their names (2.2)", arguments: StrategyStoryTests.orders)
    func strategies(_ order: MigrationOrder) throws {
        let pool = order == .poolOfAddresses ? [MovingPair.there] : []
        let names = Set(states(try logs(order, pool: pool).server).compactMap { $0["strategy"] as? String })
        #expect(names == [order.strategy.description.replacingOccurrences(of: " ", with: "_")])
    }

    @Test("A move that fails says why: by the obstacle, in its order (2.2)")
    func reasons() throws {
        let collector = QlogCollector()
        let moving = MovingPair(.explicit, qlog: collector)
        try moving.establish()
        _ = try moving.prepare(.symmetric)
        let failed = try #require(states(try collector.log(of: .server)).last)
        #expect(failed["new"] as? String == "failed")
        #expect(failed["reason"] as? String == "strategy_not_negotiated")
        #expect(failed["strategy"] as? String == "symmetric")
    }

    @Test("Frames have their names and fields (1.2)")
    func frames() throws {
        let (client, _) = try logs(.combined(destination: there))
        let frames = client.events("packet_received").flatMap(\.frames)
        let told = try #require(frames.first { $0["frame_type"] as? String == "alternative_v4_address" })
        #expect(told["preferred"] as? Bool == false && told["retire"] as? Bool == false)
        #expect(endpoint(told) == "203.0.113.5:443" && told["sequence_number"] is Int)
        #expect((told["raw"] as? [String: Any])?["length"] is Int)
        #expect(frames.contains { $0["frame_type"] as? String == "server_migrated" })
        #expect(!frames.contains { $0["frame_type"] as? String == "unknown" })
        let explicit = try logs(.explicit(destination: there)).server.events("packet_sent").flatMap(\.frames)
        let announced = try #require(explicit.first { $0["frame_type"] as? String == "server_migration" })
        #expect(endpoint(announced) == "203.0.113.5:443" && announced["ip_v6"] == nil)
        let pool = try logs(.poolOfAddresses, pool: [MovingPair.there]).server
        #expect(
            pool.events("packet_sent").flatMap(\.frames).contains {
                $0["frame_type"] as? String == "pool_migration_address"
            })
    }

    @Test("The parameters are fields of their own, and the schema is named where there may be events (1.1)")
    func parameters() throws {
        let (client, server) = try logs(.symmetric)
        for log in [client, server] {
            let sets = log.events("parameters_set")
            #expect(sets.count == 2 && sets.allSatisfy { $0.data["server_migration_suite"] is Int })
            #expect(sets.allSatisfy { $0.data["alternative_address"] == nil })
            #expect(sets.allSatisfy { $0.data["unknown_parameters"] == nil })
            let trace = try #require(log.header["trace"] as? [String: Any])
            let schemas = try #require(trace["event_schemas"] as? [String])
            #expect(schemas.last == "urn:godwit:qlog:events:server-migration" && schemas.count == 2)
        }
    }

    @Test("The new path is assigned before the switch, and its probing is told (1.3)")
    func paths() throws {
        let (client, _) = try logs(.combined(destination: there))
        let assigned = client.events("tuple_assigned").map { endpoint($0.data["tuple_remote"]) }
        #expect(assigned.contains("203.0.113.5:443"))
        let states = client.events("migration_state_updated").compactMap { $0.data["new"] as? String }
        #expect(states.contains("migration_complete"))
    }
}
