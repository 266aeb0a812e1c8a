import Foundation
import Testing

@testable import MHQKit

/// The page that explains the configurations, `Plans/repeating-the-thesis.md`.
@Suite struct RepeatingPageTests {
    /// Members that the published examples don't have.
    private static let additions: [String: JSONValue] = [
        "memoryFootprintInflation.contents": .text("zero"), "experiment.responsesAfterMigration": .whole(0),
        "thesis.initialRoundTrip": .whole(UInt64(ThesisTiming().initialRoundTrip)),
        "thesis.probeMargin": .whole(UInt64(ThesisTiming().probeMargin)),
    ]

    /// The members of the table under a heading, and the defaults it gives.
    private func table(_ heading: String) throws -> [String: JSONValue] {
        let section = try #require(
            ShippedExample.page.components(separatedBy: "### \(heading)\n").dropFirst().first)
        var rows: [String: JSONValue] = [:]
        for line in section.components(separatedBy: "\n#")[0].split(separator: "\n") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count > 2, cells[0].hasPrefix("`"), let text = cells.last?.dropFirst().dropLast()
            else {
                continue
            }
            let member = String(cells[0].dropFirst().dropLast())
            #expect(rows[member] == nil, "\(member) stands there twice")
            rows[member] = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        }
        return rows
    }

    private func flat(_ members: [String: JSONValue], _ place: String = "") -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        for (name, value) in members {
            if case .object(let inner) = value {
                result.merge(flat(inner, place + name + ".")) { $1 }
            } else {
                result[place + name] = value
            }
        }
        return result
    }

    @Test(
        "The page has a row for each member, with the default",
        arguments: [
            ("A server's configuration", ShippedExample.server),
            ("A client's configuration", ShippedExample.client),
        ])
    func rows(_ heading: String, _ example: String) throws {
        let table = try table(heading)
        let members = flat(try CommentedJSON.members(of: example))
        for (member, value) in members { #expect(table[member] == value, "\(member)") }
        for (member, value) in table where members[member] == nil {
            #expect(Self.additions[member] == value, "\(member)")
        }
        // One of each end's own, and two of both.
        #expect(table.count == members.count + 3)
    }
}
