import Foundation
import Testing

/// The checks of h3spec (github.com/kazu-yamamoto/h3spec): what a server answers to what no client may send.
@Suite struct FaultTests {
    /// One fault, as the script reports it.
    struct Report: Decodable {
        var section: String
        var story: String
        var expected: [String]
        var answer: String?
        var detail: String
        var passed: Bool
    }

    @Test(
        "mhq serve answers each of 50 faults with the error that RFC 9000, 9001, 9114 or 9204 names",
        .enabled(if: Harness.hasAioquic, "aioquic is not installed: scripts/install-peers.sh aioquic"))
    func faults() throws {
        let result = try Harness.run("faults.py", "--mhq", Harness.mhq.path, "--json")
        try #require(result.status != Harness.unavailable, "\(result.errors)")
        let reports = try JSONDecoder().decode([Report].self, from: result.output)
        #expect(reports.count == 50)
        for report in reports {
            let expected = report.expected.joined(separator: " or ")
            let found = report.answer ?? report.detail
            #expect(
                report.passed,
                "\(report.section): if \(report.story), the answer is \(expected), not \(found)")
        }
    }
}
