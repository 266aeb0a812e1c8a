import Foundation
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The log of a connection (qlog)")
struct QlogTests {
    let collector = QlogCollector()

    /// Both ends of a connection that carries some data and is closed.
    private func run(_ pair: EndpointPair) throws {
        let (client, _) = try pair.establish()
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([UInt8](repeating: 7, count: 20_000), to: id, fin: true)
        pair.run(for: .milliseconds(500))
        client.close(code: 9, reason: "done", now: pair.now)
        pair.run(for: .seconds(30))
    }

    @Test("It begins with what readers of the current and of earlier drafts ask for")
    func header() throws {
        let pair = EndpointPair(qlog: collector)
        try run(pair)
        for role in [Role.client, .server] {
            let header = try collector.log(of: role).header
            #expect(header["file_schema"] as? String == "urn:ietf:params:qlog:file:sequential")
            #expect(header["serialization_format"] as? String == "application/qlog+json-seq")
            #expect(header["qlog_version"] as? String == "0.3")
            #expect(header["qlog_format"] as? String == "JSON-SEQ")
            let trace = try #require(header["trace"] as? [String: Any])
            let vantagePoint = try #require(trace["vantage_point"] as? [String: Any])
            #expect(vantagePoint["type"] as? String == (role == .client ? "client" : "server"))
            #expect(trace["event_schemas"] as? [String] == ["urn:ietf:params:qlog:events:quic-13"])
            let fields = try #require(trace["common_fields"] as? [String: Any])
            let name = try #require(collector.names.first)
            #expect(fields["ODCID"] as? String == name.originalDestination.description)
            #expect(fields["group_id"] as? String == fields["ODCID"] as? String)
            #expect(fields["time_format"] as? String == "relative_to_epoch")
            let reference = try #require(fields["reference_time"] as? [String: Any])
            #expect(reference["wall_clock_time"] as? String == "2027-01-15T08:00:00.000Z")
        }
    }

    @Test("Every packet that was sent is there, and every one that arrived, with their sizes")
    func packets() throws {
        let pair = EndpointPair(qlog: collector)
        var sent: [Role: Int] = [:]
        pair.intercept = { flight in
            sent[flight.toServer ? .client : .server, default: 0] += flight.bytes.count
            return [flight]
        }
        try run(pair)
        let (client, server) = (try collector.log(of: .client), try collector.log(of: .server))
        for (from, to, role) in [(client, server, Role.client), (server, client, .server)] {
            let packets = from.events("packet_sent")
            #expect(packets.reduce(0) { $0 + ($1.raw["length"] as? Int ?? 0) } == sent[role])
            for packet in packets { check(packet) }
            // What comes after the end is only counted.
            let arrived = to.events("packet_received")
            for (packet, copy) in zip(packets, arrived) { checkCopy(copy, of: packet) }
            #expect(arrived.count >= packets.count - 3)
        }
    }

    private func check(_ packet: QlogEvent) {
        #expect(packet.category == "transport")
        #expect(["initial", "handshake", "1RTT"].contains(packet.header["packet_type"] as? String))
        #expect(packet.header["packet_number"] is Int)
        let lengths = packet.frames.map { ($0["raw"] as? [String: Any])?["length"] as? Int ?? 0 }
        #expect(lengths.reduce(0, +) == packet.raw["payload_length"] as? Int)
        #expect(!packet.frameTypes.contains("unknown"))
    }

    private func checkCopy(_ copy: QlogEvent, of packet: QlogEvent) {
        #expect(NSDictionary(dictionary: copy.header) == NSDictionary(dictionary: packet.header))
        #expect(NSArray(array: copy.frames) == NSArray(array: packet.frames))
        #expect(NSDictionary(dictionary: copy.raw) == NSDictionary(dictionary: packet.raw))
    }

    @Test("Times count from the first event and never go back")
    func times() throws {
        let pair = EndpointPair(qlog: collector)
        pair.now = .zero + .seconds(77)
        try run(pair)
        for role in [Role.client, .server] {
            let times = try collector.log(of: role).events.map(\.time)
            #expect(times.first == 0)
            #expect(times == times.sorted())
        }
        let sent = try collector.log(of: .client).events("packet_sent")
        let received = try collector.log(of: .client).events("packet_received")
        #expect(try #require(received.first).time - (try #require(sent.first)).time == 20)
    }

