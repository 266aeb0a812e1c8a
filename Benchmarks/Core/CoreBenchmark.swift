import ArgumentParser
import CGodwitSocket
import Foundation
import GodwitCore
import GodwitCrypto
import GodwitWire
import MHQKit

/// `mhq perf` without Godwit: the same protocol, straight on GodwitCore. Either end works with the other's.
@main
struct CoreBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure what the transport costs without the async API.",
        subcommands: [Server.self, Client.self])

    struct Server: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Answer perf clients.")

        @Option(help: "Where to listen, as IP:PORT.")
        var listen = "127.0.0.1:4433"

        func run() throws {
            guard let address = NetworkAddress(listen) else {
                throw ValidationError("--listen: '\(listen)' is not an IP:PORT")
            }
            let loop = try CoreLoop(bindingTo: address, try CoreBenchmark.serverConfiguration())
            print("listening on \(loop.localAddress)")
            try loop.run(CoreServer()) { false }
        }
    }

    struct Client: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Exchange data with a perf server and report.")

        @Argument(help: "The server, as IP:PORT.")
        var server: String

        @Option(help: "How many bytes each stream downloads.")
        var download: UInt64 = 0

        @Option(help: "How many bytes each stream uploads.")
        var upload: UInt64 = 0

        @Option(help: "How many streams run at once.")
        var parallel = 1

        @Option(help: "How many streams there are in all.")
        var count = 1

        @Option(help: "Instead of that, make so many connections one after the other.")
        var handshakes = 0

        @Flag(help: "Print one JSON object instead of a table.")
        var json = false

        func run() throws {
            guard let remote = NetworkAddress(server), parallel > 0, count > 0, handshakes >= 0 else {
                throw ValidationError("a server as IP:PORT, and at least one stream")
            }
            var plan = PerfPlan()
            (plan.download, plan.upload) = (download, upload)
            (plan.parallel, plan.count, plan.handshakes) = (parallel, count, handshakes)
            if handshakes > 0 { (plan.download, plan.upload, plan.count) = (1000, 0, 1) }
            let report = try CoreBenchmark.client(plan, remote).run()
            print(json ? report.json : report.text)
        }
    }
}

extension CoreBenchmark {
    fileprivate static func serverConfiguration() throws -> EndpointConfiguration {
        let identity = try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"]).identity()
        var tls = TLSServerConfiguration(
            applicationProtocols: [PerfProtocol.applicationProtocol],
            credentials: ServerCredentials([identity]))
        tls.ticketKeys = .random()
        var configuration = EndpointConfiguration(unixTimeAtEpoch: godwit_unix_time())
        configuration.transport.maxIncomingBidirectionalStreams = 1000
        configuration.server = ServerConfiguration(handshake: .tls(try TLSServer(tls)))
        return configuration
    }

    fileprivate static func client(_ plan: PerfPlan, _ remote: NetworkAddress) throws -> CoreClient {
        var tls = TLSClientConfiguration(applicationProtocols: [PerfProtocol.applicationProtocol])
        tls.trust = .insecureNoVerification
        let local = NetworkAddress(ip: remote.isIPv4 ? .anyIPv4 : .anyIPv6, port: 0)
        let loop = try CoreLoop(
            bindingTo: local, EndpointConfiguration(unixTimeAtEpoch: godwit_unix_time()))
        let request = ConnectRequest(
            remote: remote, local: loop.localAddress, serverName: "localhost",
            handshake: .tls(try TLSClient(tls)))
        return CoreClient(plan, request, on: loop)
    }
}
