import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// Writes to a file that appears under its name when it is whole: until then it has another one beside.
final class FileSink: OutputSink {
    private let path: String
    private let temporaryPath: String
    private let descriptor: Int32
    private let isOpen = NIOLockedValueBox(true)

    private init(path: String, temporaryPath: String, descriptor: Int32) {
        self.path = path
        self.temporaryPath = temporaryPath
        self.descriptor = descriptor
    }

    // MARK: Opening

    /// A sink for a file, or for whatever else is there by that name, as a device.
    ///
    /// - Throws: a ``Failure`` that names the option and the file.
    static func open(_ path: String) throws(Failure) -> any OutputSink {
        var status = stat()
        guard stat(path, &status) == 0 else { return try make(path, mode: nil) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return try make(resolved(path), mode: status.st_mode & 0o777)
        case S_IFDIR: throw failure(path, "is a folder")
        default: return try openInPlace(path)
        }
    }

    /// Where symbolic links lead, so that they stay what they are.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func openInPlace(_ path: String) throws(Failure) -> any OutputSink {
        let descriptor = Foundation.open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, String(cString: strerror(errno))) }
        return path == "/dev/null"
            ? closing(descriptor) : StreamSink(descriptor, name: path, ownsDescriptor: true)
    }

    private static func closing(_ descriptor: Int32) -> NullSink {
        Foundation.close(descriptor)
        return NullSink()
    }

    /// - Parameter mode: that of the file which is replaced; nil for what is usual.
    private static func make(_ path: String, mode: mode_t?) throws(Failure) -> FileSink {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard !name.isEmpty, !path.hasSuffix("/") else { throw failure(path, "is no file name") }
        let folder = path.dropLast(name.count)
        // A long name needs to be cut for the addition to fit.
        var template = Array("\(folder).\(name.prefix(40)).XXXXXX.part".utf8CString)
        let descriptor = mkstemps(&template, 5)
        guard descriptor >= 0 else { throw failure(path, String(cString: strerror(errno))) }
        let temporaryPath = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        _ = fchmod(descriptor, mode ?? 0o666 & ~FileCreationMask.current)
        TemporaryFiles.add(temporaryPath)
        return FileSink(path: path, temporaryPath: temporaryPath, descriptor: descriptor)
    }

    private static func failure(_ path: String, _ problem: String) -> Failure {
        Failure(ExitCode.cannotCreate, "--output: \(path): \(problem)")
    }

    // MARK: Writing

    /// Does not leave the thread: the system takes what is written to a file into its memory.
    nonisolated(nonsending) func write(_ content: ByteBuffer) async throws {
        try DescriptorWriting.writeAll(content, to: descriptor, name: path)
    }

    func finish() throws {
        guard close() else { return }
        guard rename(temporaryPath, path) == 0 else {
            let problem = String(cString: strerror(errno))
            remove()
            throw Self.failure(path, problem)
        }
        TemporaryFiles.remove(temporaryPath)
    }

    func abort() { if close() { remove() } }

    private func remove() {
        unlink(temporaryPath)
        TemporaryFiles.remove(temporaryPath)
    }

    /// False if it was closed before.
    private func close() -> Bool {
        let wasOpen = isOpen.withLockedValue { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { Foundation.close(descriptor) }
        return wasOpen
    }
}

/// The files that are not whole yet, for an end without ceremony.
enum TemporaryFiles {
    private static let paths = NIOLockedValueBox<Set<String>>([])

    static func add(_ path: String) { paths.withLockedValue { _ = $0.insert(path) } }
    static func remove(_ path: String) { paths.withLockedValue { _ = $0.remove(path) } }

    /// Deletes them all.
    static func removeAll() {
        for path in paths.withLockedValue({ $0 }) { unlink(path) }
    }
}

/// The bits that new files do not get.
enum FileCreationMask {
    /// It can be read only by changing it, which is done once.
    static let current: mode_t = {
        let mask = umask(0)
        umask(mask)
        return mask
    }()
}
