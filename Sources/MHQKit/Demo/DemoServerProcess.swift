import Dispatch
import Foundation
import Godwit
import NIOConcurrencyHelpers

/// The process of a demo's server, from the outside: it is started, told things, frozen, thawed and ended.
final class DemoServerProcess: Sendable {
    let folder: DemoFolder
    private let process: pid_t
    /// The server ends when this is closed.
    private let lifeline: Int32
    private let hasEnded = NIOLockedValueBox(false)

    private init(_ process: pid_t, _ lifeline: Int32, _ folder: DemoFolder) {
        self.process = process
        self.lifeline = lifeline
        self.folder = folder
    }

    deinit { end() }

    // MARK: Beginning and end

    /// Starts the server and waits until it can be told things.
    static func start(
        _ executable: String, arguments: [String], in folder: DemoFolder
    ) async throws -> DemoServerProcess {
        let server = try spawn(executable, arguments, folder)
        for _ in 0..<500 {
            if let descriptor = OperatorClient.connect(to: folder.control) {
                close(descriptor)
                return server
            }
            guard !server.isOver() else { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(ExitCode.software, "the server did not start: \(server.complaint)")
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ folder: DemoFolder
    ) throws -> DemoServerProcess {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(ExitCode.system, "no pipe can be had") }
        defer { close(ends[0]) }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        closeOnExec()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        posix_spawn_file_actions_addopen(
            &actions, STDERR_FILENO, folder.complaints, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: the terminal's interrupt is for us to handle, and if we go while it is frozen
        // the system ends it.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var words = ([executable] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let problem = posix_spawn(&process, executable, &actions, &attributes, &words, environ)
        guard problem == 0 else {
            close(ends[1])
            throw Failure(ExitCode.system, "\(executable): \(String(cString: strerror(problem)))")
        }
        return DemoServerProcess(process, ends[1], folder)
    }

    /// SwiftNIO's sockets outlive an exec, and an address that is let go of here would stay taken.
    private static func closeOnExec() {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// Ends the process, frozen or not.
    func end() {
        let isFirst = hasEnded.withLockedValue { hasEnded in
            defer { hasEnded = true }
            return !hasEnded
        }
        guard isFirst else { return }
        close(lifeline)
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// Whether the process has ended, by itself or as it was told.
    func isOver() -> Bool {
        hasEnded.withLockedValue { hasEnded in
            var status: Int32 = 0
            if !hasEnded, waitpid(process, &status, WNOHANG) == process {
                hasEnded = true
                close(lifeline)
            }
            return hasEnded
        }
    }

    /// The last line that the server wrote.
    var complaint: String {
        let text = (try? String(contentsOfFile: folder.complaints, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").last.map(String.init) ?? "no reason was given"
    }

    // MARK: Freezing

    /// Stops the process and waits until it has stopped.
    func freeze() async throws {
        let process = process
        try await Self.blocking {
            var status: Int32 = 0
            guard kill(process, SIGSTOP) == 0, waitpid(process, &status, WUNTRACED) == process,
                status & 0xff == 0x7f
            else { throw DemoFault("the server could not be frozen") }
        }
    }

    /// Lets the process go on.
    func thaw() { kill(process, SIGCONT) }

    // MARK: Commands

    /// Says something to the server and waits for the answer.
    func ask(_ line: String) async throws -> String {
        let client = OperatorClient(path: folder.control, timeout: .seconds(20))
        return try await Self.blocking { try client.ask(line) }
    }

    /// Has a command carried out.
    ///
    /// - Returns: the members of the answer.
    /// - Throws: ``DemoFault`` with the server's reason if it was not.
    @discardableResult
    func perform(_ request: OperatorRequest) async throws -> OperatorReport {
        let report = try OperatorReport(line: try await ask(request.line))
        guard report.isDone else { throw DemoFault("\(request.name): \(report.error)") }
        return report
    }

    /// Waits on another thread than those that tasks share.
    private static func blocking<Result: Sendable>(
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Swift.Result(catching: body)) }
        }
    }
}
