import Foundation
import NIOCore
import NIOPosix

/// A file that is open for reading. It is closed with its last reference.
final class ReadableFile: Sendable {
    let descriptor: Int32

    /// The file could not be read as far as it was said to go.
    enum Failure: Error, Hashable {
        /// Somebody has cut it since.
        case truncated
        case unreadable(errno: Int32)
    }

    /// - Parameter descriptor: becomes this object's own.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// What the system says of it; nil if it does not.
    var status: stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    /// Reads a part of the file. Meanwhile the thread does nothing else, so this is for small parts, which
    /// mostly are in the system's memory.
    func read(_ range: Range<Int64>) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let left = Int(range.upperBound - offset)
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: left) { bytes in
                try read(UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(left)), at: offset)
            }
            offset += Int64(count)
        }
        return buffer
    }

    private func read(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        while true {
            let count = pread(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
            if count > 0 { return count }
            if count == 0 { throw Failure.truncated }
            guard errno == EINTR else { throw Failure.unreadable(errno: errno) }
        }
    }

    /// Reads a part of the file on a thread that may wait for the disk.
    func readElsewhere(_ range: Range<Int64>) async throws -> ByteBuffer {
        try await NIOThreadPool.singleton.runIfActive { try self.read(range) }
    }

    /// What of a large file is read at once.
    private static let pieceSize: Int64 = 256 << 10

    /// Hands out a part of the file piece by piece.
    nonisolated(nonsending) func forEachPiece(
        of range: Range<Int64>, _ take: nonisolated(nonsending) (ByteBuffer) async throws -> Void
    ) async throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let piece = offset..<min(range.upperBound, offset + Self.pieceSize)
            // Another thread costs more than a piece; the disk more than that.
            var content = ReadAtHand.read(piece, of: descriptor)
            if content == nil { content = try await readElsewhere(piece) }
            guard let content else { return }
            offset += Int64(content.readableBytes)
            try await take(content)
        }
    }
}

extension ReadableFile.Failure: CustomStringConvertible {
    var description: String {
        switch self {
        case .truncated: "the file has become shorter"
        case .unreadable(let errno): String(cString: strerror(errno))
        }
    }
}
