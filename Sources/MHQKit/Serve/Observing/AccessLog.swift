import Dispatch
import Foundation
import NIOConcurrencyHelpers

/// Writes lines to a file or to standard output, on a thread of its own: whoever logs does not wait for the
/// disk.
final class AccessLog: Sendable {
    private struct State {
        var descriptor: Int32
        var pending: [UInt8] = []
        /// Lines for which there was no room.
        var dropped = 0
        var isWriting = false
        /// Whether it was said that the file can't be written.
        var hasComplained = false
    }

    /// Nil for standard output.
    private let path: String?
    private let queue = DispatchQueue(label: "mhq.access-log")
    private let state: NIOLockedValueBox<State>

    /// How much may wait to be written, in bytes, before lines are dropped.
    private static let capacity = 8 << 20

    /// - Parameter path: `-` for standard output; else a file, to which is appended.
    /// - Throws: a failure that names the option.
    init(path: String) throws(Failure) {
        self.path = path == "-" ? nil : path
        state = NIOLockedValueBox(State(descriptor: try Self.open(path == "-" ? nil : path)))
    }

    private static func open(_ path: String?) throws(Failure) -> Int32 {
        guard let path else { return STDOUT_FILENO }
        let descriptor = Foundation.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw Failure(ExitCode.cannotCreate, "--access-log: \(path): \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    // MARK: Writing

    /// Has a line written, which must not have an end of line.
    func write(_ line: String) {
        let startsWriting = state.withLockedValue { state in
            guard state.pending.count + line.utf8.count < Self.capacity else {
                state.dropped += 1
                return false
            }
            state.pending += line.utf8
            state.pending.append(UInt8(ascii: "\n"))
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if startsWriting { queue.async { self.writePending() } }
    }

    private func writePending() {
        while let (descriptor, bytes) = takePending() {
            if !Self.writeAll(bytes, to: descriptor) { complain() }
        }
    }

    private func takePending() -> (Int32, [UInt8])? {
        state.withLockedValue { state in
            if state.dropped > 0 {
                state.pending += "{\"dropped\":\(state.dropped)}\n".utf8
                state.dropped = 0
            }
            guard !state.pending.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { state.pending = [] }
            return (state.descriptor, state.pending)
        }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private func complain() {
        let isFirst = state.withLockedValue { state in
            defer { state.hasComplained = true }
            return !state.hasComplained
        }
        guard isFirst else { return }
        let message = "mhq: --access-log: \(path ?? "standard output") can't be written\n"
        FileHandle.standardError.write(Data(message.utf8))
    }

    // MARK: Files

    /// Goes on with a new file of the same name, after the old one was moved away.
    ///
    /// - Throws: a failure that names the option; then the log goes on with the old file.
    func reopen() throws(Failure) {
        guard let path else { return }
        let descriptor = try Self.open(path)
        queue.async {
            let old = self.state.withLockedValue { state in
                defer { state.descriptor = descriptor }
                state.hasComplained = false
                return state.descriptor
            }
            close(old)
        }
    }

    /// Waits until everything is written.
    func flush() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.writePending()
                continuation.resume()
            }
        }
    }
}
