import GodwitMigration
import GodwitWire

// The rows about peers that behave as the thesis's programs do (Specs/server-migration.md 9), in the five ways in which
// those move.
extension MigrationBenchmark {
    private static let thesisKinds: [(name: String, strategy: MigrationStrategy, isProactive: Bool)] = [
        ("explicit, reactive", .explicit, false), ("explicit, proactive", .explicit, true),
        ("pool of 3", .poolOfAddresses, false), ("symmetric", .symmetric, false),
        ("synchronized symmetric", .synchronizedSymmetric, false),
    ]

    private func thesis(
        _ name: String, _ summary: String, loss: Double,
        _ change: @escaping @Sendable (inout MoveSettings) -> Void
    ) -> Row {
        let series = Self.thesisKinds.map { kind in
            Series(kind.name, runs: runs(1000)) { seed in
                var settings = MoveSettings(seed: seed, kind.strategy)
                (settings.isProactive, settings.poolSize, settings.loss) = (kind.isProactive, 3, loss)
                settings.workloads = [Self.workload(of: seed)]
                (settings.isExtended, settings.holds) = (false, false)
                // The thesis's operator drains for two seconds: its server can't go on with a client that was not told.
                settings.notice = .seconds(2) ... .seconds(4)
                change(&settings)
                return MigrationTrial(MoveRun(settings).run(), seed: seed)
            }
        }
        return Row(name: name, summary: summary + ", notice 2–4 s", series: series) { row, found in
            series.map { Self.noneLost(row, $0.name, found[$0.name]) }
        }
    }

    /// With loss, which is nothing to our clients.
    var thesisServer: Row {
        thesis("thesis-server", "our clients of the thesis's server, 3 % loss", loss: 0.03) {
            $0.serverPolicy = .thesis
        }
    }

    /// Without loss: by itself the thesis's client loses connections to any server.
    var thesisClient: Row {
        thesis("thesis-client", "the thesis's clients of our server, no loss", loss: 0) {
            $0.clientPolicy = .thesis
        }
    }
}
