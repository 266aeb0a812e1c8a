import Foundation

/// The program itself, as it was built along with these tests, in a folder of its own.
///
/// A `Process` takes questions from any thread once it runs.
final class ProgramRun: @unchecked Sendable {
    static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "mhq")
    static let plans = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Plans")
        .standardized.path

    /// A folder that goes when nobody needs it any more.
    final class Folder: Sendable {
        let path = NSTemporaryDirectory() + "testbed-\(UUID().uuidString)"
        init() throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ text: String, to name: String) throws -> String {
            try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
            return "\(path)/\(name)"
        }
    }

    /// Takes root's rights away.
    private static let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    /// Whether a test can do without rights here: it has root's or none, and low ports need some.
    static var canBeNobody: Bool {
        let path = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
        let start = (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { Int($0.dropLast()) }
        guard getuid() == 0, start ?? 0 > 1 else { return false }
        let process = Process()
        process.executableURL = URL(filePath: nobody[0])
        process.arguments = Array(nobody.dropFirst()) + ["/usr/bin/test", "-x", program.path]
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private let process = Process()
    private let errors: URL

    /// Starts it.
    ///
    /// - Parameter path: where it finds commands. Without git and Swift, which an environment file would ask for what
    ///   does not matter here.
    init(
        _ arguments: [String], in folder: Folder, asNobody: Bool = false, path: String = "/nonexistent"
    ) throws {
        errors = URL(filePath: folder.path).appending(path: "errors-\(UUID().uuidString)")
        let words = asNobody ? Self.nobody + [Self.program.path] + arguments : [Self.program.path] + arguments
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.currentDirectoryURL = URL(filePath: folder.path)
        // Sanitizers have theirs: what holds for these tests holds for what they start.
        let options = ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }
        process.environment = options.merging([
            "MHQ_PLANS": Self.plans, "PATH": path, "TMPDIR": NSTemporaryDirectory(),
        ]) { $1 }
        try Data().write(to: errors)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    var identifier: Int32 { process.processIdentifier }

    /// Where `ip` and `tc` are.
    static let networkTools = "/usr/sbin:/sbin"

    /// Where the processes of its runs on real sockets work.
    var runsFolder: String { NSTemporaryDirectory() + "mhq-run-\(identifier)" }

    /// What it said on standard error.
    var complaint: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// Sends it a signal.
    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// How it ended: its exit code, or 128 and the signal that ended it.
    func status() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
    }

    /// As ``status()``, for programs that take long: others can use the thread meanwhile.
    func laterStatus() async throws -> Int32 {
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        return status()
    }

    /// Sends it a signal as soon as something holds. Whatever else is tested meanwhile, it is not late: a thread of its
    /// own looks, and sends it.
    func signal(_ number: Int32, once isTrue: @escaping @Sendable () -> Bool) async {
        await onThread { [self] in
            wait(until: isTrue)
            signal(number)
        }
    }

    /// Waits until something holds, or the program has ended, and meanwhile keeps nobody else's thread.
    ///
    /// - Returns: whether it holds.
    func comes(true isTrue: @escaping @Sendable () -> Bool) async -> Bool {
        await onThread { [self] in
            wait(until: isTrue)
            return isTrue()
        }
    }

    private func onThread<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }

    /// Waits until something holds, or the program has ended.
    func wait(until isTrue: () -> Bool) {
        while process.isRunning, !isTrue() { usleep(1000) }
    }

    static func run(
        _ arguments: [String], in folder: Folder, asNobody: Bool = false
    ) throws -> (status: Int32, complaint: String) {
        let run = try ProgramRun(arguments, in: folder, asNobody: asNobody)
        return (run.status(), run.complaint)
    }
}
