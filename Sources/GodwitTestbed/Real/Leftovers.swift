import Foundation
import MHQKit

/// What runs leave behind when they are killed, and nobody can tidy up: the next one does.
///
/// Files of a program lie in a folder with the program's number, and its network namespaces bear it in their names;
/// its processes work in that folder.
enum Leftovers {
    private static let prefix = "mhq-run-"

    /// For this program's runs.
    static var folder: String {
        NSTemporaryDirectory() + prefix + "\(ProcessInfo.processInfo.processIdentifier)"
    }

    /// Ends processes and removes folders of programs that are no more.
    static func remove() {
        let parent = NSTemporaryDirectory()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names where isAbandoned(name, prefix: prefix) {
            let folder = URL(fileURLWithPath: parent + name).resolvingSymlinksInPath().path
            for process in processes(in: folder) { kill(process, SIGKILL) }
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    /// Whether the program whose number is in the name is gone.
    static func isAbandoned(_ name: String, prefix: String) -> Bool {
        guard name.hasPrefix(prefix),
            let number = pid_t(name.dropFirst(prefix.count).prefix { $0.isNumber }), number > 0
        else { return false }
        return kill(number, 0) != 0 && errno == ESRCH
    }

    /// The processes that work in a folder or below.
    static func processes(in folder: String) -> [pid_t] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { pid_t($0) }.filter { process in
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
            return place?.hasPrefix(folder + "/") ?? false
        }
    }
}
