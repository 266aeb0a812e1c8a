import Foundation

/// The `mhq` that was built along with these tests, as a process.
final class ProgramProcess: Sendable {
    private let process: Process
    private let outcome: AsyncStream<Int32>
    private let complaints: String

    /// - Parameters:
    ///   - folder: where it runs, and its messages go.
    ///   - path: where it finds other programs; nil for where this process does.
    init(_ arguments: [String], in folder: TemporaryFolder, path: String? = nil) throws {
        process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "mhq")
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder.path)
        if let path {
            process.environment = ProcessInfo.processInfo.environment.merging(["PATH": path]) { $1 }
        }
        complaints = try folder.write("messages-\(UUID().uuidString)", "")
        process.standardError = FileHandle(forWritingAtPath: complaints)
        process.standardOutput = FileHandle.nullDevice
        let (outcome, end) = AsyncStream.makeStream(of: Int32.self)
        self.outcome = outcome
        process.terminationHandler = {
            end.yield($0.terminationStatus)
            end.finish()
        }
        try process.run()
    }

    deinit { if process.isRunning { process.interrupt() } }

    var processID: Int32 { process.processIdentifier }

    /// What it has said to people.
    var messages: String { (try? String(contentsOfFile: complaints, encoding: .utf8)) ?? "" }

    /// Waits for its end; to be asked once.
    var exitCode: Int32 {
        get async {
            for await code in outcome { return code }
            return -1
        }
    }

    func terminate() { process.terminate() }

    /// The UDP sockets that it has, as the kernel writes them: address and port in hexadecimal.
    var sockets: [String] {
        let folder = "/proc/\(processID)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let own = Set(
            names.compactMap { name in
                try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
            })
        let tables = ["udp", "udp6"].map { name in
            (try? String(contentsOfFile: "/proc/\(processID)/net/\(name)", encoding: .utf8)) ?? ""
        }
        return tables.joined().split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 9 && own.contains("socket:[\(fields[9])]") ? String(fields[1]) : nil
        }
    }
}
