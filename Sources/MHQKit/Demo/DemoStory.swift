import Godwit
import NIOCore

/// All moves under one strategy, and what they add up to.
struct DemoStory: Sendable {
    private let strategy: DemoStrategy
    private let seed: UInt64
    private var moves: [DemoMove.Result] = []
    /// In which small requests were served as ever.
    private var later: [Range<NIODeadline>] = []

    init(_ strategy: DemoStrategy, _ options: DemoOptions, _ clients: [DemoClient]) {
        self.strategy = strategy
        seed = options.seed
    }

    mutating func add(_ move: DemoMove.Result) { moves.append(move) }

    /// The server is about to move again, or the demo to end.
    mutating func endOfMove() {
        guard let last = moves.last else { return }
        later.append(last.doneAt..<max(last.doneAt, NIODeadline.now()))
    }

    /// Whether there are clients that will get no answer any more.
    var isLost: Bool { moves.contains { !$0.lost.isEmpty } }

    /// The figures.
    func row(_ clients: [DemoClient]) -> DemoRow {
        var row = DemoRow(strategy: strategy, seed: seed)
        (row.clients, row.moves) = (clients.count, moves.count)
        var lost = moves.reduce(into: Set<Int>()) { $0.formUnion($1.lost) }
        for (index, client) in clients.enumerated() {
            let figures = client.tally.figures
            row.requests += figures.requests
            row.failed += figures.failed
            row.bytesChecked += figures.bytesChecked
            row.answers.merge(figures.answers) { $0 + $1 }
            row.fault = row.fault ?? figures.firstFault
            if figures.failed > 0 { lost.insert(index) }
        }
        row.connectionsLost = lost.count
        addTimes(to: &row, clients.flatMap(\.tally.figures.serviceTimes))
        return row
    }

    private func addTimes(to row: inout DemoRow, _ times: [(sentAt: NIODeadline, span: TimeAmount)]) {
        let start = moves.first?.preparedAt ?? .now()
        row.serviceTimeBefore = Self.median(times.filter { $0.sentAt + $0.span < start }.map(\.span))
        row.serviceTimeLater = Self.median(
            times.filter { time in later.contains { $0.contains(time.sentAt) } }.map(\.span))
        row.firstServiceTimeAfter = Self.median(moves.flatMap(\.firstTimes))
        let stalls = moves.flatMap(\.stalls)
        // A client whose data never flowed again has no longest stall.
        if stalls.count == row.clients * row.moves { row.stallBeyondFreeze = stalls.max()?.inMilliseconds }
        row.freeze = moves.reduce(0) { $0 + $1.freeze.inMilliseconds } / Double(max(1, moves.count))
        row.answeredAtOldAddress = moves.reduce(0) { $0 + $1.answeredAtOldAddress }
        row.lostAtOldAddress = moves.reduce(0) { $0 + $1.lostAtOldAddress }
    }

    private static func median(_ spans: [TimeAmount]) -> Double? {
        let sorted = spans.sorted()
        guard let upper = sorted.dropFirst(sorted.count / 2).first else { return nil }
        guard sorted.count.isMultiple(of: 2) else { return upper.inMilliseconds }
        return (sorted[sorted.count / 2 - 1].inMilliseconds + upper.inMilliseconds) / 2
    }
}

extension TimeAmount {
    fileprivate var inMilliseconds: Double { Double(nanoseconds) / 1e6 }
}
