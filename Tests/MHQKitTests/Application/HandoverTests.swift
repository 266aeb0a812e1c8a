import Foundation
import Godwit
import GodwitHTTP3
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import MHQKit

/// A client that is told to change networks.
@Suite(.timeLimit(.minutes(5))) struct HandoverTests {
    private static func order(_ changes: [String: Any] = [:]) throws -> String {
        let members: [String: Any] = [
            "action": "handover", "address": "127.0.0.3:0", "accessPoint": "far",
            "accessPointGateway": "192.168.3.1", "otherAccessPointSubnet": "192.168.2.0/24", "tcScript": "",
        ]
        let data = try JSONSerialization.data(withJSONObject: members.merging(changes) { $1 })
        return String(decoding: data, as: UTF8.self)
    }

    // MARK: Orders

    @Test("An order says where the client goes, and how")
    func order() throws {
        let order = try HandoverOrder(try Self.order(["tcScript": "/root/tc.sh", "accessPoint": "a b"]))
        #expect(order.address == NetworkAddress("127.0.0.3:0"))
        #expect(order.accessPoint == "a b")
        #expect(order.accessPointGateway == "192.168.3.1")
        #expect(order.otherAccessPointSubnet == "192.168.2.0/24")
        #expect(order.trafficScript == "/root/tc.sh")
    }

    @Test("An order that makes no sense is refused by the member at fault")
    func refusedOrders() throws {
        for (changes, problem) in [
            (["action": "hand over"], "action: 'hand over' is not known"),
            (["address": "127.0.0.3"], "address: '127.0.0.3' is not an IP:PORT"),
            (["accessPoint": 1], "accessPoint: is no text"),
            (["accessPoint": NSNull()], "accessPoint: is no text"),
            (["hidden": "yes"], "hidden: not a member of this request"),
        ] as [([String: Any], String)] {
            let text = try Self.order(changes)
            #expect(throws: Failure(ExitCode.dataError, problem)) { try HandoverOrder(text) }
        }
        #expect(throws: Failure.self) { try HandoverOrder("handover") }
    }

    @Test(
        "What a command would take for an option is refused",
        arguments: ["accessPoint", "accessPointGateway", "otherAccessPointSubnet", "tcScript"])
    func options(_ member: String) throws {
        let text = try Self.order([member: "--ask"])
        let failure = Failure(ExitCode.dataError, "\(member): '--ask' looks like an option")
        #expect(throws: failure) { try HandoverOrder(text) }
    }

    // MARK: Commands

    private static func words(_ accessPoint: String = "far", script: String = "") -> HandoverWords {
        HandoverWords(
            accessPoint: accessPoint, gateway: "192.168.3.1", subnet: "192.168.2.0/24", script: script)
    }

    private func perform(_ words: HandoverWords, _ stubs: StubCommands) async -> Bool {
        await WirelessHandover(environment: ["PATH": stubs.path]).perform(words)
    }

    private static let connect = "nmcli|dev|wifi|connect|far"
    private static let route = "ip|route|replace|192.168.2.0/24|via|192.168.3.1"

    @Test("The radio is moved, then the route, then the script is run")
    func commands() async throws {
        let stubs = try StubCommands()
        for name in ["nmcli", "ip", "bash"] { try stubs.add(name) }
        #expect(await perform(Self.words(script: "/root/tc.sh"), stubs))
        #expect(stubs.calls == [Self.connect, Self.route, "bash|--|/root/tc.sh"])
    }

    @Test("A radio that doesn't find its network at once is told ten times")
    func attempts() async throws {
        let late = try StubCommands()
        try late.add("nmcli", failures: 9)
        try late.add("ip")
        #expect(await perform(Self.words(), late))
        #expect(late.calls == Array(repeating: Self.connect, count: 10) + [Self.route])
        let never = try StubCommands()
        try never.add("nmcli", failures: 10)
        try never.add("ip")
        #expect(await !perform(Self.words(), never))
        #expect(never.calls == Array(repeating: Self.connect, count: 10))
    }

    @Test("A route or a script that fails is a handover that failed")
    func failures() async throws {
        let stubs = try StubCommands()
        try stubs.add("nmcli")
        try stubs.add("ip", failures: 10)
        #expect(await !perform(Self.words(), stubs))
        #expect(stubs.calls.count == 11)
        let scripts = try StubCommands()
        for name in ["nmcli", "ip"] { try scripts.add(name) }
        let good = try scripts.folder.write("good.sh", "exit 0")
        let bad = try scripts.folder.write("bad.sh", "exit 3")
        #expect(await perform(Self.words(script: good), scripts))
        #expect(await !perform(Self.words(script: bad), scripts))
        #expect(await !perform(Self.words(script: scripts.folder["none.sh"]), scripts))
    }

    @Test(
        "What a shell would take apart arrives in one piece",
        arguments: ["far away", "far; touch $MARK", "$(touch $MARK)", "`touch $MARK`", "a'b\"c", "* && true"])
    func noShell(_ name: String) async throws {
        let stubs = try StubCommands()
        for command in ["nmcli", "ip"] { try stubs.add(command) }
        let mark = stubs.folder["mark"]
        let environment = ["PATH": stubs.path, "MARK": mark]
        #expect(await WirelessHandover(environment: environment).perform(Self.words(name)))
        #expect(stubs.calls.first == "nmcli|dev|wifi|connect|\(name)")
        #expect(!FileManager.default.fileExists(atPath: mark))
        #expect(
            await !WirelessHandover(environment: environment).perform(Self.words(script: "touch \(mark)")))
        #expect(!FileManager.default.fileExists(atPath: mark))
    }

    // MARK: The port

    /// Says what it was told.
    private final class Recorder: HandoverMethod {
        let heard = NIOLockedValueBox([HandoverWords]())
        let succeeds: Bool

        init(succeeds: Bool) { self.succeeds = succeeds }

        func perform(_ words: HandoverWords) async -> Bool {
            heard.withLockedValue { $0.append(words) }
            return succeeds
        }
    }

    private func replies(
        _ method: Recorder, to orders: [String]
    ) async throws -> (replies: [String?], local: NetworkAddress) {
        try await listening(method) { address in
            var replies: [String?] = []
            for order in orders { replies.append(await ManagementClient.ask(order, at: address)) }
            return replies
        }
    }

    private func listening(
        _ method: Recorder, _ talk: @escaping @Sendable (NetworkAddress) async throws -> [String?]
    ) async throws -> (replies: [String?], local: NetworkAddress) {
        try await RunningServer.run {
            $0.servesTCP = false
        } _: { server in
            try await server.withClient { client in
                #expect(try await client.ask("/bytes/10").status == 200)
                let listener = try await HandoverListener.bind(to: NetworkAddress("127.0.0.1:0")!, method)
                let port = try #require(listener.localAddress?.port)
                let listening = Task { await listener.run(client.quic) }
                let replies = try await talk(NetworkAddress("127.0.0.1:\(port)")!)
                #expect(try await client.ask("/bytes/20").content.count == 20)
                listening.cancel()
                await listening.value
                return (replies, await client.quic.localAddress)
            }
        }.0
    }

    @Test("A client that was told to change networks goes on at its other address, and answers OK")
    func moves() async throws {
        let method = Recorder(succeeds: true)
        let (replies, local) = try await replies(method, to: [try Self.order(["tcScript": "tc.sh"])])
        #expect(replies == ["OK"])
        #expect(local.ip == IPAddress("127.0.0.3"))
        // An answer that comes late is asked for again.
        #expect(Set(method.heard.withLockedValue { $0 }) == [Self.words(script: "tc.sh")])
    }

    /// Sends each text without waiting, and has as many answers.
    private static func insist(
        _ texts: [String], at address: NetworkAddress
    ) async throws -> [String] {
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = try await DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(
                    wrappingChannelSynchronously: channel)
            }
        }
        let remote = try SocketAddress(ipAddress: "\(address.ip)", port: Int(address.port))
        return try await channel.executeThenClose { inbound, outbound in
            for text in texts {
                try await outbound.write(
                    AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(string: text)))
            }
            var answers: [String] = []
            for try await datagram in inbound {
                answers.append(String(buffer: datagram.data))
                if answers.count == texts.count { break }
            }
            return answers
        }
    }

    @Test("An order that comes again is answered again, and carried out once")
    func repetition() async throws {
        let method = Recorder(succeeds: true)
        let order = try Self.order()
        let (replies, _) = try await listening(method) { address in
            try await Self.insist([order, order, order], at: address)
        }
        #expect(replies == ["OK", "OK", "OK"])
        #expect(method.heard.withLockedValue(\.count) == 1)
        // What could not be done is tried again.
        let helpless = Recorder(succeeds: false)
        _ = try await listening(helpless) { address in try await Self.insist([order, order], at: address) }
        #expect(helpless.heard.withLockedValue(\.count) == 2)
    }

    @Test("Another order is carried out, also the same one by somebody else")
    func otherOrders() async throws {
        let method = Recorder(succeeds: true)
        let orders = [try Self.order(), try Self.order(["accessPoint": "near"]), try Self.order()]
        let (replies, _) = try await listening(method) { address in
            let first = try await Self.insist(orders, at: address)
            return first + (try await Self.insist([orders[2]], at: address))
        }
        #expect(replies == ["OK", "OK", "OK", "OK"])
        #expect(method.heard.withLockedValue(\.count) == 4)
    }

    @Test("Who gives an order hears whether it was carried out, and what was wrong with it")
    func refusals() async throws {
        let method = Recorder(succeeds: false)
        let orders = [
            try Self.order(), "{}", try Self.order(["accessPoint": "-a"]),
            try Self.order(["address": "here"]),
        ]
        let (answers, local) = try await replies(method, to: orders)
        #expect(
            answers == [
                "Error: cannot perform handover", "Bad request. Error: action: is missing",
                "Bad request. Error: accessPoint: '-a' looks like an option",
                "Bad request. Error: address: 'here' is not an IP:PORT",
            ])
        #expect(local.ip != IPAddress("127.0.0.3"))
        #expect(Set(method.heard.withLockedValue { $0 }) == [Self.words()])
        let elsewhere = try await replies(
            Recorder(succeeds: true), to: [try Self.order(["address": "192.0.2.1:0"])])
        #expect(elsewhere.replies == ["Error: cannot perform handover"])
        #expect(elsewhere.local.ip != IPAddress("192.0.2.1"))
    }
}
