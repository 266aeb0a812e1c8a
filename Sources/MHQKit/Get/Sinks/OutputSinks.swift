import Foundation
import NIOCore

/// Finds the sink for a target.
enum OutputSinks {
    /// - Throws: a ``Failure`` that names the option and the file.
    static func open(_ target: OutputTarget, _ options: GetOptions) throws(Failure) -> any OutputSink {
        switch target {
        case .nothing: return NullSink()
        case .file(let path): return try FileSink.open(path)
        case .standardOutput:
            let isWanted = options.outputs.contains("-") || !Terminal.isStandardOutputTerminal
            return isWanted ? StreamSink.standardOutput : TerminalSink()
        }
    }

    /// Finds out before anything is sent whether a file could be written.
    ///
    /// - Throws: a ``Failure`` that names the option and the file.
    static func check(_ target: OutputTarget) throws(Failure) {
        guard case .file(let path) = target else { return }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw Failure(ExitCode.cannotCreate, "--output: \(path): is a folder")
        }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(folder, W_OK) == 0 || (stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG)
        else {
            throw Failure(ExitCode.cannotCreate, "--output: \(path): \(String(cString: strerror(errno)))")
        }
    }
}

/// Writes text to the terminal, and nothing that would garble it.
struct TerminalSink: OutputSink {
    nonisolated(nonsending) func write(_ content: ByteBuffer) async throws {
        guard !content.readableBytesView.contains(0) else {
            throw Failure(
                ExitCode.ioError, "the content is no text; -o FILE saves it, -o - shows it all the same")
        }
        try await StreamSink.standardOutput.write(content)
    }

    func finish() throws {}
    func abort() {}
}
