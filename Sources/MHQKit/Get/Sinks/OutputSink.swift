import Foundation
import NIOCore
import NIOPosix

/// Where the content of an answer is written.
protocol OutputSink: Sendable {
    /// Writes a piece.
    ///
    /// - Throws: a ``Failure`` that names the file.
    nonisolated(nonsending) func write(_ content: ByteBuffer) async throws
    /// Everything is written.
    func finish() throws
    /// Nothing more comes, and what there is is not whole.
    func abort()
}

/// Drops what is written.
struct NullSink: OutputSink {
    nonisolated(nonsending) func write(_ content: ByteBuffer) async throws {}
    func finish() throws {}
    func abort() {}
}

/// Writes to something that may make one wait, as a pipe or a terminal does. A thread of its own waits.
final class StreamSink: OutputSink {
    private let name: String
    private let descriptor: Int32
    private let ownsDescriptor: Bool

    /// - Parameter name: for failures.
    init(_ descriptor: Int32, name: String, ownsDescriptor: Bool) {
        self.descriptor = descriptor
        self.name = name
        self.ownsDescriptor = ownsDescriptor
    }

    static let standardOutput = StreamSink(STDOUT_FILENO, name: "standard output", ownsDescriptor: false)

    nonisolated(nonsending) func write(_ content: ByteBuffer) async throws {
        try await NIOThreadPool.singleton.runIfActive { [descriptor, name] in
            try DescriptorWriting.writeAll(content, to: descriptor, name: name)
        }
    }

    func finish() throws { abort() }
    func abort() { if ownsDescriptor { close(descriptor) } }
}

enum DescriptorWriting {
    /// - Throws: a ``Failure`` that names the file.
    static func writeAll(_ content: ByteBuffer, to descriptor: Int32, name: String) throws {
        try content.withUnsafeReadableBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let count = write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else {
                    throw Failure(ExitCode.ioError, "\(name): \(String(cString: strerror(errno)))")
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
