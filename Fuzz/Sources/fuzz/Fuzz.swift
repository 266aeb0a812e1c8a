import Foundation
import GodwitFuzzing

/// Under libFuzzer (built with FUZZING, see scripts/fuzz.sh) the fuzzer itself; the target is in the environment, so
/// that the processes it starts know it too. Otherwise it replays inputs and writes the seeds.
@main
struct Fuzz {
    static let usage = """
        usage: fuzz run TARGET FILE...   replays inputs
               fuzz seeds DIRECTORY      writes the first inputs of all targets
        Fuzzing needs a build by scripts/fuzz.sh.
        """

    static func main() {
        let arguments = CommandLine.arguments
        if arguments.count > 3, arguments[1] == "run", let target = FuzzTarget(rawValue: arguments[2]) {
            for path in arguments[3...] { replay(path, target) }
        } else if arguments.count == 3, arguments[1] == "seeds" {
            for target in FuzzTarget.allCases { writeSeeds(of: target, into: arguments[2]) }
        } else {
            fuzz()
        }
    }

    private static func replay(_ path: String, _ target: FuzzTarget) {
        guard let data = FileManager.default.contents(atPath: path) else {
            return fail("cannot read \(path)")
        }
        data.withUnsafeBytes { target.run($0) }
        print("\(path): fine")
    }

    private static func writeSeeds(of target: FuzzTarget, into directory: String) {
        let folder = URL(fileURLWithPath: directory).appending(path: target.rawValue)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (index, seed) in target.seeds.enumerated() {
                try Data(seed).write(to: folder.appending(path: "seed-\(index)"))
            }
        } catch {
            fail("\(error)")
        }
    }

    static func fail(_ message: String) {
        FileHandle.standardError.write(Data((message + "\n").utf8))
        exit(2)
    }
}

#if FUZZING
extension Fuzz {
    static let target = FuzzTarget(rawValue: ProcessInfo.processInfo.environment["GODWIT_FUZZ_TARGET"] ?? "")

    static func fuzz() {
        guard target != nil else { return fail("GODWIT_FUZZ_TARGET is none of the targets") }
        var count = CommandLine.argc
        var values = CommandLine.unsafeArgv
        exit(runFuzzer(&count, &values) { fuzzOneInput($0, $1) })
    }
}

/// What libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    Fuzz.target?.run(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
    _ count: UnsafeMutablePointer<Int32>,
    _ values: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32
#else
extension Fuzz {
    static func fuzz() { fail(usage) }
}
#endif
