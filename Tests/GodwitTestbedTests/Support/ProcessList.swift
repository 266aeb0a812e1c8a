import Foundation

/// A process of this machine, as the system's own files tell of it.
struct ListedProcess {
    let number: pid_t
    let parent: pid_t
    /// As the system calls it: `T` is stopped.
    let state: Substring
    /// The program and its arguments.
    let words: [String]

    var standsStill: Bool { state == "T" }

    init?(_ number: pid_t) {
        let text = (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)) ?? ""
        // The name before it may hold anything, but no other closing bracket follows.
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 1, let parent = pid_t(fields[1]) else { return nil }
        (self.number, self.parent, state) = (number, parent, fields[0])
        let words = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") ?? Data()
        self.words = String(decoding: words, as: UTF8.self).split(separator: "\0").map(String.init)
    }

    static var all: [ListedProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.compactMap { ListedProcess($0) }
    }

    /// Those that a process has started.
    static func children(of parent: pid_t) -> [ListedProcess] { all.filter { $0.parent == parent } }
}
