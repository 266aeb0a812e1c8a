import Foundation
import Subprocess
import SystemPackage

/// Tidies up after a program that does runs as soon as that is gone, however it went.
///
/// It is a process of its own, `mhq experiment caretaker`, and reads from a socket whose other end the program alone
/// has: the system closes that end even for one that is killed. The processes of a run can't see to it themselves,
/// since a server that stands still notices nothing.
package final class Caretaker: Sendable {
    private let socket: Int32

    /// Starts one for this program; without one, the next program tidies up.
    ///
    /// - Parameter program: the application, `mhq`.
    init?(program: String) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return nil }
        socket = ends[0]
        let theirs = FileDescriptor(rawValue: ends[1])
        Task.detached { await Self.start(program, theirs) }
    }

    private static func start(_ program: String, _ socket: FileDescriptor) async {
        var options = PlatformOptions()
        // What ends a terminal's processes is not to end this one before them.
        options.createSession = true
        let number = ProcessInfo.processInfo.processIdentifier
        _ = try? await Subprocess.run(
            program.contains("/") ? .path(FilePath(program)) : .name(program),
            arguments: ["experiment", "caretaker", "\(number)"], workingDirectory: "/",
            platformOptions: options, input: .fileDescriptor(socket, closeAfterSpawningProcess: true),
            output: .discarded, error: .discarded)
    }

    /// There is nothing to tidy any more.
    deinit {
        _ = send(socket, [Self.dismissal], 1, Int32(MSG_NOSIGNAL))
        close(socket)
    }

    // MARK: The process

    private static let dismissal = UInt8(ascii: ".")
    /// What was just being started when the program died shows only a moment later.
    private static let rounds = 5

    /// Waits at standard input for the end of a program, and tidies up unless it was told that there is no need.
    package static func watch(over program: Int32) async {
        var byte: UInt8 = 0
        var count = 0
        repeat { count = read(STDIN_FILENO, &byte, 1) } while count < 0 && errno == EINTR
        guard count <= 0 else { return }
        for _ in 0..<rounds {
            Leftovers.remove(of: program)
            await NetworkNamespaces.removeLeftovers(of: program)
            try? await Task.sleep(for: .milliseconds(200))
        }
    }
}
