import Foundation
import MHQKit
import NIOConcurrencyHelpers
import Subprocess
import SystemPackage

/// A process of a run, in a folder of its own, with those that it has started.
final class RoleProcess: Sendable {
    /// Where it works, and leaves its files.
    let folder: String
    let number: pid_t
    private let running: Task<Void, Never>
    private let mark: EndMark
    private let leadsGroup: Bool

    /// The exit code, or 128 and a signal's number, of a process that is gone, and its number perhaps another's.
    private final class EndMark: Sendable {
        let value = NIOLockedValueBox<Int32?>(nil)
    }

    private init(
        _ number: pid_t, _ folder: String, _ running: Task<Void, Never>, _ mark: EndMark, leadsGroup: Bool
    ) {
        (self.number, self.folder, self.running, self.mark) = (number, folder, running, mark)
        self.leadsGroup = leadsGroup
    }

    /// Starts a process.
    ///
    /// - Parameters:
    ///   - words: the program and its arguments.
    ///   - folder: is made; what the process says goes into `log` there.
    ///   - leadsGroup: whether it has a group of its own, which ends with it; else it belongs to this program's.
    static func start(
        _ words: [String], in folder: String, leadsGroup: Bool = true
    ) async throws -> RoleProcess {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (starts, start) = AsyncThrowingStream.makeStream(of: pid_t.self)
        let mark = EndMark()
        let running = Task.detached {
            var status = ExitCode.system
            defer { mark.value.withLockedValue { $0 = status } }
            do {
                status = try await run(words, in: folder, leadsGroup) { start.yield($0) }
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
        return RoleProcess(number, folder, running, mark, leadsGroup: leadsGroup)
    }

    private static func run(
        _ words: [String], in folder: String, _ leadsGroup: Bool, onStart: @Sendable @escaping (pid_t) -> Void
    ) async throws -> Int32 {
        let log = try FileDescriptor.open(
            FilePath(folder + "/log"), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
        var options = PlatformOptions()
        // A group of its own: the terminal's interrupt is for us to handle.
        options.processGroupID = leadsGroup ? 0 : nil
        let executable: Executable =
            words[0].contains("/") ? .path(FilePath(words[0])) : .name(words[0])
        let result = try await Subprocess.run(
            executable, arguments: Arguments(Array(words.dropFirst())), workingDirectory: FilePath(folder),
            platformOptions: options, input: .none,
            output: .fileDescriptor(log, closeAfterSpawningProcess: true), error: .combinedWithOutput
        ) { onStart($0.processIdentifier.value) }
        // Whom it has left behind, frozen perhaps.
        if leadsGroup { _ = kill(-result.processIdentifier.value, SIGKILL) }
        switch result.terminationStatus {
        case .exited(let code): return code
        case .signaled(let number): return 128 + number
        }
    }

    // MARK: State

    /// Its exit code, or 128 and the number of the signal that ended it; nil while it is there.
    var status: Int32? { mark.value.withLockedValue { $0 } }

    /// Whether it has ended.
    var isOver: Bool { status != nil }

    /// Waits until it has ended.
    func awaitEnd() async { await running.value }

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

    private func signal(_ number: Int32, toAll: Bool = false) {
        mark.value.withLockedValue { if $0 == nil { _ = kill(toAll ? -self.number : self.number, number) } }
    }

    /// As the system calls it: `T` is stopped.
    private static func state(of process: pid_t) -> Substring? {
        // The name before it may hold anything, but no other closing bracket follows.
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return text.split(separator: ")").last?.split(separator: " ").first
    }

    /// Ends it, frozen or not, and waits until it is gone.
    func end() async {
        signal(SIGKILL, toAll: leadsGroup)
        await running.value
    }

    /// Has it end what it has started, and then itself.
    func dismiss() async {
        signal(SIGTERM)
        // Also when the run was cancelled.
        let force = Task.detached {
            try await Task.sleep(for: .seconds(5))
            await self.end()
        }
        await running.value
        force.cancel()
    }
}
