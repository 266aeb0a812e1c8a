import Foundation

/// Shows on standard error how transfers go, and what else there is to say, without one disturbing the other.
actor ProgressDisplay {
    private struct Row {
        let state: TransferState
        var rate = TransferRate()
    }

    private let showsProgress: Bool
    private var board = ProgressBoard()
    private var rows: [Row] = []
    private var lastMessage: String?
    private var ticker: Task<Void, Never>?

    private static let interval = Duration.milliseconds(100)

    /// - Parameter showsProgress: false for a display of messages alone.
    init(showsProgress: Bool) { self.showsProgress = showsProgress }

    // MARK: Transfers

    /// Shows a transfer until it is over.
    func add(_ state: TransferState) {
        guard showsProgress else { return }
        rows.append(Row(state: state))
        if ticker == nil { ticker = Task { await self.tick() } }
    }

    private func tick() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: Self.interval) } catch { return }
            draw()
        }
    }

    // MARK: Messages

    /// Says something in a line of its own; the same thing only once in a row.
    func say(_ message: String) {
        guard message != lastMessage else { return }
        lastMessage = message
        draw(above: [message])
    }

    /// Says something in lines of their own.
    func tell(_ lines: [String]) { draw(above: lines) }

    /// Shows what has become of everything, and ends.
    func end() {
        ticker?.cancel()
        ticker = nil
        draw()
    }

    // MARK: Drawing

    private func draw(above messages: [String] = []) {
        guard showsProgress else { return Self.write(messages.map { $0 + "\n" }.joined()) }
        let (width, height) = Terminal.size
        let now = ContinuousClock.now
        var (finished, active, left): ([String], [String], [Row]) = (messages, [], [])
        for var row in rows {
            let figures = row.state.current
            let text = Self.line(of: &row, figures, now).text(width: width)
            if figures.duration == nil {
                active.append(text)
                left.append(row)
            } else if !figures.hasFailed {
                // What failed has a message instead.
                finished.append(text)
            }
        }
        rows = left
        Self.write(board.frame(finished: finished, active: active, height: height))
    }

    private static func line(
        of row: inout Row, _ figures: TransferState.Figures, _ now: ContinuousClock.Instant
    ) -> ProgressLine {
        let isSending = figures.received == 0 && figures.sent > 0 && figures.duration == nil
        let elapsed = figures.duration ?? (now - row.state.start)
        let bytes = isSending ? figures.sent : figures.received
        row.rate.note(bytes, at: elapsed)
        var line = ProgressLine(name: row.state.name, received: bytes, elapsed: elapsed.inSeconds)
        line.total = isSending ? figures.toSend : figures.total
        line.isFinished = figures.duration != nil
        let isOver = line.isFinished && elapsed > .zero
        line.rate = isOver ? Double(bytes) / elapsed.inSeconds : row.rate.bytesPerSecond
        return line
    }

    private static func write(_ text: String) {
        if !text.isEmpty { FileHandle.standardError.write(Data(text.utf8)) }
    }
}
