import ArgumentParser
import Foundation
import Godwit
import GodwitTestbed
import MHQKit

struct Experiment: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Repeat the thesis's experiments, in virtual time or on real sockets.",
        subcommands: [List.self, Run.self, CaretakerCommand.self, ContainerCommand.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say which experiments there are.")

        func run() throws { print(try PlanLibrary.list()) }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Do the runs of an experiment, and write their results down.",
            discussion: """
                mhq experiment run 1 --policy thesis --out results
                mhq experiment run 1 --quick --backend namespaces --out results

                Results lie in DIR/POLICY/BACKEND, named and laid out as the thesis's. The command may be interrupted at
                any time; the same command goes on where it was. environment_experimentN.json beside the results says
                how they came about, and --replay has them again. The exit code is 1 if runs failed their checks; their
                rows in godwit_details.csv say which and how.
                """)

        @Argument(help: "Which experiment, 0 to 6.")
        var id: Int?

        @Option(help: "Where it takes place: simulated, which is the default, loopback or namespaces.")
        var backend: String?

        @Option(help: "How both ends behave: 'godwit', the default, or 'thesis' with its weaknesses.")
        var policy: String?

        @Option(help: "How often each configuration is run, in place of what the plan says.")
        var repetitions: Int?

        @Option(help: "The seed of the first run, in place of what the plan says.")
        var seed: UInt64?

        @Option(help: ArgumentHelp("A plan of your own; those that ship are in Plans.", valueName: "file"))
        var plan: String?

        @Flag(help: "Few runs, short intervals: to see that it works.")
        var quick = false

        @Option(help: ArgumentHelp("Do again what this environment file tells of.", valueName: "file"))
        var replay: String?

        @Option(help: ArgumentHelp("Where results go.", valueName: "folder"))
        var out: String

        func run() async throws {
            let command = try makeCommand()
            let signals = await WebServerSignal.ofProcess()
            let work = Task { try await command.run() }
            let watching = Task {
                for await signal in signals {
                    if case .end(let number) = signal {
                        work.cancel()
                        return number
                    }
                }
                return 0
            }
            let result = await work.result
            guard case .failure(let error) = result, error is CancellationError else {
                watching.cancel()
                guard try result.get() == 0 else { throw ArgumentParser.ExitCode(1) }
                return
            }
            FileHandle.standardError.write(
                Data("\nmhq: interrupted; the same command goes on with the runs that are missing\n".utf8))
            throw ArgumentParser.ExitCode(128 + (await watching.value))
        }

        private func makeCommand() throws -> ExperimentCommand {
            try checkChoices()
            let line = CommandLine.arguments
            if let replay {
                let record = try EnvironmentRecord.read(replay)
                return ExperimentCommand(
                    record.plan, policy: try MigrationPolicy(option: record.policy),
                    backend: try BackendName(option: record.backend), folder: out, commandLine: line)
            }
            return ExperimentCommand(
                try makePlan(), policy: try MigrationPolicy(option: policy ?? "godwit"),
                backend: try BackendName(option: backend ?? "simulated"), folder: out, commandLine: line)
        }

        /// What would be passed over in silence is refused.
        private func checkChoices() throws {
            let choices = [
                ("the id", id != nil), ("--plan", plan != nil), ("--policy", policy != nil),
                ("--backend", backend != nil), ("--seed", seed != nil),
                ("--repetitions", repetitions != nil), ("--quick", quick),
            ]
            if replay != nil, let (name, _) = choices.first(where: \.1) {
                throw Failure(
                    MHQKit.ExitCode.usage, "--replay: the file says all, so \(name) must not be given with it"
                )
            }
            if plan != nil, quick {
                throw Failure(
                    MHQKit.ExitCode.usage, "--quick: is about plans that ship, and not for one of --plan")
            }
        }

        private func makePlan() throws -> ExperimentPlan {
            var plan = try self.plan.map { try ExperimentPlan.read($0) } ?? shippedPlan()
            if let id, id != plan.experiment {
                throw Failure(
                    MHQKit.ExitCode.usage, "--plan: is of experiment \(plan.experiment), and not \(id)")
            }
            if let repetitions { plan.repetitions = repetitions }
            if let seed { plan.firstSeed = seed }
            // The plan was in order before.
            if let problem = plan.problem {
                throw Failure(
                    MHQKit.ExitCode.usage,
                    "--" + problem.replacing("firstSeed:", with: "seed:", maxReplacements: 1))
            }
            return plan
        }

        private func shippedPlan() throws -> ExperimentPlan {
            guard let id, 0...6 ~= id else {
                throw Failure(
                    MHQKit.ExitCode.usage, "id: a number from 0 to 6 is needed (see mhq experiment list)")
            }
            return try PlanLibrary.plan(id, isQuick: quick)
        }
    }
}

/// What `mhq experiment run` starts to tidy up after it.
struct CaretakerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "caretaker", abstract: "Tidy up after an experiment that was killed.",
        shouldDisplay: false)

    @Argument var program: Int32

    func run() async throws {
        guard program > 0 else { throw Failure(MHQKit.ExitCode.usage, "program: the number of a process") }
        await Caretaker.watch(over: program)
    }
}

/// What a run on real sockets starts to have a server, and to move it.
struct ContainerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "container", abstract: "Run a server, and move it when told to.", shouldDisplay: false)

    @Argument var configuration: String

    func run() async throws {
        let signals = await WebServerSignal.ofProcess()
        let status = try await ContainerSide.run(configuration, signals: signals)
        if status != 0 { throw ArgumentParser.ExitCode(status) }
    }
}
