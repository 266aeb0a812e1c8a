import Foundation
import GodwitFuzzing
import Testing

@Suite("What the fuzzers have found, once more")
struct FuzzCorpusTests {
    /// The folder of the fuzzers' package.
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz")

    @Test(
        "An input that once was a finding is none any more (RFC 9000 section 21)",
        arguments: FuzzTarget.allCases)
    func regressions(target: FuzzTarget) throws {
        for input in try Self.inputs("Regressions", target) { input.withUnsafeBytes { target.run($0) } }
    }

    @Test("The corpus of each target runs through (RFC 9000 section 21)", arguments: FuzzTarget.allCases)
    func corpus(target: FuzzTarget) throws {
        let inputs = try Self.inputs("Corpus", target)
        #expect(!inputs.isEmpty)
        // A part of it: in a debug build a script costs a hundred times what it costs the fuzzer.
        for input in inputs.prefix(150) { input.withUnsafeBytes { target.run($0) } }
    }

    @Test("The fuzzers begin with what well-behaved peers send", arguments: FuzzTarget.allCases)
    func seeds(target: FuzzTarget) {
        for seed in target.seeds.prefix(20) { seed.withUnsafeBytes { target.run($0) } }
    }

    private static func inputs(_ kind: String, _ target: FuzzTarget) throws -> [Data] {
        let folder = folder.appending(path: kind).appending(path: target.rawValue)
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { try Data(contentsOf: $0) }
    }
}
