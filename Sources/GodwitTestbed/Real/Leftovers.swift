import Foundation
import MHQKit

/// What programs leave behind that are killed in mid-run: the ``Caretaker`` tidies up, or else the next program does.
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
    static func remove() { remove { isAbandoned($0, prefix: prefix) } }

    /// Ends processes and removes the folder of one program, which has not always lost its number already.
    static func remove(of program: pid_t) { remove { $0 == prefix + "\(program)" } }

    private static func remove(where isLeft: (String) -> Bool) {
        let parent = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path + "/"
        for (process, place) in places() where place.hasPrefix(parent) {
            let name = place.dropFirst(parent.count).prefix { $0 != "/" }
            if isLeft(String(name)) { kill(process, SIGKILL) }
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names where isLeft(name) {
            try? FileManager.default.removeItem(atPath: parent + name)
        }
    }

    /// Whether the program whose number is in the name is gone.
    static func isAbandoned(_ name: String, prefix: String) -> Bool {
        guard name.hasPrefix(prefix),
            let number = pid_t(name.dropFirst(prefix.count).prefix { $0.isNumber }), number > 0
        else { return false }
        return kill(number, 0) != 0 && errno == ESRCH
    }

    /// The processes that work in a folder or below, also if it is no more.
    static func processes(in folder: String) -> [pid_t] {
        let folder = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path + "/"
        return places().filter { $0.place.hasPrefix(folder) }.map(\.process)
    }

    /// Every process that we may ask about, and where it works.
    private static func places() -> [(process: pid_t, place: String)] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { pid_t($0) }.compactMap { process in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd"))
                .map { (process, $0) }
        }
    }
}
