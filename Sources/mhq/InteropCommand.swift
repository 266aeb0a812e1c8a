import ArgumentParser
import Foundation
import MHQKit

struct Interop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Be an endpoint for the QUIC interop runner.",
        discussion: "What to do comes in environment variables; scripts/interop/README.md lists them.",
        subcommands: [Server.self, Client.self])

    struct Server: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serve files over hq-interop.")

        func run() async throws {
            let contract = try InteropContract(environment: ProcessInfo.processInfo.environment)
            throw ArgumentParser.ExitCode(try await InteropServer(contract).run())
        }
    }

    struct Client: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Download files over hq-interop.")

        func run() async throws {
            let contract = try InteropContract(environment: ProcessInfo.processInfo.environment)
            throw ArgumentParser.ExitCode(try await InteropClient(contract).run())
        }
    }
}
