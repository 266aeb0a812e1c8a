import Foundation
import HTTPTypes
import NIOConcurrencyHelpers

/// The files of a folder, and of no other place.
///
/// Files are opened first and then asked where they are. So it makes no difference what symbolic links lead
/// where, or are changed at that moment: what lies outside is not served.
final class FileStore: Sendable {
    /// The folder's path without symbolic links.
    let root: String
    private let rootDescriptor: Int32
    private let descriptions = NIOLockedValueBox<[RequestPath: FileDescription]>([:])

    /// How many files are remembered; then it begins anew.
    private static let capacity = 4096

    /// Why there is no file to send.
    enum Absence: Error, Hashable {
        case notFound
        case isFolder
        case forbidden
        /// The process has too many files open.
        case exhausted
        case broken
    }

    /// - Throws: a failure that names the option.
    init(root: String) throws(Failure) {
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
    func file(at path: RequestPath) throws(Absence) -> OpenFile {
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let name = path.bytes.isEmpty ? [UInt8(ascii: ".")] : path.bytes
        let descriptor = (name + [0]).withUnsafeBytes { bytes in
            openat(rootDescriptor, bytes.assumingMemoryBound(to: CChar.self).baseAddress!, flags)
        }
        guard descriptor >= 0 else { throw Self.absence(errno) }
        let content = ReadableFile(descriptor)
        return OpenFile(content: content, description: try description(of: descriptor, at: path))
    }

    private static func absence(_ error: Int32) -> Absence {
        switch error {
        case EACCES, EPERM: .forbidden
        case EMFILE, ENFILE, ENOMEM: .exhausted
        case EIO: .broken
        default: .notFound
        }
    }

    private func description(of descriptor: Int32, at path: RequestPath) throws(Absence) -> FileDescription {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .broken }
        let identity = FileIdentity(status)
        if let known = descriptions.withLockedValue({ $0[path] }), known.identity == identity { return known }
        try requireInside(descriptor)
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .isFolder }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notFound }
        let description = FileDescription(identity, contentType: ContentType.of(path.name))
        remember(description, at: path)
        return description
    }

    private func requireInside(_ descriptor: Int32) throws(Absence) {
        guard let path = DescriptorPath.of(descriptor) else { throw .broken }
        guard path == root || path.hasPrefix(root == "/" ? root : root + "/") else { throw .notFound }
    }

    private func remember(_ description: FileDescription, at path: RequestPath) {
        descriptions.withLockedValue { descriptions in
            if descriptions.count >= Self.capacity { descriptions.removeAll() }
            descriptions[path] = description
        }
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
