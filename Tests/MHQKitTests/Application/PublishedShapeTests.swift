import Foundation
import Godwit
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import MHQKit

/// The application itself, both ends, by each published shape of configuration.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PublishedShapeTests {
    /// Somebody who answers datagrams: the container's side, and the management port where the server goes.
    private final class Answerer: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        private let answer: @Sendable (String) async -> String?

        init(_ answer: @escaping @Sendable (String) async -> String?) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            let (channel, answer) = (context.channel, answer)
            Task {
                guard let text = await answer(String(buffer: envelope.data)) else { return }
                try? await channel.writeAndFlush(
                    AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(string: text)))
            }
        }

        static func bind(
            _ host: String, _ port: UInt16, _ answer: @escaping @Sendable (String) async -> String?
        ) async throws -> any Channel {
            try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in channel.pipeline.addHandler(Answerer(answer)) }
                .bind(host: host, port: Int(port)).get()
        }
    }

    /// A run of both ends, and what they left behind.
    private final class Run: Sendable {
        let places: PublishedShape.Places
        let folder: TemporaryFolder
        private let shape: PublishedShape
        private let responses = AsyncStream.makeStream(of: String.self)
        private let commands = NIOLockedValueBox([String]())

        init(_ shape: PublishedShape) async throws {
            self.shape = shape
            folder = try TemporaryFolder()
            places = PublishedShape.Places(
                port: FreePort.next(), managementPort: FreePort.next(), commandPort: FreePort.next(),
                keyFile: folder["keys.txt"])
        }

        /// What the container's side was told.
        var heard: [String] { commands.withLockedValue { $0 } }

        func perform() async throws {
            let reader = try ConfigurationReader(file: "server.json", text: shape.server(places))
            let settings = try ApplicationServerConfiguration(reader)
            #expect(settings.warnings.filter { !$0.contains("every protocol is off") }.isEmpty)
            let server = ApplicationServer(settings, policy: .godwit, folder: folder.path)
            let (signals, signal) = AsyncStream.makeStream(of: WebServerSignal.self)
            let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
            let serving = Task {
                defer { isReady.finish() }
                try await server.run(signals: signals) { isReady.yield() }
            }
            var isUp = false
            for await _ in ready {
                isUp = true
                break
            }
            if !isUp { try await serving.value }
            try #require(isUp)
            let others = try await bindOthers()
            async let driving: Void = drive()
            try await runClient()
            try await driving
            // Who ends the server is the client in most experiments; a server that was ended takes no notice.
            signal.yield(.end(15))
            try await serving.value
            for channel in others { try await channel.close() }
        }

        private func runClient() async throws {
            let reader = try ConfigurationReader(file: "client.json", text: shape.client(places))
            let settings = try ApplicationClientConfiguration(reader)
            #expect(settings.warnings.isEmpty)
            var client = ApplicationClient(settings, policy: .godwit, folder: folder.path)
            client.drain = 1
            let responses = responses.continuation
            try await client.run { responses.yield($0) }
            responses.finish()
        }

        private func bindOthers() async throws -> [any Channel] {
            let management = try await Answerer.bind(places.destination, places.managementPort) {
                [self] text in
                await tellServer(text)
            }
            let container = try await Answerer.bind("127.0.0.1", places.commandPort) { [self] text in
                commands.withLockedValue { $0.append(text) }
                return text == "migrate" ? await moveServer() : "OK"
            }
            return [management, container]
        }

        private func tellServer(_ text: String) async -> String {
            let address = NetworkAddress("\(places.source):\(places.managementPort)")!
            return await ManagementClient.ask(text, at: address) ?? "nobody answered"
        }

        /// The process goes on where it was, with another address.
        private func moveServer() async -> String {
            await tellServer(
                #"{"action":"onNetworkSwitch","address":"\#(places.destination):\#(places.port)"}"#)
        }

        /// What the thesis's drivers do in the last three experiments.
        private func drive() async throws {
            guard shape.experiment >= 4 else { return }
            var count = 0
            for await address in responses.stream {
                count += 1
                if count == 5, shape.experiment < 6 {
                    #expect(try await prepareServer() == ["OK", "migration ready"])
                    #expect(await moveServer() == "OK")
                }
                let isMoved = address.hasPrefix(places.destination)
                if shape.experiment == 6 ? count == 20 : isMoved {
                    #expect(await tellServer(ManagementMessage.shutdown) == "OK")
                    return
                }
            }
        }

        /// Gives the notice, and waits for the second answer, which says that all clients are ready.
        private func prepareServer() async throws -> [String] {
            let (answers, answer) = AsyncStream.makeStream(of: String.self)
            let channel = try await Answerer.bind("127.0.0.1", 0) { text in
                answer.yield(text)
                return nil
            }
            let destination = NetworkAddress("\(places.destination):\(places.port)")!
            let notice = ManagementMessage.notice(.reactiveExplicit, to: destination, asksForReadiness: true)
            let server = try SocketAddress(ipAddress: places.source, port: Int(places.managementPort))
            try await channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: server, data: ByteBuffer(string: notice)))
            var heard: [String] = []
            for await text in answers.prefix(2) { heard.append(text) }
            try await channel.close()
            return heard
        }

        func object(_ name: String) throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(try folder.read(name)))
            return try #require(value as? [String: Any])
        }
    }

    @Test(
        "The application runs by each published shape, and both ends write what they measured",
        arguments: PublishedShape.all)
    func published(_ shape: PublishedShape) async throws {
        let run = try await Run(shape)
        try await run.perform()
        try checkServer(run, shape)
        try checkClient(run, shape)
        if shape.triggerAfter > 0 {
            // An order whose answer is late is given again.
            let orders = run.heard.enumerated().filter { $0 == 0 || run.heard[$0 - 1] != $1 }.map(\.element)
            #expect(orders == ["migrate", ManagementMessage.shutdown])
        } else {
            #expect(run.heard.isEmpty)
        }
    }

    private func checkServer(_ run: Run, _ shape: PublishedShape) throws {
        let name = ApplicationServer.reportName
        guard shape.experiment != 3 else {
            // Nobody told the server to end, so it has nothing to report.
            return #expect(!run.folder.names.contains(name))
        }
        let report = try run.object(name)
        #expect(Set(report.keys) == ["migrationNotificationTime", "numberOfClientsReadyForMigration"])
        let hasMoved = shape.triggerAfter > 0 || (4...5).contains(shape.experiment)
        #expect((report["numberOfClientsReadyForMigration"] as? Int) == (hasMoved ? 1 : nil))
        #expect((report["migrationNotificationTime"] is NSNull) == !hasMoved)
    }

    private func checkClient(_ run: Run, _ shape: PublishedShape) throws {
        let name = shape.experiment == 4 ? "service_times_1.json" : "service_times.json"
        guard shape.experiment != 3 else { return #expect(!run.folder.names.contains(name)) }
        let log = try run.object(name)
        #expect(Set(log.keys) == Self.members(of: shape.experiment))
        #expect(log["experiment"] as? Int == shape.experiment)
        let times = try #require(log["serviceTimes"] as? [Int])
        let addresses = try #require(log["serverAddresses"] as? [String])
        #expect(times.count == addresses.count && times.allSatisfy { $0 > 0 })
        let destination = "\(run.places.destination):\(run.places.port)"
        switch shape.experiment {
        case 0, 1: #expect(times.count == 1)
        case 2: #expect(addresses.count { $0 == destination } == 10)
        case 4:
            #expect(log["connectionEndedDueToTimeout"] as? Bool == true)
            #expect(log["seed"] as? Int == 1)
        default: break
        }
        let isElsewhere = [2, 4, 5].contains(shape.experiment)
        #expect((addresses.last == destination) == (isElsewhere || shape.triggerAfter > 0))
        if shape.triggerAfter > 0 {
            #expect(log["firstRequestAfterMigrationTriggered"] as? Int == shape.triggerAfter + 1)
        }
    }

    private static func members(of experiment: Int) -> Set<String> {
        let all: Set = ["experiment", "serviceTimes", "serverAddresses"]
        return switch experiment {
        case 1, 2: all.union(["firstRequestAfterMigrationTriggered"])
        case 4:
            all.union([
                "requestTimestamps", "requestMethods", "requestBodySizes", "responseBodySizes",
                "connectionEndedDueToTimeout", "seed",
            ])
        case 5, 6: all.union(["requestTimestamps"])
        default: all
        }
    }
}
