import Foundation
import GodwitMigration
import GodwitSimulator
import GodwitWire
import MHQKit
import Synchronization
import Testing

@testable import GodwitTestbed

/// The kernel's own link: what `tc` is told, and what the kernel does with a server that goes. Netem itself takes part
/// only where the kernel has it.
extension RealExperimentTests {
    @Suite("Namespaces with netem")
    struct NetemTests {
        private static let mhq = ProgramRun.program.path

        /// A `tc` that takes everything, or refuses it, and remembers what it was told.
        private final class Recorder: Sendable {
            struct Call: Equatable {
                var words: [String]
                var lines: [String]
            }

            private let calls = Mutex<[Call]>([])
            private let refusal: String?

            init(refusing refusal: String? = nil) { self.refusal = refusal }

            var all: [Call] { calls.withLock(\.self) }
            /// Of this process, whose number is in names.
            var tool: NetworkTool {
                NetworkTool { words, lines in
                    self.calls.withLock { $0.append(Call(words: words, lines: lines)) }
                    guard let refusal = self.refusal else { return "" }
                    throw Failure(ExitCode.system, refusal)
                }
            }
        }

        private func wan(_ change: (inout PlanNetwork) -> Void = { _ in }) throws -> PlanNetwork {
            var network = try #require(try PlanLibrary.plan(1, isQuick: false).networks["wan"])
            change(&network)
            return network
        }

        private static let servers = ["192.168.1.104:6666", "192.168.1.105:6666"].map { NetworkAddress($0)! }
        private static let client = IPAddress("192.168.1.57")!

        private func toServer(_ paths: PlanNetwork, loss: Double, clients: [IPAddress] = [client]) -> [String]
        {
            NetemLines.toServer(paths, loss: loss, clients: clients, servers: Self.servers).commands(
                on: "server")
        }

        private func toClient(_ paths: PlanNetwork, loss: Double) -> [String] {
            NetemLines.toClient(paths, loss: loss, servers: Self.servers).commands(on: "clients")
        }

        // MARK: What tc is told

        @Test(
            "What clients send has the delay, rate and loss of the plan to each place, and all else passes by"
        )
        func toServerLines() throws {
            let filter = "filter add dev server parent 1: protocol ip prio 1 u32 match ip src 192.168.1.57/32"
            #expect(
                toServer(try wan(), loss: 0.03) == [
                    "qdisc add dev server root handle 1: prio bands 3 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
                    "qdisc add dev server parent 1:2 handle 10: netem limit 1134 delay 122.2ms 0.2ms"
                        + " loss random 1.5% rate 13mbit -14",
                    "\(filter) match ip dst 192.168.1.104/32 match ip dport 6666 0xffff match ip protocol 17 0xff"
                        + " flowid 1:2",
                    "qdisc add dev server parent 1:3 handle 11: netem limit 1155 delay 18.2ms 0.2ms"
                        + " loss random 1.5% rate 100mbit -14",
                    "\(filter) match ip dst 192.168.1.105/32 match ip dport 6666 0xffff match ip protocol 17 0xff"
                        + " flowid 1:3",
                ])
        }

        @Test("A direction's own loss takes the place of the series' half")
        func ownLoss() throws {
            let network = try wan {
                ($0.source.toServer.loss, $0.destination.toServer.loss) = (0.05, 0)
                $0.source.toClient.loss = 0.02
            }
            func losses(_ lines: [String]) -> [String] {
                lines.filter { $0.contains("netem") }.map {
                    $0.split(separator: " ").first { $0.hasSuffix("%") }.map(String.init) ?? ""
                }
            }
            #expect(losses(toServer(network, loss: 0.03)) == ["5%", ""])
            #expect(losses(toClient(network, loss: 0.03)) == ["2%", "1.5%"])
        }

