import Foundation
import MHQKit
import Testing

@testable import GodwitTestbed

/// The files of experiments on the loopback network, read as the scripts of the thesis read them. Whatever depends on
/// how fast the machine is has room for one that is slow.
@Suite("Results of real sockets", .serialized, .timeLimit(.minutes(10)))
struct RealResultTests {
    private static let source = "192.168.1.104:6666"
    private static let destination = "192.168.1.105:6666"

    // MARK: One client

    @Test("Experiment 0: the fifth request, to the destination, takes no less than its way there")
    func baseline() async throws {
        let file = try await RealResults(RealResults.plan(0)).file("experiment0_service_times")
        #expect(file.rows.count == 1)
        let row = try #require(file.rows.first)
        #expect([row["experiment"], row["run"], row["repetition"], row["seed"]] == ["0", "1", "1", "1"])
        #expect(row["protocol"] == "quicBaseline")
        #expect(try row.texts("serverAddresses") == [Self.destination])
        let times = try row.numbers("serviceTimes [us]")
        // 2 ms, less the jitter.
        #expect(times.count == 1 && times[0] >= 1600)
    }

    @Test("Experiment 1 as the thesis's endpoints do it: a reactive client comes late, and all of them come")
    func thesis() async throws {
        let plan = try RealResults.plan(1, [.reactiveExplicit, .symmetric])
        let results = try await RealResults(plan, policy: "thesis")
        let service = try results.file("experiment1_service_times")
        let migrations = try results.file("experiment1_migration_times")
        let restores = try results.file("experiment1_restore_times")
        #expect(migrations.rows.map { $0["protocol"] } == plan.protocols.map(\.rawValue))
        for (index, row) in service.rows.enumerated() {
            let others = [migrations.rows[index], restores.rows[index]]
            #expect(others.allSatisfy { $0["run"] == row["run"] && $0["repetition"] == row["repetition"] })
            #expect(row["firstRequestAfterMigrationTriggered"] == "11")
            let (times, addresses) = (
                try row.numbers("serviceTimes [us]"), try row.texts("serverAddresses")
            )
            #expect(times.count == 1 && addresses.count == 1)
            #expect(try restores.rows[index].texts("restoreTime [s]").count == 3)
            // On a machine with much else to do the request may be answered before the freeze.
            guard addresses.first == Self.destination else { continue }
            // What the old address swallowed is sent again after a probe timeout, which is at least so long.
            #expect(times[0] >= plan.thesis.probeMargin * 1000)
        }
        #expect(service.rows.count == 2)
    }

    // MARK: Many clients

    @Test("Experiment 3: every client is ready after some time, by either strategy")
    func notifications() async throws {
        let file = try await RealResults(RealResults.plan(3)).file("experiment3_migration_notification_times")
        #expect(file.rows.map { $0["protocol"] } == ["reactiveExplicit", "symmetric"])
        for row in file.rows {
            #expect(row["run"] == "1")
            #expect(row["expectedNumberOfClients"] == "2")
            #expect(row["actualNumberOfClients"] == "2")
            #expect(try #require(try row.number("migrationNotificationTime [us]")) > 0)
        }
    }

    @Test("Experiment 4: clients with bodies of the web end with the fifth response from the new address")
    func crowd() async throws {
        let results = try await RealResults(RealResults.plan(4, [.poolOfAddresses3]))
        let rows = try results.file("experiment4_service_times").rows
        #expect(rows.map { $0["seedClient"] } == ["1", "2"])
        for row in rows { try checkClient(row) }
        for name in ["experiment4_migration_times", "experiment4_restore_times"] {
            #expect(try results.file(name).rows.map { $0["run"] } == ["1", "1"])
        }
        let migration = try #require(try results.file("experiment4_migration_times").rows.first)
        #expect(migration["migrationTechnique"] == "hybrid")
        #expect(try #require(try migration.number("preDumpTime [s]")) > 0)
        #expect(try results.details().rows.map { $0["connectionEnd"] } == ["", ""])
    }

    private func checkClient(_ row: [String: String]) throws {
        #expect(row["run"] == "1" && row["numberOfClients"] == "2")
        #expect(row["protocol"] == "poolOfAddresses")
        #expect(row["intervalBetweenRequests [ms]"] == "0")
        #expect(row["connectionEndedDueToTimeout"] == "False")
        let addresses = try row.texts("serverAddresses")
        let moved = addresses.drop { $0 == Self.source }
        #expect(moved.count == 5 && moved.allSatisfy { $0 == Self.destination })
        let numbers = ["requestTimestamps [us]", "serviceTimes [us]", "requestBodySizes [B]"]
        for column in numbers + ["responseBodySizes [B]"] {
            #expect(try row.numbers(column).count == addresses.count)
        }
        #expect(Set(try row.texts("requestMethods")).isSubset(of: ["GET", "POST"]))
        let stamps = try row.numbers("requestTimestamps [us]")
        #expect(stamps == stamps.sorted())
        let notice = try #require(try row.number("migrationNotificationTimestamp [s]"))
        let trigger = try #require(try row.number("migrationTriggerTimestamp [s]"))
        #expect(notice <= trigger && trigger * 1e6 <= (stamps.last ?? 0) + 1e6)
    }

    // MARK: The hours

    private static let near = "192.168.2.1:6666"
    private static let far = "192.168.3.1:6666"

    @Test("Experiment 5: the server follows its client to the other network and back")
    func following() async throws {
        let results = try await RealResults(RealResults.hour(5, [.reactiveExplicit]))
        let row = try #require(try results.file("experiment5_service_times").rows.first)
        #expect(row["protocol"] == "reactiveExplicit")
        let columns = ["handoverTimestamps", "migrationNotificationTimestamps", "migrationTriggerTimestamps"]
        let events = try columns.map { try row.numbers("\($0) [s]") }
        #expect(events.map(\.count) == [2, 2, 2])
        // Handover, notice, trigger, and all again.
        let order = (0..<2).flatMap { move in events.map { $0[move] } }
        #expect(order == order.sorted())
        let places = try checkHour(row)
        // There first, then elsewhere, then there again.
        #expect(places.starts(with: [Self.near, Self.far]) && places.count <= 3)
        for host in ["source", "destination"] {
            let row = try #require(try results.file("experiment5_first_\(host)").rows.first)
            #expect(row["migrationTechnique"] == "hybrid")
            #expect(try row.numbers("dumpTimes [s]").count == 1)
            #expect(try row.lists("restoreTimes [s]").map(\.count) == [3])
        }
    }

    @Test("Experiment 6: the server stays where it is, and its client finds it from the other network")
    func staying() async throws {
        let results = try await RealResults(RealResults.hour(6))
        let row = try #require(try results.file("experiment6_service_times").rows.first)
        #expect(try row.numbers("handoverTimestamps [s]").count == 2)
        #expect(try checkHour(row) == [Self.near])
        #expect(try results.file("experiment6_server").rows.map { $0["seed"] } == ["1"])
    }

    /// - Returns: where responses came from, one after the other.
    private func checkHour(_ row: [String: String]) throws -> [String] {
        let addresses = try row.texts("serverAddresses")
        let stamps = try row.numbers("requestTimestamps [us]")
        #expect(!addresses.isEmpty && stamps == stamps.sorted())
        #expect(stamps.count == addresses.count)
        #expect(try row.numbers("serviceTimes [us]").count == addresses.count)
        // Somebody was served between the handovers, and after the last one.
        let handovers = try row.numbers("handoverTimestamps [s]").map { $0 * 1e6 }
        for handover in handovers { #expect(stamps.contains { $0 > handover }) }
        return addresses.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }
}
