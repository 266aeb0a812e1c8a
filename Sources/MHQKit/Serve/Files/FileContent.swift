import NIOCore

/// Where the content of a file is.
enum FileContent: Sendable {
    case file(ReadableFile)
    /// In memory, all of it: the file is small and has not changed.
    case memory(ByteBuffer)

    /// A part of the content. Of a file it is read at once, so this is for small parts.
    func read(_ range: Range<Int64>) throws -> ByteBuffer {
        switch self {
        case .file(let file): return try file.read(range)
        case .memory(let content):
            guard let start = Int(exactly: range.lowerBound),
                let part = content.getSlice(at: content.readerIndex + start, length: range.count)
            else { throw ReadableFile.Failure.truncated }
            return part
        }
    }

    /// Hands out a part of the content piece by piece.
    nonisolated(nonsending) func forEachPiece(
        of range: Range<Int64>, _ take: nonisolated(nonsending) (ByteBuffer) async throws -> Void
    ) async throws {
        switch self {
        case .file(let file): try await file.forEachPiece(of: range, take)
        case .memory: try await take(try read(range))
        }
    }
}
