import Foundation
package import MHQKit

extension ExperimentPlan {
    /// Reads a plan, which may have comments.
    ///
    /// - Throws: a failure that names the file and what is wrong in it.
    package static func read(_ path: String) throws(Failure) -> ExperimentPlan {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw Failure(ExitCode.noInput, "\(path): can't be read")
        }
        return try ExperimentPlan(text: String(decoding: data, as: UTF8.self), file: path)
    }

    /// Reads a plan from a text.
    package init(text: String, file: String) throws(Failure) {
        let plan: ExperimentPlan
        do {
            let stripped = ConfigurationText.withoutComments(text)
            plan = try JSONDecoder().decode(ExperimentPlan.self, from: Data(stripped.utf8))
        } catch let error as DecodingError {
            throw Failure(ExitCode.configuration, "\(file): \(Self.describe(error))")
        } catch {
            throw Failure(ExitCode.configuration, "\(file): \(error)")
        }
        if let problem = plan.problem { throw Failure(ExitCode.configuration, "\(file): \(problem)") }
        self = plan
    }

    private static func describe(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey], _ last: (any CodingKey)? = nil) -> String {
            (path + [last].compactMap(\.self)).map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
                .joined(separator: ".").replacing(".[", with: "[")
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(place(context.codingPath, key)): is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context.codingPath)): is of another kind than is wanted"
        case .dataCorrupted(let context):
            let name = place(context.codingPath)
            return name.isEmpty ? "is not JSON" : "\(name): is not known"
        @unknown default: return "can't be read"
        }
    }

    /// What is wrong with it, in words.
    private var problem: String? {
        if !(0...6).contains(experiment) { return "experiment: is no number from 0 to 6" }
        if !(1...100_000).contains(repetitions) { return "repetitions: is no number from 1 to 100,000" }
        for (index, one) in series.enumerated() {
            if networks[one.network] == nil { return "series[\(index)].network: no network has that name" }
            if !(0..<1).contains(one.loss) { return "series[\(index)].loss: is not from 0 to below 1" }
            if one.folder.split(separator: "/").contains("..") || one.folder.hasPrefix("/") {
                return "series[\(index)].folder: must lie within the results"
            }
        }
        let lists: [(String, Bool)] = [
            ("series", series.isEmpty), ("protocols", protocols.isEmpty), ("techniques", techniques.isEmpty),
            ("inflations", inflations.isEmpty), ("intervals", intervals.isEmpty),
            ("clients", clients.isEmpty),
        ]
        if let empty = lists.first(where: \.1) { return "\(empty.0): is empty" }
        if let clients = clients.first(where: { !(1...1000).contains($0) }) {
            return "clients: \(clients) is no number from 1 to 1000"
        }
        return addresses.problem ?? (inflations.contains { $0 < 0 } ? "inflations: one is below 0" : nil)
    }

    /// As it is written into files: the same plan gives the same text.
    package var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Tells plans apart: FNV-1a of ``text``.
    package var digest: String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