    @Test("The life of a connection is told from its start to its end, on both sides")
    func life() throws {
        let pair = EndpointPair(qlog: collector)
        try run(pair)
        for role in [Role.client, .server] {
            let log = try collector.log(of: role)
            #expect(log.events.first?.name == "quic:connection_started")
            let states = log.events("connection_state_updated").compactMap { $0.data["new"] as? String }
            #expect(
                states.prefix(4) == [
                    "attempted", "handshake_started", "handshake_complete", "handshake_confirmed",
                ])
            #expect(states.dropFirst(4) == [role == .client ? "closing" : "draining", "closed"])
            let initiators = log.events("parameters_set").compactMap { $0.data["initiator"] as? String }
            #expect(initiators.sorted() == ["local", "remote"])
            #expect(log.events("version_information").first?.data["chosen_version"] as? String == "00000001")
            let protocols = log.events("alpn_information").compactMap {
                $0.data["chosen_alpn"] as? [String: Any]
            }
            #expect(protocols.first?["string_value"] as? String == "test")
            let end = try #require(log.events("connection_closed").first)
            #expect(end.data["initiator"] as? String == (role == .client ? "local" : "remote"))
            #expect(end.data["error_code"] as? Int == 9)
            #expect(end.data["trigger"] as? String == "application")
            #expect(log.events("connection_closed").count == 1)
        }
    }

    @Test("Recovery is drawn under today's name and under the one that qvis knows")
    func metrics() throws {
        let pair = EndpointPair(qlog: collector)
        try run(pair)
        let log = try collector.log(of: .client)
        let today = log.events("recovery_metrics_updated")
        let known = log.events.filter { $0.name == "recovery:metrics_updated" }
        #expect(today.count == known.count && today.allSatisfy { $0.category == "recovery" })
        let values = today.reduce(into: [:]) { (sum: inout [String: Any], event) in
            sum.merge(event.data) { _, new in new }
        }
        #expect(values["min_rtt"] as? Double == 20)
        #expect((values["congestion_window"] as? Int ?? 0) > 12_000)
        for name in ["smoothed_rtt", "latest_rtt", "rtt_variance", "bytes_in_flight", "pto_count"] {
            #expect(values[name] is NSNumber)
        }
        #expect(log.events("congestion_state_updated").first?.data["new"] as? String == "slow_start")
    }

    @Test("A packet that is lost is told of, with the reason for believing so (RFC 9002 section 6.1)")
    func loss() throws {
        let pair = EndpointPair(qlog: collector)
        let (client, _) = try pair.establish()
        pair.run(for: .seconds(1))
        var dropsNext = true
        pair.intercept = { flight in
            guard flight.toServer, dropsNext else { return [flight] }
            dropsNext = false
            return []
        }
        let id = try #require(client.openStream(.unidirectional))
        _ = try client.write([UInt8](repeating: 7, count: 10_000), to: id, fin: true)
        pair.run(for: .seconds(1))
        let log = try collector.log(of: .client)
        let lost = try #require(log.events("packet_lost").first)
        #expect(lost.category == "recovery")
        #expect(lost.data["trigger"] as? String == "reordering_threshold")
        let number = try #require(lost.header["packet_number"] as? Int)
        #expect(lost.header["packet_type"] as? String == "1RTT")
        #expect(log.events("packet_sent").contains { $0.header["packet_number"] as? Int == number })
    }

    @Test("Keys come, are updated and go (RFC 9001 sections 4.9 and 6)")
    func keys() throws {
        let pair = EndpointPair(qlog: collector)
        let (client, _) = try pair.establish()
        pair.run(for: .seconds(1))
        client.updateKeys()
        client.ping()
        pair.run(for: .seconds(5))
        for role in [Role.client, .server] {
            let log = try collector.log(of: role)
            let updates = log.events("key_updated").filter { $0.data["key_phase"] as? Int == 1 }
            #expect(updates.count == 2)
            let trigger = role == .client ? "local_update" : "remote_update"
            #expect(updates.allSatisfy { $0.data["trigger"] as? String == trigger })
            let gone = Set(log.events("key_discarded").compactMap { $0.data["key_type"] as? String })
            #expect(gone.isSuperset(of: ["client_initial_secret", "server_handshake_secret"]))
            #expect(gone.contains(role == .client ? "server_1rtt_secret" : "client_1rtt_secret"))
        }
    }

    @Test("A move to another address has a tuple of its own (RFC 9000 section 9)")
    func migration() throws {
        let pair = EndpointPair(qlog: collector)
        let (client, _) = try pair.establish()
        pair.run(for: .seconds(1))
        #expect(client.migrate(toLocal: NetworkAddress("192.0.2.9:5555")!, now: pair.now))
        pair.run(for: .seconds(3))
        for role in [Role.client, .server] {
            let log = try collector.log(of: role)
            let tuples = log.events("tuple_assigned").compactMap { $0.data["tuple_id"] as? String }
            #expect(tuples.prefix(2) == ["", "1"])
            let states = log.events("migration_state_updated").compactMap { $0.data["new"] as? String }
            #expect(states.contains("migration_complete"))
            #expect(log.events("packet_sent").contains { $0.tuple == "1" })
        }
    }

    @Test("A Retry and a Version Negotiation packet are packets like others (RFC 9000 section 17.2)")
    func withoutNumbers() throws {
        var serverSide = TransportConfiguration()
        serverSide.versions = [.v1]
        var clientSide = TransportConfiguration()
        clientSide.versions = [.v2, .v1]
        let pair = EndpointPair(client: clientSide, server: serverSide, qlog: collector) {
            $0.retryPolicy = .always
        }
        _ = try pair.establish()
        let log = try collector.log(of: .client)
        let types = log.events("packet_received").compactMap { $0.header["packet_type"] as? String }
        #expect(types.prefix(2) == ["version_negotiation", "retry"])
        let chosen = log.events("version_information").compactMap { $0.data["chosen_version"] as? String }
        #expect(chosen == ["6b3343cf", "00000001"])
    }

    @Test("What only looks like the start of a connection leaves no log behind")
    func noise() throws {
        let pair = EndpointPair(qlog: collector)
        try pair.connect()
        var first: EndpointPair.Flight?
        pair.intercept = { flight in
            if first == nil { first = flight }
            return []
        }
        pair.exchange()
        var noise = try #require(first)
        noise.bytes[600] ^= 1
        pair.inject(noise)
        pair.collectEvents()
        #expect(collector.names.allSatisfy { $0.role == .client })
        pair.inject(try #require(first))
        #expect(collector.names.contains { $0.role == .server })
    }

    @Test("A sink that is refused costs the log and nothing else")
    func refused() throws {
        let pair = EndpointPair(qlog: QlogCollector(refuses: true))
        let (client, server) = try pair.establish()
        #expect(client.qlog == nil && server.qlog == nil)
    }

    @Test("A log changes nothing: the same bytes go over the wire with it and without")
    func neutrality() throws {
        let (with, without) = (EndpointPair(qlog: collector), EndpointPair())
        try run(with)
        try run(without)
        #expect(with.log.map(\.bytes) == without.log.map(\.bytes))
        #expect(with.log.map(\.at) == without.log.map(\.at))
    }

    @Test("A connection that was imported goes on with a log (and without a start)")
    func imported() throws {
        let pair = EndpointPair(qlog: collector)
        let (client, _) = try pair.establish()
        pair.run(for: .seconds(1))
        try pair.client.rewrite(client.handle, now: pair.now)
        let copy = try #require(pair.client.connection(client.handle))
        copy.ping()
        pair.run(for: .seconds(1))
        let log = try collector.log(of: .client)
        #expect(log.events("connection_started").count == 1)
        #expect(try #require(log.events("packet_sent").last).time > 1000)
    }
}
