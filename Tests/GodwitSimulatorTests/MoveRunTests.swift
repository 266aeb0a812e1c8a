import GodwitMigration
import GodwitSimulator
import Testing

@Suite("Simulated servers that move (Specs/server-migration.md)")
struct MoveRunTests {
    private func report(
        _ seed: UInt64, _ strategy: MigrationStrategy, _ change: (inout MoveSettings) -> Void = { _ in }
    ) -> MoveReport {
        var settings = MoveSettings(seed: seed, strategy)
        settings.workloads = [.idle, .requests]
        settings.freeze = .milliseconds(100) ... .milliseconds(800)
        change(&settings)
        return MoveRun(settings).run()
    }

    @Test("With the extension nobody is lost", arguments: MigrationStrategy.allCases)
    func extended(_ strategy: MigrationStrategy) {
        let report = report(1, strategy) { $0.loss = 0.1 }
        #expect(report.connections.count == 2 && report.lost.isEmpty && report.violations.isEmpty)
    }

    // Holds: W8
    @Test(
        "Clients behind every kind of translator follow by the combined strategy (4.5.3)",
        arguments: EndpointDependence.allCases)
    func translators(_ dependence: EndpointDependence) {
        for mapping in [EndpointDependence.endpointIndependent, .addressAndPortDependent] {
            let report = report(2, .combined) {
                $0.translator = TranslatorParameters(mapping: mapping, filtering: dependence)
            }
            #expect(report.lost.isEmpty && report.violations.isEmpty)
        }
    }

    // Holds: W8
    @Test("What it adds: by Symmetric, a server that nobody has sent to is not heard (4.3)")
    func symmetricBehindTranslator() {
        func lost(_ strategy: MigrationStrategy, _ translator: TranslatorParameters) -> Int {
            report(2, strategy) {
                ($0.isExtended, $0.translator) = (strategy == .combined, translator)
                ($0.workloads, $0.patience) = ([.idle], .seconds(4))
            }.lost.count
        }
        for translator in [TranslatorParameters.restrictedCone, .portRestrictedCone, .symmetric] {
            #expect(lost(.symmetric, translator) == 1 && lost(.combined, translator) == 0)
        }
        #expect(lost(.symmetric, .fullCone) == 0 && lost(.combined, .fullCone) == 0)
    }

    @Test("The thesis's client follows our server, and ours follows the thesis's", arguments: [false, true])
    func thesis(isClient: Bool) {
        for strategy in MigrationStrategy.allCases where strategy != .combined {
            let report = report(3, strategy) {
                $0.isExtended = false
                if isClient { $0.clientPolicy = .thesis } else { $0.serverPolicy = .thesis }
            }
            #expect(report.lost.isEmpty, "\(strategy)")
        }
    }

    @Test(
        "The thesis's explicit move, proactive: the client's application says when (9.3.6)",
        arguments: [false, true])
    func proactive(isClient: Bool) {
        let report = report(4, .explicit) {
            ($0.isExtended, $0.isProactive) = (false, true)
            if isClient { $0.clientPolicy = .thesis } else { $0.serverPolicy = .thesis }
        }
        #expect(report.lost.isEmpty && report.connections.allSatisfy { $0.movedAfter != nil })
    }

    @Test(
        "A freeze longer than the idle timeout loses nobody (5.9.2, 6.1.5, 6.3.1)",
        arguments: MigrationStrategy.allCases)
    func longFreeze(_ strategy: MigrationStrategy) {
        let report = report(5, strategy) {
            $0.freeze = .seconds(35) ... .seconds(40)
            $0.loss = 0.03
        }
        #expect(report.lost.isEmpty && report.violations.isEmpty)
    }

    @Test("Clients are told in time, though packets are lost and the server is silent later (6.1.4)")
    func toldInTime() {
        for seed: UInt64 in [7, 137] {
            let report = report(seed, .explicit) {
                ($0.isExtended, $0.loss, $0.mutesServer) = (false, 0.03, true)
                $0.notice = .zero ... .milliseconds(200)
            }
            #expect(report.lost.isEmpty)
        }
    }

    @Test(
        "A process with the same keys at the old address ends nothing (5.9.1, 6.7)",
        arguments: [MoveSettings.SecondProcess.careful, .careless])
    func secondProcess(_ second: MoveSettings.SecondProcess) {
        for strategy in MigrationStrategy.allCases {
            let report = report(6, strategy) { $0.secondProcess = second }
            #expect(report.lost.isEmpty && report.violations.isEmpty, "\(strategy)")
        }
    }

    @Test("The same seed gives the same run")
    func repeats() {
        #expect(report(11, .symmetric) == report(11, .symmetric))
    }
}
