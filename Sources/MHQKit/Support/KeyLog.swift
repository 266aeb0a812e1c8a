import Foundation
import NIOConcurrencyHelpers

/// Appends TLS secrets to a file in the format that Wireshark reads (SSLKEYLOGFILE).
final class KeyLog: Sendable {
    private let file: NIOLockedValueBox<FileHandle>

    init(path: String) throws(Failure) {
        if !FileManager.default.fileExists(atPath: path) {
            let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: mode) else {
                throw Failure(ExitCode.cannotCreate, "\(path): cannot be made to log keys into")
            }
        }
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw Failure(ExitCode.cannotCreate, "\(path): cannot be opened to log keys into")
        }
        handle.seekToEndOfFile()
        file = NIOLockedValueBox(handle)
    }

    func write(_ line: String) {
        file.withLockedValue { $0.write(Data((line + "\n").utf8)) }
    }
}
