import ArgumentParser
import Foundation
import MHQKit

/// The command line over MHQKit: it parses, calls, and turns failures into one line and an exit code.
@main
struct MHQ: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mhq",
        abstract: "QUIC whose servers can move.",
        subcommands: [
            Demo.self, Server.self, Client.self, Experiment.self, Serve.self, Get.self, Migrate.self,
            Arbiter.self, Simulate.self, BenchMigration.self, Perf.self,
            Interop.self, DemoServerCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot(
                ThesisArguments.translated(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            end("\(failure)", failure.exitCode)
        } catch let code as ArgumentParser.ExitCode {
            Foundation.exit(code.rawValue)
        } catch let error where exitCode(for: error) == .validationFailure {
            end(oneLine(message(for: error)), MHQKit.ExitCode.usage)
        } catch let error where exitCode(for: error) != .failure {
            exit(withError: error)
        } catch {
            end("\(error)", MHQKit.ExitCode.software)
        }
    }

    /// A message as it stands behind the program's name: on one line, and without a capital of its own.
    private static func oneLine(_ message: String) -> String {
        let line = message.split(separator: "\n").joined(separator: "; ")
        return line.prefix(1).lowercased() + line.dropFirst() + " (see mhq --help)"
    }

    private static func end(_ message: String, _ code: Int32) -> Never {
        FileHandle.standardError.write(Data("mhq: \(message)\n".utf8))
        Foundation.exit(code)
    }
}
