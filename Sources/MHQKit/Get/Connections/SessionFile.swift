import Foundation
import GodwitHTTP3

/// Keeps what makes the next connection to a server faster, from one run to the next. It holds secrets, so
/// nobody but its owner can read it.
struct SessionFile {
    /// What is in the file.
    private struct Contents: Codable {
        var version = 1
        var servers: [Entry] = []

        struct Entry: Codable {
            var origin: HTTP3Origin
            var resumption: HTTP3Resumption
        }
    }

    let path: String

    /// - Returns: nothing if there is no file yet.
    /// - Throws: a failure that names the option.
    func read() throws(Failure) -> [(HTTP3Origin, HTTP3Resumption)] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw Failure(ExitCode.noInput, "--session: \(path): \(FileProblem.describe(error))")
        }
        // An empty file is one that somebody made so that only they can read it.
        if data.isEmpty { return [] }
        guard let contents = try? JSONDecoder().decode(Contents.self, from: data), contents.version == 1
        else {
            throw Failure(
                ExitCode.dataError, "--session: \(path): is not a file of sessions; delete it to begin anew")
        }
        return contents.servers.map { ($0.origin, $0.resumption) }
    }

    /// Replaces the file in one step.
    ///
    /// - Throws: a failure that names the option.
    func write(_ resumptions: [(HTTP3Origin, HTTP3Resumption)]) throws(Failure) {
        let contents = Contents(servers: resumptions.map { .init(origin: $0, resumption: $1) })
        let temporaryPath = path + ".\(ProcessInfo.processInfo.processIdentifier).tmp"
        do {
            let data = try JSONEncoder().encode(contents)
            let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
            guard FileManager.default.createFile(atPath: temporaryPath, contents: data, attributes: mode)
            else {
                throw CocoaError(.fileWriteNoPermission)
            }
            guard rename(temporaryPath, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            unlink(temporaryPath)
            throw Failure(ExitCode.cannotCreate, "--session: \(path): \(FileProblem.describe(error))")
        }
    }
}
