import Foundation

/// A folder of programs that stand in for those of the system, and write down what they are given.
struct StubCommands: Sendable {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// With the stubs before everything else.
    var path: String { folder.path + ":/usr/local/bin:/usr/bin:/bin" }

    /// - Parameter failures: how often it fails before it succeeds.
    func add(_ name: String, failures: Int = 0) throws {
        let script = """
            #!/bin/sh
            { printf '%s' "\(name)"; for word in "$@"; do printf '|%s' "$word"; done; printf '\\n'; } \
            >> '\(folder["calls"])'
            [ "$(grep -c '^\(name)' '\(folder["calls"])')" -gt \(failures) ]
            """
        let file = try folder.write(name, script + "\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    }

    /// A line a call: the program and its arguments, with bars between them.
    var calls: [String] {
        let text = (try? folder.text("calls")) ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}
