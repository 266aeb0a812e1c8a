import Foundation
import MHQKit
import NIOConcurrencyHelpers
import Subprocess
import SystemPackage

/// A process of a run: a server or a client of the application, in a folder of its own.
final class RoleProcess: Sendable {
    /// Where it works, and leaves its files.
    let folder: String
    let number: pid_t
    private let running: Task<Void, Never>
    private let hasEnded: EndMark

    /// Whether the process is gone, and its number perhaps another's.
    private final class EndMark: Sendable {
        let value = NIOLockedValueBox(false)
    }

    private init(_ number: pid_t, _ folder: String, _ running: Task<Void, Never>, _ hasEnded: EndMark) {
        (self.number, self.folder, self.running, self.hasEnded) = (number, folder, running, hasEnded)
    }

    /// Starts a process.
    ///
    /// - Parameters:
    ///   - words: the program and its arguments.
    ///   - folder: is made; what the process says goes into `log` there.
    static func start(_ words: [String], in folder: String) async throws -> RoleProcess {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (starts, start) = AsyncThrowingStream.makeStream(of: pid_t.self)
        let hasEnded = EndMark()
        let running = Task.detached {
            defer { hasEnded.value.withLockedValue { $0 = true } }
            do {
                try await run(words, in: folder) { start.yield($0) }
                start.finish()
            } catch {
                start.finish(throwing: Failure(ExitCode.system, "\(words[0]): \(error)"))
            }
        }
        // Whoever is cancelled meanwhile gets the process all the same, so that it can be ended.
        let number = try await Task.detached {
            for try await number in starts { return number }
            throw Failure(ExitCode.system, "\(words[0]): can't be started")
        }.value
        return RoleProcess(number, folder, running, hasEnded)
    }

    private static func run(
        _ words: [String], in folder: String, onStart: @Sendable @escaping (pid_t) -> Void
    ) async throws {
        let log = try FileDescriptor.open(
            FilePath(folder + "/log"), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
        var options = PlatformOptions()
        // A group of its own: the terminal's interrupt is for us to handle.
        options.processGroupID = 0
        let executable: Executable =
            words[0].contains("/") ? .path(FilePath(words[0])) : .name(words[0])
        _ = try await Subprocess.run(
            executable, arguments: Arguments(Array(words.dropFirst())), workingDirectory: FilePath(folder),
            platformOptions: options, input: .none,
            output: .fileDescriptor(log, closeAfterSpawningProcess: true), error: .combinedWithOutput
        ) { onStart($0.processIdentifier.value) }
    }

    // MARK: State

    /// Whether it has ended.
    var isOver: Bool { hasEnded.value.withLockedValue { $0 } }

    /// The last line that it wrote.
    var lastWords: String {
        let text = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").last.map(String.init) ?? "no reason was given"
    }

    // MARK: Signals

    /// Stops the process and waits until it stands still.
    func freeze() async throws {
        signal(SIGSTOP)
        for _ in 0..<2000 {
            if isOver || Self.state(of: number) == "T" { return }
            try await Task.sleep(for: .microseconds(500))
        }
        throw Failure(ExitCode.system, "a process could not be frozen")
    }

    /// Lets it go on.
    func thaw() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        hasEnded.value.withLockedValue { if !$0 { _ = kill(self.number, number) } }
    }

    /// As the system calls it: `T` is stopped.
    private static func state(of process: pid_t) -> Substring? {
        // The name before it may hold anything, but no other closing bracket follows.
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return text.split(separator: ")").last?.split(separator: " ").first
    }

    /// Ends it, frozen or not, and waits until it is gone.
    func end() async {
        signal(SIGKILL)
        await running.value
    }
}
