import Foundation

/// The interoperability harness, with the `mhq` that was built along with these tests.
enum Harness {
    /// The scripts say by this that something is not installed, and which command installs it.
    static let unavailable: Int32 = 69

    static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let peers = URL(
        filePath: ProcessInfo.processInfo.environment["GODWIT_PEERS"]
            ?? repository.appending(path: ".build/peers").path)

    static let mhq = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "mhq")

    static var hasAioquic: Bool { isExecutable(peers.appending(path: "venv/bin/python")) }

    static var hasChromium: Bool {
        isExecutable(peers.appending(path: "bin/chromium")) || has("chromium")
    }

    /// Whether the machine has a program.
    static func has(_ program: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .contains { isExecutable(URL(filePath: String($0)).appending(path: program)) }
    }

    private static func isExecutable(_ file: URL) -> Bool {
        FileManager.default.isExecutableFile(atPath: file.path)
    }

    /// What a script left behind.
    struct Result {
        var status: Int32
        var output: Data
        var errors: String
    }

    /// Runs one of the scripts to its end.
    static func run(_ script: String, _ arguments: String...) throws -> Result {
        let process = Process()
        process.executableURL = peers.appending(path: "venv/bin/python")
        let file = repository.appending(path: "scripts/interop").appending(path: script)
        process.arguments = [file.path, "--prefix", peers.path] + arguments
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        // Files rather than pipes, which nobody would read while the script runs.
        let (output, errors) = (folder.appending(path: "output"), folder.appending(path: "errors"))
        process.standardOutput = try writer(of: output)
        process.standardError = try writer(of: errors)
        try process.run()
        process.waitUntilExit()
        let complaint = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        return Result(
            status: process.terminationStatus, output: try Data(contentsOf: output), errors: complaint)
    }

    static func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "interop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private static func writer(of file: URL) throws -> FileHandle {
        try Data().write(to: file)
        return try FileHandle(forWritingTo: file)
    }
}
