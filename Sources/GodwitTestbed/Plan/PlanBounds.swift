extension ExperimentPlan {
    /// The first seeds that there may be. The thesis's begin at 1, and clients have seeds below and above that of
    /// their run: all of them are to fit a number.
    package static let seeds = 1...1_000_000_000_000_000

    /// More runs than anybody waits for.
    private static let mostRuns = 2_000_000
    private static let longestSpan = 86_400_000

    /// What is wrong with it, in words that begin with the member's name; nil for nothing.
    package var problem: String? {
        problemOfNumbers ?? problemOfSeries ?? problemOfLists ?? problemOfNetworks ?? problemOfSpans
            ?? addresses.problem
    }

    private var problemOfNumbers: String? {
        Bound.first([
            Bound("experiment", Double(experiment), 0...6),
            Bound("epoch", Double(epoch), 0...10_000_000_000),
            Bound("repetitions", Double(repetitions), 1...100_000),
            Bound("firstSeed", Double(firstSeed), Self.seeds),
        ])
    }

    private var problemOfSeries: String? {
        for (index, one) in series.enumerated() {
            let name = "series[\(index)]"
            if networks[one.network] == nil { return "\(name).network: no network has that name" }
            if !(0..<1).contains(one.loss) { return "\(name).loss: is not from 0 to below 1" }
            if one.folder.split(separator: "/").contains("..") || one.folder.hasPrefix("/") {
                return "\(name).folder: must lie within the results"
            }
            if series[..<index].contains(where: { $0.folder == one.folder }) {
                return "\(name).folder: is another series' as well"
            }
        }
        return nil
    }

    private var problemOfLists: String? {
        let counts = [
            ("series", series.count), ("protocols", protocols.count), ("techniques", techniques.count),
            ("inflations", inflations.count), ("intervals", intervals.count), ("clients", clients.count),
        ]
        if let (name, _) = counts.first(where: { $0.1 == 0 }) { return "\(name): is empty" }
        let all = counts.reduce(Double(repetitions)) { $0 * Double($1.1) }
        guard all + all * Double(extraProtocols.count) / Double(protocols.count) <= Double(Self.mostRuns)
        else { return "repetitions: there are more than \(Bound.grouped(Self.mostRuns)) runs" }
        return Bound.first(
            Bound.all(in: inflations, "inflations", 0...1_000_000)
                + Bound.all(in: intervals, "intervals", 0...Self.longestSpan)
                + Bound.all(in: clients, "clients", 1...1000))
    }

    private var problemOfNetworks: String? {
        for (name, network) in networks.sorted(by: { $0.key < $1.key }) {
            let ends = [("source", network.source), ("destination", network.destination)]
            for (end, path) in ends {
                for (way, link) in [("toServer", path.toServer), ("toClient", path.toClient)] {
                    if let problem = link.problem { return "networks.\(name).\(end).\(way).\(problem)" }
                }
            }
        }
        return nil
    }

    private var problemOfSpans: String? {
        Bound.first(
            Bound.all(in: steps, "steps", 0...Self.longestSpan)
                + Bound.all(in: thesis, "thesis", 1...60_000)
                + Bound.all(in: container, "container", 0...1_000_000) + [
                    Bound("container.zeroCompression", container.zeroCompression, 1...1_000_000),
                    Bound("container.otherCompression", container.otherCompression, 1...1_000_000),
                    Bound("container.spread", container.spread, 0...1),
                    Bound("container.pageSize", Double(container.pageSize), 1...1_000_000),
                ])
    }
}

extension PlanLink {
    /// What is wrong with it, in words that begin with the member's name.
    fileprivate var problem: String? {
        if let loss, !(0..<1).contains(loss) { return "loss: is not from 0 to below 1" }
        return Bound.first([
            Bound("delay", delay, 0...60_000), Bound("jitter", jitter, 0...60_000),
            Bound("rate", rate.map { Double($0) } ?? 1, 1...1_000_000),
            Bound("queue", Double(queue), 1...1_000_000),
        ])
    }
}

/// A number of a plan, and what it may be.
private struct Bound {
    let name: String
    let value: Double
    let range: ClosedRange<Int>

    init(_ name: String, _ value: Double, _ range: ClosedRange<Int>) {
        (self.name, self.value, self.range) = (name, value, range)
    }

    /// What the first number that is out of bounds is told.
    static func first(_ bounds: [Bound]) -> String? {
        bounds.first { !(Double($0.range.lowerBound)...Double($0.range.upperBound)).contains($0.value) }
            .map { "\($0.name): is no number from \($0.range.lowerBound) to \(grouped($0.range.upperBound))" }
    }

    /// Every number within a value, so that no member is forgotten that is added to it.
    static func all(in value: Any, _ name: String, _ range: ClosedRange<Int>) -> [Bound] {
        if let number = value as? Int { return [Bound(name, Double(number), range)] }
        if let number = value as? Double { return [Bound(name, number, range)] }
        return Mirror(reflecting: value).children.enumerated().flatMap { index, child in
            let path = child.label.map { "\(name).\($0)" } ?? "\(name)[\(index)]"
            return all(in: child.value, path, range)
        }
    }

    /// With a comma before each three digits.
    static func grouped(_ number: Int) -> String {
        let digits = "\(number)"
        return digits.enumerated().map { index, digit in
            index > 0 && (digits.count - index).isMultiple(of: 3) ? ",\(digit)" : "\(digit)"
        }.joined()
    }
}
