/// One run of an experiment: a point of the plan's sweep, and which repetition of it.
package struct RunSpecification: Codable, Hashable, Sendable {
    /// Which of the plan's series it belongs to, from 0; extra protocols have series of their own behind those.
    package var series: Int
    /// The number of the configuration as results say it, from 1.
    package var run: Int
    /// From 1.
    package var repetition: Int
    package var seed: UInt64
    package var migrationProtocol: PlanProtocol
    package var technique: MigrationTechnique
    /// MB of 2^20 bytes.
    package var inflation: Int
    /// Milliseconds.
    package var interval: Int
    package var clients: Int
    /// Its place among all runs of the plan, from 0.
    package var index: Int

    /// Tells runs of one plan apart, in names of files and seeds.
    package var key: String { "\(series)-\(run)-\(repetition)-\(migrationProtocol.rawValue)-\(clients)" }
}

extension ExperimentPlan {
    /// The series, and behind them those of extra protocols.
    package var allSeries: [Series] {
        guard !extraProtocols.isEmpty else { return series }
        return series
            + series.map { one in
                var extra = one
                extra.folder = "extra/" + one.folder
                return extra
            }
    }

    /// The series' folder tells whether its protocols are the extra ones.
    private func protocols(ofSeries index: Int) -> [PlanProtocol] {
        index < series.count ? protocols : extraProtocols
    }

    /// All runs, in the order of the results.
    package var runs: [RunSpecification] {
        var all: [RunSpecification] = []
        for index in allSeries.indices {
            var (configuration, count) = (0, UInt64(0))
            for template in configurations(ofSeries: index) {
                configuration += 1
                for repetition in 1...repetitions {
                    var run = template
                    // The third experiment counts repetitions, per protocol and number of clients.
                    run.run = experiment == 3 ? repetition : experiment == 0 ? 1 : configuration
                    run.repetition = repetition
                    run.seed = firstSeed + count
                    run.index = all.count
                    all.append(run)
                    count += 1
                }
            }
        }
        return all
    }

    /// The sweep in the thesis's order: memory, protocol, technique, clients, interval, the last fastest.
    private func configurations(ofSeries index: Int) -> [RunSpecification] {
        var found: [RunSpecification] = []
        for inflation in inflations {
            for name in protocols(ofSeries: index) {
                for technique in techniques {
                    for count in clients {
                        for interval in intervals {
                            found.append(
                                RunSpecification(
                                    series: index, run: 0, repetition: 0, seed: 0, migrationProtocol: name,
                                    technique: technique, inflation: inflation, interval: interval,
                                    clients: count, index: 0))
                        }
                    }
                }
            }
        }
        return found
    }

    /// Whether the thesis's own scripts can read the results: those of the fourth experiment count rows.
    package var isReadableByThesis: Bool {
        guard experiment == 4 else { return true }
        let count = protocols.count * techniques.count * inflations.count * intervals.count * repetitions
        return count == 144 && clients == [30]
    }
}
