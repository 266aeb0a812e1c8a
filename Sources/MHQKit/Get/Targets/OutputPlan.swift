/// Where the content of an answer goes.
enum OutputTarget: Hashable, Sendable {
    case standardOutput
    case file(String)
    /// Its bytes are counted and that is all.
    case nothing
}

/// Which URL's content goes where.
enum OutputPlan {
    /// Gives each URL its place: the first `-o` to the first URL and so on, then, as told, to files with the
    /// URLs' own names, else to standard output. With reports on standard output, content has no place there.
    ///
    /// - Parameters:
    ///   - files: the values of `-o`; `-` stands for standard output.
    ///   - usesRemoteNames: `-O`.
    ///   - reportsJSON: `--json`.
    /// - Throws: a failure that names the option.
    static func targets(
        for urls: [TargetURL], files: [String], usesRemoteNames: Bool, reportsJSON: Bool
    ) throws(Failure) -> [OutputTarget] {
        guard files.count <= urls.count else {
            let count = "\(files.count) files for \(urls.count) URL\(urls.count == 1 ? "" : "s")"
            throw Failure(ExitCode.usage, "--output: \(count)")
        }
        var targets = try files.map { file throws(Failure) in try target(file, reportsJSON: reportsJSON) }
        for url in urls[files.count...] {
            targets.append(usesRemoteNames ? try remoteName(url) : reportsJSON ? .nothing : .standardOutput)
        }
        try refuseTwins(targets)
        return targets
    }

    private static func target(_ file: String, reportsJSON: Bool) throws(Failure) -> OutputTarget {
        guard !file.isEmpty else { throw Failure(ExitCode.usage, "--output: '' is no file") }
        guard file == "-" else { return .file(file) }
        guard !reportsJSON else {
            throw Failure(ExitCode.usage, "--output: standard output is taken by --json")
        }
        return .standardOutput
    }

    private static func remoteName(_ url: TargetURL) throws(Failure) -> OutputTarget {
        guard let name = url.fileName else {
            throw Failure(
                ExitCode.usage, "--remote-name: \(url.text) has no file name at its end; use --output")
        }
        return .file(name)
    }

    /// Two answers in one file would leave the one that came last.
    private static func refuseTwins(_ targets: [OutputTarget]) throws(Failure) {
        var seen: Set<String> = ["/dev/null"]
        for case .file(let name) in targets where !seen.insert(name).inserted && name != "/dev/null" {
            throw Failure(ExitCode.usage, "--output: two URLs for the file '\(name)'")
        }
    }
}
