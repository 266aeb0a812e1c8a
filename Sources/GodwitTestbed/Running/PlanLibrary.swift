import Foundation
package import MHQKit

/// The plans that ship, in the folder `Plans`.
package enum PlanLibrary {
    /// Where plans are looked for: the folder named by `MHQ_PLANS`, the present folder, beside the program, and where
    /// it was built.
    private static var folders: [String] {
        var folders: [String] = []
        if let named = ProcessInfo.processInfo.environment["MHQ_PLANS"] { folders.append(named) }
        folders.append(FileManager.default.currentDirectoryPath + "/Plans")
        var place = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
        for _ in 0..<6 {
            place.deleteLastPathComponent()
            folders.append(place.path + "/Plans")
        }
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        folders.append(source.appendingPathComponent("../../../Plans").standardized.path)
        return folders
    }

    /// The path of an experiment's plan.
    package static func path(_ id: Int, isQuick: Bool) throws(Failure) -> String {
        let name = "experiment\(id)\(isQuick ? "_quick" : "").json"
        for folder in folders where FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            return "\(folder)/\(name)"
        }
        throw Failure(ExitCode.noInput, "\(name): is in no folder Plans; name it with --plan")
    }

    /// An experiment's plan.
    package static func plan(_ id: Int, isQuick: Bool) throws(Failure) -> ExperimentPlan {
        try ExperimentPlan.read(try path(id, isQuick: isQuick))
    }

    /// What there is, for people.
    package static func list() throws(Failure) -> String {
        var lines = ["id  runs (quick)  experiment"]
        for id in 0...6 {
            let plan = try plan(id, isQuick: false)
            let quick = try self.plan(id, isQuick: true)
            let counts = "\(plan.runs.count) (\(quick.runs.count))"
            let padding = String(repeating: " ", count: max(1, 14 - counts.count))
            lines.append("\(id)   \(counts)\(padding)\(plan.title)")
        }
        return lines.joined(separator: "\n")
    }
}
