import Foundation
import GodwitHTTP3
import GodwitTestSupport
import NIOCore
import NIOPosix
import Testing

@testable import MHQKit

/// The thesis's management interface, over UDP as its scripts use it (Specs/server-migration.md 7.8).
@Suite(.timeLimit(.minutes(15))) struct ManagementPortTests {
    private typealias Envelope = AddressedEnvelope<ByteBuffer>

    /// A socket that sends commands and gets replies.
    private actor Operator {
        private let channel: NIOAsyncChannel<Envelope, Envelope>
        private let server: SocketAddress
        private let replies: AsyncStream<String>
        private let collecting: Task<Void, any Error>

        init(to server: SocketAddress, on group: any EventLoopGroup) async throws {
            let channel = try await DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0) {
                channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<Envelope, Envelope>(wrappingChannelSynchronously: channel)
                }
            }
            let (stream, continuation) = AsyncStream.makeStream(of: String.self)
            (self.channel, self.server, replies) = (channel, server, stream)
            collecting = Task {
                try await channel.executeThenClose { inbound, _ in
                    for try await datagram in inbound { continuation.yield(String(buffer: datagram.data)) }
                }
            }
        }

        /// The next reply, whichever command it is for.
        func reply() async -> String? {
            for await reply in replies { return reply }
            return nil
        }

        func say(_ text: String) async throws {
            let envelope = Envelope(remoteAddress: server, data: ByteBuffer(string: text))
            try await channel.channel.writeAndFlush(envelope)
        }

        func ask(_ text: String) async throws -> String? {
            try await say(text)
            return await reply()
        }

        func close() { collecting.cancel() }
    }

    private func run(
        reportFile: String? = nil, _ body: @Sendable (RunningServer, Operator) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await RunningServer.run {
            $0.management = try ListenAddress("127.0.0.1:0", option: "--management-port")
            $0.managementReport = reportFile
            $0.allowedDestinations = [AddressPrefix("127.0.0.0/8")!]
            $0.servesTCP = false
        } _: { server in
            let port = try #require(server.server.managementAddress)
            let peer = try await Operator(to: port, on: group)
            try await body(server, peer)
            await peer.close()
        }
        try await group.shutdownGracefully()
    }

    private static func announce(_ name: String, _ address: String? = nil, notify: Bool? = nil) -> String {
        var members = [#""action":"onImminentServerMigration","protocol":"\#(name)""#]
        if let address { members.append(#""address":"\#(address)""#) }
        if let notify { members.append(#""notifyMigrationReady":\#(notify)"#) }
        return "{\(members.joined(separator: ","))}"
    }

    // Holds: W24
    @Test(
        "By each protocol: OK, then 'migration ready', and a client that follows",
        arguments: ["Explicit", "Symmetric", "Synchronized Symmetric"])
    func protocols(name: String) async throws {
        try await run { (server, peer) async throws -> Void in
            try await server.withFollower { (client) async throws -> Void in
                #expect(try await client.ask("/bytes/10").status == 200)
                let to = "127.0.0.2:\(server.port)"
                let command = Self.announce(name, name == "Explicit" ? to : nil, notify: true)
                #expect(try await peer.ask(command) == "OK")
                #expect(await peer.reply() == "migration ready")
                // Without a hold, for its operator is trusted (6.6.7); where to is for us to say.
                let moved = #"{"action":"onNetworkSwitch","address":"\#(to)"}"#
                for _ in 0..<2 { #expect(try await peer.ask(moved) == "OK") }
                #expect(try await client.ask("/bytes/20").content.count == 20)
                #expect(await client.quic.remoteAddress == NetworkAddress(to))
            }
        }
    }

    @Test("Who doesn't ask for it is not told, and a plan that is under way is not replaced")
    func quietly() async throws {
        try await run { (_, peer) async throws -> Void in
            #expect(try await peer.ask(Self.announce("Symmetric")) == "OK")
            #expect(try await peer.ask(Self.announce("Symmetric", notify: false)) == "OK")
            #expect(
                try await peer.ask(Self.announce("Synchronized Symmetric"))
                    == "Bad request. Error: another migration is under way")
            #expect(try await peer.ask(#"{"action":"onNetworkSwitch"}"#) == "OK")
            // Then there may be another one.
            #expect(try await peer.ask(Self.announce("Synchronized Symmetric")) == "OK")
        }
    }

    @Test("What is wrong is named, and nobody else's address is gone to")
    func refusals() async throws {
        try await run { (_, peer) async throws -> Void in
            for (text, reply) in [
                ("", "the request is no JSON object"),
                ("{}", "action: is missing"),
                (#"{"action":"stop"}"#, "action: 'stop' is not known"),
                (#"{"action":"onNetworkSwitch"}"#, "no migration was announced"),
                (Self.announce("Up"), "protocol: 'Up' is not known"),
                (Self.announce("Explicit"), "address: an IP:PORT is needed"),
                (Self.announce("Explicit", "1.2.3.4"), "address: '1.2.3.4' is not an IP:PORT"),
                (Self.announce("Explicit", "0.0.0.0:1"), "address: an IP:PORT is needed"),
                (
                    #"{"action":"onImminentServerMigration","protocol":"Symmetric","notifyMigrationReady":1}"#,
                    "notifyMigrationReady: is neither true nor false"
                ),
                (#"{"action":"shutdown","now":true}"#, "now: not a member of this request"),
            ] {
                #expect(try await peer.ask(text) == "Bad request. Error: \(reply)")
            }
            let elsewhere = "192.0.2.1:4433 is not among the allowed destinations"
            #expect(
                try await peer.ask(Self.announce("Explicit", "192.0.2.1:4433"))
                    == "Bad request. Error: \(elsewhere)")
            #expect(try await peer.ask(Self.announce("Symmetric")) == "OK")
            #expect(
                try await peer.ask(#"{"action":"onNetworkSwitch","address":"192.0.2.1:4433"}"#)
                    == "Bad request. Error: \(elsewhere)")
        }
    }

    @Test("A server that can't write its figures ends all the same, and says which file it was")
    func unwritable() async throws {
        try await run(reportFile: "/nowhere/report.json") { (server, peer) async throws -> Void in
            try await server.withFollower { (client) async throws -> Void in
                let log = LogRecorder()
                let service = OperatorService(server: server.server.http3, logger: log.logger) {}
                let operation = ThesisOperation(service: service, reportFile: "/nowhere/report.json")
                #expect(await operation.obey(#"{"action":"shutdown"}"#) == "OK")
                #expect(
                    log.lines.count { $0.hasPrefix("error ") && $0.contains("/nowhere/report.json") } == 1)
                #expect(try await peer.ask(#"{"action":"shutdown"}"#) == "OK")
                await client.waitUntilUnusable()
            }
        }
    }

    @Test("Who asks for the interface where others reach it is warned", arguments: ["127.0.0.1", "[::1]"])
    func loopback(_ host: String) async throws {
        #expect(try await warnings("\(host):0") == [])
        let open = try await warnings(host == "[::1]" ? "[::]:0" : "0.0.0.0:0")
        #expect(open.count == 1)
        #expect(open.first?.hasPrefix("warning the management port is open to others") == true)
    }

    private func warnings(_ address: String) async throws -> [String] {
        let (group, log) = (MultiThreadedEventLoopGroup(numberOfThreads: 1), LogRecorder())
        let management = try await ThesisManagement.bind(
            to: ListenAddress(address, option: "--management-port"), on: group, log.logger)
        let folder = try TemporaryFolder()
        try await RunningServer.run {
            $0.servesTCP = false
        } _: { server in
            let service = OperatorService(server: server.server.http3, logger: log.logger) {}
            let running = Task {
                await management.run(ThesisOperation(service: service, reportFile: folder["report.json"]))
            }
            running.cancel()
            await running.value
        }
        try await group.shutdownGracefully()
        return log.lines
    }

    @Test("On shutdown the server writes its figures, answers and ends")
    func shutdown() async throws {
        let folder = try TemporaryFolder()
        let report = folder["report.json"]
        try await run(reportFile: report) { (server, peer) async throws -> Void in
            try await server.withFollower { (client) async throws -> Void in
                #expect(try await client.ask("/bytes/10").status == 200)
                #expect(try await peer.ask(Self.announce("Symmetric", notify: true)) == "OK")
                #expect(await peer.reply() == "migration ready")
                #expect(try await peer.ask(#"{"action":"shutdown"}"#) == "OK")
                await client.waitUntilUnusable()
            }
            let data = try Data(contentsOf: URL(fileURLWithPath: report))
            let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            #expect(Set(object.keys) == ["migrationNotificationTime", "numberOfClientsReadyForMigration"])
            #expect(object["numberOfClientsReadyForMigration"] as? Int == 1)
            #expect((object["migrationNotificationTime"] as? Int).map { $0 >= 0 } == true)
        }
    }
}
