import Foundation

/// How busy this machine's processors are, by the system's own account.
struct ProcessorLoad: Hashable {
    /// In ticks since the start of the machine.
    private var busy: Double
    private var all: Double

    /// - Parameter text: of `/proc/stat`.
    init?(_ text: some StringProtocol) {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard ticks.count == 8 else { return nil }
        all = ticks.reduce(0, +)
        // Neither idle nor waiting for a disk.
        busy = all - ticks[3] - ticks[4]
    }

    /// Of this machine, until now.
    static var now: ProcessorLoad? {
        (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)).flatMap { ProcessorLoad($0) }
    }

    /// How many ticks all processors together have seen since then.
    func ticks(since then: ProcessorLoad) -> Double { all - then.all }

    /// The part of the time since then that processors were busy, from 0 to 1.
    func part(since then: ProcessorLoad) -> Double {
        all > then.all ? (busy - then.busy) / (all - then.all) : 0
    }
}
