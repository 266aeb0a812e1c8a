import Foundation

/// Of which commit the program is, as far as that can be told: what git says where it was built.
struct SourceState: Hashable {
    private(set) var commit: String?
    /// Whether files that git knows differ from the commit.
    private(set) var dirty: Bool?
    /// What to keep in mind about it, a line each.
    private(set) var remarks: [String] = []

    /// Where the sources lay when the program was built.
    static var folder: URL {
        (0..<4).reduce(URL(fileURLWithPath: #filePath)) { path, _ in path.deletingLastPathComponent() }
    }

    /// When the program was built.
    static var buildDate: Date? {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return (try? program.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate
    }

    /// - Parameters:
    ///   - folder: where the sources lay. A repository around it is somebody else's.
    ///   - buildDate: when the program was built of them.
    init(of folder: URL = Self.folder, builtAt buildDate: Date? = Self.buildDate) {
        func git(_ words: String...) -> String? {
            ToolOutput.text(["git", "--no-optional-locks", "-C", folder.path] + words)
        }
        guard let top = git("rev-parse", "--show-toplevel"), let head = git("rev-parse", "HEAD"),
            URL(fileURLWithPath: top).resolvingSymlinksInPath() == folder.resolvingSymlinksInPath()
        else {
            remarks = ["the commit is not known: what the program was built from is in no repository here"]
            return
        }
        commit = head
        // What git does not know may be anything, such as these results.
        dirty = git("status", "--porcelain", "--untracked-files=no").map { !$0.isEmpty }
        guard let buildDate, let time = git("log", "-1", "--format=%ct").flatMap(Double.init) else { return }
        if buildDate.timeIntervalSince1970 < time {
            remarks = ["the program was built before the commit that its sources are at"]
        }
    }
}

/// What tools of this machine say.
enum ToolOutput {
    /// Nil when the tool is not there or fails.
    static func text(_ words: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
