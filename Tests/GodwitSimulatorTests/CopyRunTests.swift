import GodwitMigration
import GodwitSimulator
import Testing

@Suite("Copies of a server (Specs/server-migration.md 6.6)")
struct CopyRunTests {
    @Test(
        "One copy goes on and the other is silent, whichever asks first (6.6.4)",
        arguments: [CopyRun.Kind.resumedSource, .twoRestores])
    func oneGoesOn(_ kind: CopyRun.Kind) {
        for strategy in [MigrationStrategy.symmetric, .combined] {
            let report = CopyRun(seed: 3, kind, strategy).run()
            #expect(report.latency != nil && report.endReason == nil, "\(strategy)")
            #expect(report.granted == 1 && report.refused == 1 && report.sentByRefused == 0)
            // Among these: no packet number twice under a key.
            #expect(report.violations.isEmpty)
        }
    }

    @Test("An image that is older than what the client has seen closes with that reason (6.6.6)")
    func stale() {
        let report = CopyRun(seed: 3, .staleImage, .combined).run()
        #expect(report.endReason?.contains("stale") == true && report.violations.isEmpty)
    }
}
