import Foundation
import MHQKit
import Testing

@testable import GodwitTestbed

/// What the analysis draws from what the program writes.
extension RealExperimentTests {
    @Suite("Figures")
    struct FigureTests {
        private static let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../..").standardized.path
        private static let python = root + "/.build/analysis/bin/python"
        private static let hasPython = FileManager.default.fileExists(atPath: root + "/.build/analysis/ready")

        /// Experiments 0 and 1 in virtual time and on real sockets, on a short path: two strategies once each, with
        /// and without loss.
        private func makeResults(in folder: ProgramRun.Folder) throws {
            for id in 0...1 {
                var short = RealMove.shortened(try PlanLibrary.plan(id, isQuick: true))
                short.protocols.removeAll { ![.quicBaseline, .poolOfAddresses3, .symmetric].contains($0) }
                let plan = try folder.write(short.text, to: "plan\(id).json")
                for backend in ["simulated", "loopback"] {
                    let words = ["experiment", "run", "\(id)", "--plan", plan, "--backend", backend]
                    let (status, complaint) = try ProgramRun.run(
                        words + ["--policy", "godwit", "--out", "results"], in: folder)
                    try #require(status == 0, "\(complaint)")
                }
            }
        }

        /// Waits on another thread than those that tasks share, which other tests need meanwhile.
        private static func blocking<Result: Sendable>(
            _ body: @escaping @Sendable () throws -> Result
        ) async throws -> Result {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(with: Swift.Result(catching: body)) }
            }
        }

        /// Has the analysis's own tests judge the figures.
        private func judge(_ folder: String, figures: Int, comparisons: Int) throws -> (Int32, String) {
            let (process, output) = (Process(), Pipe())
            process.executableURL = URL(filePath: Self.python)
            process.arguments = ["-m", "unittest", "discover", "-s", "Analysis/tests", "-p", "test_given.py"]
            process.currentDirectoryURL = URL(filePath: Self.root)
            process.environment = [
                "PYTHONPATH": "Analysis", "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg",
                "HOME": folder, "GODWIT_RESULTS": folder + "/results", "GODWIT_FIGURES": "\(figures)",
                "GODWIT_COMPARISONS": "\(comparisons)",
            ]
            process.standardError = output
            try process.run()
            let said = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: said, as: UTF8.self))
        }

        @Test(
            "Results of the simulator and of real sockets yield every figure, and none has an empty axis",
            .enabled(if: hasPython, "needs the Python environment that make test-analysis makes"))
        func figures() async throws {
            let folder = try ProgramRun.Folder()
            // Three of experiment 1, one of all distances from the plain service time, one of failures.
            let (status, said) = try await Self.blocking {
                try makeResults(in: folder)
                return try judge(folder.path, figures: 5, comparisons: 2)
            }
            #expect(status == 0 && said.contains("Ran 3 tests") && said.hasSuffix("OK\n"), "\(said)")
        }
    }
}
