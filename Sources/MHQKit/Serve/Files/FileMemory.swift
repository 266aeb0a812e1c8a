import NIOConcurrencyHelpers
import NIOCore

/// What is remembered of files: what answers say about them, and of small ones that are asked for again,
/// their content.
final class FileMemory: Sendable {
    /// A file that was opened before.
    struct Known {
        let description: FileDescription
        /// All of the file, if it is small.
        var content: ByteBuffer?
        /// When the file was last looked at.
        var checkedAt: Int64 = 0
    }

    private struct State {
        var files: [RequestPath: Known] = [:]
        var contentSize = 0
    }

    private let state = NIOLockedValueBox(State())

    /// How many files are remembered, and how many bytes of their content; then it begins anew.
    private static let (fileLimit, contentLimit) = (4096, 32 << 20)
    /// The largest file whose content is remembered.
    static let largestContent: Int64 = 16 << 10

    subscript(path: RequestPath) -> Known? { state.withLockedValue { $0.files[path] } }

    /// The file was looked at, and has not changed.
    func noteCheck(of path: RequestPath, at time: Int64) {
        state.withLockedValue { $0.files[path]?.checkedAt = time }
    }

    func remember(_ known: Known, at path: RequestPath) {
        let size = known.content?.readableBytes ?? 0
        state.withLockedValue { state in
            state.contentSize -= state.files[path]?.content?.readableBytes ?? 0
            if state.files.count >= Self.fileLimit || state.contentSize + size > Self.contentLimit {
                state = State()
            }
            state.files[path] = known
            state.contentSize += size
        }
    }
}
