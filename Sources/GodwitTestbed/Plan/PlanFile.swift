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
        let stripped = ConfigurationText.withoutComments(text)
        do {
            plan = try JSONDecoder().decode(ExperimentPlan.self, from: Data(stripped.utf8))
        } catch let error as DecodingError {
            throw Failure(ExitCode.dataError, "\(file): \(Self.describe(error))")
        } catch {
            throw Failure(ExitCode.dataError, "\(file): \(error)")
        }
        let strangers = plan.strangers(in: stripped)
        guard strangers.isEmpty else {
            let names = strangers.joined(separator: ", ")
            throw Failure(ExitCode.dataError, "\(file): \(names): no plan has that")
        }
        if let problem = plan.problem { throw Failure(ExitCode.dataError, "\(file): \(problem)") }
        self = plan
    }

    /// Where a text is wrong, and how.
    static func describe(_ error: DecodingError) -> String {
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

    /// The members that plans don't have, by where they are: nobody misspells a name for nothing.
    private func strangers(in text: String) -> [String] {
        let given = try? JSONSerialization.jsonObject(with: Data(text.utf8))
        let known = try? JSONSerialization.jsonObject(with: Data(everything.text.utf8))
        return Self.strangers(given as Any, known as Any, [])
    }

    private static func strangers(_ given: Any, _ known: Any, _ path: [String]) -> [String] {
        if let given = given as? [String: Any], let known = known as? [String: Any] {
            return given.sorted { $0.key < $1.key }.flatMap { key, value in
                known[key].map { strangers(value, $0, path + [key]) }
                    ?? [(path + [key]).joined(separator: ".")]
            }
        }
        guard let given = given as? [Any], let known = known as? [Any], let last = path.last else {
            return []
        }
        return zip(given, known).enumerated().flatMap { index, pair in
            strangers(pair.0, pair.1, path.dropLast() + ["\(last)[\(index)]"])
        }
    }

    /// With every member that may be absent.
    private var everything: ExperimentPlan {
        var plan = self
        plan.container.randomCompression = 0
        for index in plan.series.indices { plan.series[index].contents = .zero }
        let links: [WritableKeyPath<PlanNetwork, PlanLink>] = [
            \.source.toServer, \.source.toClient, \.destination.toServer, \.destination.toClient,
        ]
        for name in networks.keys {
            for link in links {
                plan.networks[name]?[keyPath: link].rate = 1
                plan.networks[name]?[keyPath: link].loss = 0
            }
        }
        return plan
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
