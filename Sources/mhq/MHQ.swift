import ArgumentParser
import Foundation
import MHQKit

/// The command line over MHQKit: it parses, calls, and turns failures into one line and an exit code.
@main
struct MHQ: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mhq",
        abstract: "QUIC whose servers can move.",
        subcommands: [Interop.self])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            FileHandle.standardError.write(Data("mhq: \(failure)\n".utf8))
            Foundation.exit(failure.exitCode)
        } catch let code as ArgumentParser.ExitCode {
            Foundation.exit(code.rawValue)
        } catch where exitCode(for: error) == .validationFailure || exitCode(for: error) == .success {
            exit(withError: error)
        } catch {
            FileHandle.standardError.write(Data("mhq: \(error)\n".utf8))
            Foundation.exit(MHQKit.ExitCode.software)
        }
    }
}

struct Interop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "An endpoint for the QUIC interop runner; see scripts/interop/README.md.",
        subcommands: [Server.self, Client.self])

    struct Server: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve files over hq-interop, as the environment says.")

        func run() async throws {
            let contract = try InteropContract(environment: ProcessInfo.processInfo.environment)
            throw ArgumentParser.ExitCode(try await InteropServer(contract).run())
        }
    }

    struct Client: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Download files over hq-interop, as the environment says.")

        func run() async throws {
            let contract = try InteropContract(environment: ProcessInfo.processInfo.environment)
            throw ArgumentParser.ExitCode(try await InteropClient(contract).run())
        }
    }
}
