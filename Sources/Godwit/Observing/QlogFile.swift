#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that records are appended to.
struct QlogFile {
    /// More files of one name than a connection has any reason for: one for each time it was imported.
    private static let maxNumber = 100

    private let folder: String
    private let name: String
    /// Nil until the first records come.
    private var path: String?
    private var hasFailed = false

    init(folder: String, name: String) {
        self.folder = folder
        self.name = name
    }

    static func makeFolder(_ path: String) { _ = mkdir(path, 0o755) }

    /// Appends records. After a failure it takes nothing more, since a file with a gap would mislead.
    /// - Returns: what went wrong, the first time.
    mutating func append(_ records: [[UInt8]]) -> String? {
        guard !hasFailed else { return nil }
        let descriptor = open()
        guard descriptor >= 0 else { return fail() }
        defer { close(descriptor) }
        for batch in Self.batches(of: records) where !Self.write(batch, to: descriptor) { return fail() }
        return nil
    }

    private mutating func fail() -> String {
        hasFailed = true
        return "\(path ?? folder): \(SystemError.describe(errno))"
    }

    /// One call of the system writes many records.
    private static func batches(of records: [[UInt8]]) -> [[UInt8]] {
        var batches: [[UInt8]] = [[]]
        for record in records {
            if batches[batches.count - 1].count > 1 << 16 { batches.append([]) }
            batches[batches.count - 1] += record
        }
        return batches
    }

    private static func write(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = systemWrite(descriptor, part.baseAddress!, part.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// The file that was begun, or a new one: what another connection wrote is left alone.
    private mutating func open() -> CInt {
        if let path { return systemOpen(path, O_WRONLY | O_APPEND | O_CLOEXEC, 0o644) }
        for number in 1...Self.maxNumber {
            let path = folder + "/" + name + (number == 1 ? "" : "-\(number)") + ".sqlog"
            let descriptor = systemOpen(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            guard descriptor < 0, errno == EEXIST else {
                self.path = path
                return descriptor
            }
        }
        return -1
    }
}

// Under names that the methods above do not hide.
private func systemOpen(_ path: String, _ flags: CInt, _ mode: mode_t) -> CInt { open(path, flags, mode) }

private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
