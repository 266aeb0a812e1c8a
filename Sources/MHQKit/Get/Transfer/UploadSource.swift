import Foundation
import GodwitHTTP3
import HTTPTypes
import NIOCore
import NIOPosix

/// What is sent with requests: a file, or standard input.
struct UploadSource: Sendable {
    let method: HTTPRequest.Method
    /// The media type, unless the user says another.
    let contentType: String
    private let file: ReadableFile?
    /// Nil for standard input, whose end is not known.
    let length: Int64?

    /// Whether it can be sent again.
    var isRepeatable: Bool { file != nil }

    /// What the options say; nil if nothing is sent.
    ///
    /// - Throws: a failure that names the option.
    init?(data: String?, upload: String?) throws(Failure) {
        switch (data, upload) {
        case (nil, nil): return nil
        case (let path?, nil): try self.init(path, .post, option: "--data")
        case (nil, let path?): try self.init(path, .put, option: "--upload")
        case (.some, .some):
            throw Failure(ExitCode.usage, "--upload: --data is there, too; one of them is sent")
        }
    }

    private init(_ path: String, _ method: HTTPRequest.Method, option: String) throws(Failure) {
        self.method = method
        // As curl has it.
        let path = path.hasPrefix("@") ? String(path.dropFirst()) : path
        guard path != "-" else {
            (file, length, contentType) = (nil, nil, ContentType.unknown)
            return
        }
        contentType = ContentType.of(Array(path.split(separator: "/").last ?? "").flatMap { Array($0.utf8) })
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let hint = errno == ENOENT ? " (to send text as it stands, pipe it in: \(option) -)" : ""
            throw Failure(ExitCode.noInput, "\(option): \(path): \(String(cString: strerror(errno)))\(hint)")
        }
        let file = ReadableFile(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(
                ExitCode.noInput, "\(option): \(path): is no regular file (pipe it in: \(option) -)")
        }
        self.file = file
        length = Int64(status.st_size)
    }

    // MARK: Sending

    /// The content for one request.
    ///
    /// - Parameter onSent: told of bytes that were sent, on the connection's event loop.
    func content(onSent: @escaping @Sendable (Int) -> Void) -> HTTP3Content {
        let (file, length) = (file, length)
        return .writing(length: length.map { Int($0) }) { writer in
            if let file, let length {
                if length > 0 { try await Self.send(file, length, writer, onSent) }
            } else {
                try await Self.sendStandardInput(writer, onSent)
            }
            try await writer.finish()
        }
    }

    private static func send(
        _ file: ReadableFile, _ length: Int64, _ writer: HTTP3BodyWriter, _ onSent: @Sendable (Int) -> Void
    ) async throws {
        try await file.forEachPiece(of: 0..<length) { piece in
            try await writer.write(piece)
            onSent(piece.readableBytes)
        }
    }

    private static func sendStandardInput(
        _ writer: HTTP3BodyWriter, _ onSent: @Sendable (Int) -> Void
    ) async throws {
        while let piece = try await NIOThreadPool.singleton.runIfActive({ try Self.readStandardInput() }) {
            try await writer.write(piece)
            onSent(piece.readableBytes)
        }
    }

    private static let pieceSize = 64 << 10

    private static func readStandardInput() throws -> ByteBuffer? {
        var buffer = ByteBufferAllocator().buffer(capacity: pieceSize)
        let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: pieceSize) { bytes in
            while true {
                let count = read(STDIN_FILENO, bytes.baseAddress, bytes.count)
                if count >= 0 { return count }
                guard errno == EINTR else {
                    throw Failure(ExitCode.ioError, "standard input: \(String(cString: strerror(errno)))")
                }
            }
        }
        return count > 0 ? buffer : nil
    }
}
