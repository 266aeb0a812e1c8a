import Foundation
import HTTPTypes
import NIOCore

/// The files of a folder, and of no other place.
///
/// Files are opened first and then asked where they are. So it makes no difference what symbolic links lead
/// where, or are changed at that moment: what lies outside is not served.
final class FileStore: Sendable {
    /// The folder's path without symbolic links.
    let root: String
    private let rootDescriptor: Int32
    private let memory = FileMemory()
    private let now: @Sendable () -> Int64

    /// Why there is no file to send.
    enum Absence: Error, Hashable {
        case notFound
        case isFolder
        case forbidden
        /// The process has too many files open.
        case exhausted
        case broken
    }

    /// - Parameter now: the nanoseconds since 1970.
    /// - Throws: a failure that names the option.
    init(root: String, now: @escaping @Sendable () -> Int64 = { FileStore.now }) throws(Failure) {
        self.now = now
        let descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Failure(ExitCode.noInput, "--root: \(root): \(String(cString: strerror(errno)))")
        }
        guard let path = DescriptorPath.of(descriptor) else {
            close(descriptor)
            throw Failure(
                ExitCode.system, "--root: \(root): the system does not tell where files are (no /proc?)")
        }
        self.root = path
        rootDescriptor = descriptor
    }

    deinit { close(rootDescriptor) }

    /// Opens a file. It is not waited for: what could make one wait is no regular file, and is not served.
    ///
    /// A small file that is asked for again is read into memory. From then on it is only looked at, and
    /// opened again when it has changed.
    func file(at path: RequestPath) throws(Absence) -> OpenFile {
        let name = (path.bytes.isEmpty ? [UInt8(ascii: ".")] : path.bytes) + [0]
        let known = memory[path]
        if let known, let content = known.content, isUnchanged(known, path, name) {
            return OpenFile(content: .memory(content), description: known.description)
        }
        let file = ReadableFile(try descriptor(of: name))
        let identity = try Self.identity(of: file.status)
        guard let known, known.description.identity == identity else {
            let description = try describe(file, at: path)
            memory.remember(FileMemory.Known(description: description), at: path)
            return OpenFile(content: .file(file), description: description)
        }
        keepContent(of: file, known.description, at: path)
        return OpenFile(content: .file(file), description: known.description)
    }

    private static let checkInterval: Int64 = 10_000_000

    /// Whether a file that is remembered is still what its name leads to.
    private func isUnchanged(_ known: FileMemory.Known, _ path: RequestPath, _ name: [UInt8]) -> Bool {
        let now = now()
        if known.checkedAt..<known.checkedAt + Self.checkInterval ~= now { return true }
        guard identity(of: name) == known.description.identity else { return false }
        memory.noteCheck(of: path, at: now)
        return true
    }

    private static var now: Int64 {
        #if os(Linux)
        // A few milliseconds late, and read without a system call.
        let clock = CLOCK_REALTIME_COARSE
        #else
        let clock = CLOCK_REALTIME
        #endif
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func descriptor(of name: [UInt8]) throws(Absence) -> Int32 {
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let descriptor = name.withUnsafeBytes { bytes in
            openat(rootDescriptor, bytes.assumingMemoryBound(to: CChar.self).baseAddress!, flags)
        }
        guard descriptor >= 0 else { throw Self.absence(errno) }
        return descriptor
    }

    /// What a name leads to now. If that is a file that was opened under this name before, it is known to lie
    /// inside.
    private func identity(of name: [UInt8]) -> FileIdentity? {
        var status = stat()
        let result = name.withUnsafeBytes { bytes in
            fstatat(rootDescriptor, bytes.assumingMemoryBound(to: CChar.self).baseAddress!, &status, 0)
        }
        return result == 0 ? FileIdentity(status) : nil
    }

    private static func identity(of status: stat?) throws(Absence) -> FileIdentity {
        guard let status else { throw .broken }
        return FileIdentity(status)
    }

    private func keepContent(of file: ReadableFile, _ description: FileDescription, at path: RequestPath) {
        guard description.size <= FileMemory.largestContent, description.identity.isSettled(now: now()),
            let content = try? file.read(0..<description.size)
        else { return }
        memory.remember(FileMemory.Known(description: description, content: content), at: path)
    }

    private static func absence(_ error: Int32) -> Absence {
        switch error {
        case EACCES, EPERM: .forbidden
        case EMFILE, ENFILE, ENOMEM: .exhausted
        case EIO: .broken
        default: .notFound
        }
    }

    private func describe(_ file: ReadableFile, at path: RequestPath) throws(Absence) -> FileDescription {
        guard let status = file.status else { throw .broken }
        try requireInside(file.descriptor)
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .isFolder }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notFound }
        return FileDescription(FileIdentity(status), contentType: ContentType.of(path.name))
    }

    private func requireInside(_ descriptor: Int32) throws(Absence) {
        guard let path = DescriptorPath.of(descriptor) else { throw .broken }
        guard path == root || path.hasPrefix(root == "/" ? root : root + "/") else { throw .notFound }
    }
}

/// The path of an open file, without symbolic links.
enum DescriptorPath {
    /// Nil if the system does not tell.
    static func of(_ descriptor: Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            #if os(Linux)
            let count = readlink("/proc/self/fd/\(descriptor)", start, Int(PATH_MAX))
            guard count > 0 else { return nil }
            buffer[count] = 0
            #else
            guard fcntl(descriptor, F_GETPATH, start) == 0 else { return nil }
            #endif
            return String(cString: start)
        }
    }
}