        @Test("What servers send is only lost, and without loss nothing is in its way")
        func toClientLines() throws {
            #expect(toClient(try wan(), loss: 0) == [])
            let lines = toClient(try wan(), loss: 0.03)
            #expect(lines.count == 5)
            #expect(
                lines[3...] == [
                    "qdisc add dev clients parent 1:3 handle 11: netem limit 1001 loss random 1.5%",
                    "filter add dev clients parent 1: protocol ip prio 1 u32 match ip src 192.168.1.105/32"
                        + " match ip sport 6666 0xffff match ip protocol 17 0xff flowid 1:3",
                ])
        }

        @Test("A network that is alike in both directions has half of the delay in each")
        func symmetric() throws {
            let paths = try wan { $0.symmetric = true }
            let netem = "netem limit 1068 delay 61.1ms 0.1ms rate 13mbit -14"
            #expect(toServer(paths, loss: 0)[1].hasSuffix(netem))
            #expect(toClient(paths, loss: 0)[1].hasSuffix(netem))
        }

        @Test("In the client's other network near is far, and the client's address tells")
        func swapped() throws {
            let other = IPAddress("192.168.3.5")!
            let lines = toServer(try wan(), loss: 0, clients: [Self.client, other])
            #expect(lines[0].contains("prio bands 5 "))
            let delays = stride(from: 1, to: 9, by: 2).map { lines[$0].contains("delay 122.2ms") }
            #expect(delays == [true, false, false, true])
            #expect(lines[5...].allSatisfy { $0.contains("netem") || $0.contains("ip src 192.168.3.5/32") })
        }

        @Test("The queue's limit has room for what travels besides what waits")
        func limit() {
            // 12 Mbit/s are 1000 full packets a second.
            func limit(_ delay: Double, _ rate: UInt64?, _ queue: Int = 100) -> Int {
                NetemLines.limit(PlanLink(delay: delay, jitter: 0, rate: rate, queue: queue))
            }
            #expect(limit(50, 12) == 100 + 1 + 50)
            #expect(limit(50.1, 12) == 100 + 1 + 51)
            #expect(limit(0, 12) == 101)
            #expect(limit(120, nil) == 100 + 1 + 100_000)
            #expect(limit(.infinity, .max, .max) == 2_000_001)
        }

        @Test("Where there is jitter there is a rate, without which datagrams would overtake each other")
        func order() throws {
            let paths = try wan { $0.source.toServer.rate = nil }
            #expect(toServer(paths, loss: 0)[1].hasSuffix("delay 122.2ms 0.2ms rate 10000mbit -14"))
            let plain = try wan { ($0.source.toServer.rate, $0.source.toServer.jitter) = (nil, 0) }
            #expect(toServer(plain, loss: 0)[1].hasSuffix("delay 122ms"))
        }

        @Test("The tc of this machine understands every line", .enabled(if: geteuid() == 0, "needs root"))
        func words() async throws {
            guard (try? await NetworkTool.tc.output(["-V"])) != nil else { return }
            let namespaces = NetworkNamespaces(["words"])
            try await namespaces.make {
                let lines =
                    NetemLines.toServer(
                        try wan(), loss: 0.03, clients: [Self.client], servers: Self.servers
                    ).commands(on: "lo")
                for line in lines {
                    // A word that it does not know it answers with the right ones; what the kernel has not, with an error.
                    do { try await NetworkTool.tc.perform([line], in: namespaces.name("words")) } catch {
                        #expect("\(error)".contains(": Error: "), "\(line): \(error)")
                    }
                }
                await #expect {
                    try await NetworkTool.tc.perform(
                        ["qdisc add dev lo root netem lmit 1"], in: namespaces.name("words"))
                } throws: { !"\($0)".contains(": Error: ") }
            }
            await namespaces.remove()
        }

        // MARK: Which of the two

        private func probes() -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []).filter {
                $0.hasPrefix("mhq-run-\(ProcessInfo.processInfo.processIdentifier)-")
            }
        }

        @Test(
            "What is in a namespace of our own tells whether there is netem, and the namespace goes again",
            .enabled(if: geteuid() == 0, "needs root"))
        func detection() async throws {
            let willing = Recorder()
            #expect(try await LinkShaping.detect(willing.tool) == .netem)
            let call = try #require(willing.all.first)
            #expect(
                willing.all.count == 1 && call.words.first == "-n" && call.words.suffix(2) == ["-batch", "-"])
            #expect(call.words[1].hasSuffix("-probe"))
            for kind in [
                "prio bands", "netem limit", "delay 1.5ms 0.5ms", "loss random 5%", "rate 1mbit", "u32",
            ] {
                #expect(call.lines.contains { $0.contains(kind) }, "\(kind)")
            }
            let refusing = Recorder(refusing: "tc -batch -: Error: Specified qdisc kind is unknown.")
            #expect(
                try await LinkShaping.detect(refusing.tool)
                    == .userSpace(because: "tc: Error: Specified qdisc kind is unknown."))
            #expect(probes() == [])
        }

        @Test(
            "This machine's own kernel is asked, and the network is of the kind that it has",
            .enabled(if: geteuid() == 0, "needs root"))
        func thisMachine() async throws {
            let shaping = try await LinkShaping.detect()
            let network = try await shaping.makeNetwork(try PlanLibrary.plan(1, isQuick: true))
            #expect((network is NetemNetwork) == (shaping == .netem))
            await network.remove()
            #expect(probes() == [])
        }

        // MARK: The kernel's link

        @Test("Packets for nobody here are what the kernel says of them")
        func addressErrors() {
            let text = """
                Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams
                Ip: 2 64 1200 0 17 0
                Udp: InDatagrams InAddrErrors
                Udp: 1 2
                """
            #expect(AddressErrors.count(text) == 17)
            #expect(AddressErrors.count("") == 0)
            #expect(AddressErrors.count("Ip: InAddrErrors\nIp:\n") == 0)
        }

        @Test(
            "Queues are made before anything is sent, once a run, in the router alone",
            .enabled(if: geteuid() == 0, "needs root"))
        func queues() async throws {
            var plan = try PlanLibrary.plan(1, isQuick: true)
            plan.extraProtocols = []
            let (recorder, paths) = (Recorder(), try wan())
            let network = try await NetemNetwork.make(plan, tc: recorder.tool)
            let shape = LinkShape(plan: plan, paths: paths, loss: 0.03, random: DeterministicRandom(seed: 1))
            #expect(recorder.all == [])
            _ = try await network.makeLink(shape)
            let call = try #require(recorder.all.first)
            #expect(recorder.all.count == 1)
            #expect(call.words.first == "-n" && call.words[1].hasSuffix("-router"))
            #expect(call.lines == toServer(paths, loss: 0.03) + toClient(paths, loss: 0.03))
            await network.remove()
        }

        @Test(
            "From the freeze on the kernel loses and counts what is for the server, at both places, until it is let go",
            .enabled(if: geteuid() == 0, "needs root"))
        func holding() async throws {
            let plan = try PlanLibrary.plan(1, isQuick: true)
            let network = try await NetemNetwork.make(plan, tc: Recorder().tool)
            let shape = LinkShape(
                plan: plan, paths: try wan(), loss: 0, random: DeterministicRandom(seed: 1))
            let link = try await network.makeLink(shape)
            let client = try network.openClient()
            let inside = NetworkAddress(ip: .anyIPv4, port: plan.addresses.port)
            let server = try network.openServer(inside)
            func arrivals() -> Int {
                DatagramSocket.wait(for: [server.descriptor], 200_000_000)
                return withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
                    var count = 0
                    while let datagrams = server.receive(buffer) { count += datagrams.count }
                    return count
                }
            }
            func send() { for place in network.fronts + network.nobody { client.send("hello", to: place) } }
            send()
            #expect(arrivals() == 1)
            // The destination has nobody yet.
            #expect(link.lost == 1)
            try await link.hold(at: 0)
            send()
            #expect(arrivals() == 0)
            #expect(link.lost == 3)
            try await network.leave(0)
            network.arrive(at: 1)
            send()
            #expect(arrivals() == 0)
            #expect(link.lost == 5)
            try await link.release(at: 1)
            send()
            #expect(arrivals() == 1)
            #expect(link.lost == 6)
            // And nobody has said that nobody is there.
            #expect(
                !withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) {
                    client.receive($0) != nil
                })
            await network.remove()
        }

        @Test(
            "A frozen server goes on at another address of the kernel's link, with the same checks as any other",
            .enabled(if: geteuid() == 0, "needs root"),
            arguments: [PlanProtocol.poolOfAddresses3, .symmetric])
        func moving(_ name: PlanProtocol) async throws {
            try await RealMove.check(name) { plan in
                let tc = try await LinkShaping.detect() == .netem ? NetworkTool.tc : Recorder().tool
                return try RealBackend(plan, program: Self.mhq, .netem) {
                    try await NetemNetwork.make($0, tc: tc)
                }
            }
            #expect(probes() == [])
        }
    }
}
