import Godwit

/// Shows a demo on a terminal while it runs.
actor DemoDisplay {
    private let scene: DemoScene
    private let isLive: Bool
    private var board = ProgressBoard()

    private static let interval = Duration.milliseconds(80)
    private static let barWidth = 20

    init(_ scene: DemoScene, isLive: Bool) {
        self.scene = scene
        self.isLive = isLive
    }

    /// Draws until the task is cancelled.
    func run() async {
        guard isLive else { return }
        Terminal.write(Terminal.hideCursor)
        while !Task.isCancelled {
            draw(scene.take())
            try? await Task.sleep(for: Self.interval)
        }
        var last = scene.take()
        last.from = nil
        draw(last)
        Terminal.write(Terminal.showCursor)
    }

    private func draw(_ picture: DemoScene.Picture) {
        let (width, height) = Terminal.size
        let lines = Self.lines(picture).map { $0.text(width: width, isColoured: Terminal.isColoured) }
        let finished = picture.finished.map { $0.text(width: width, isColoured: Terminal.isColoured) }
        Terminal.write(board.frame(finished: finished, active: lines, height: height))
    }

    static func lines(_ picture: DemoScene.Picture) -> [StyledLine] {
        guard let from = picture.from else { return [] }
        var first = StyledLine()
        first.add(Columns.padded(picture.strategy.title, to: 24), .bold)
        first.add(bar(picture.progress), .cyan)
        first.add("  \(picture.to.map { "\(from) → \($0)" } ?? "\(from)")  ")
        first.add(picture.phase, picture.phase.hasPrefix("frozen") ? .cyan : .plain)
        let figures = picture.clients.map(\.tally.figures)
        let requests = DemoTable.grouped(figures.reduce(0) { $0 + $1.requests })
        let bytes = Quantities.bytes(Int64(figures.reduce(0) { $0 + $1.bytesChecked }))
        var second = StyledLine()
        second.add("  clients hear from     ")
        for client in picture.clients { second.addPlace(client.tap.latest, of: picture) }
        second.add("  \(requests) requests, \(bytes) checked")
        return [first, second]
    }

    private static func bar(_ fraction: Double) -> String {
        let eighths = Int((min(max(0, fraction), 1) * Double(barWidth * 8)).rounded(.down))
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let filled = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
        return filled + String(repeating: "·", count: barWidth - filled.count)
    }
}

extension StyledLine {
    /// The last part of an address says which it is.
    fileprivate mutating func addPlace(_ address: NetworkAddress?, of picture: DemoScene.Picture) {
        guard let address, let v4 = address.ip.v4 else { return add(" - ") }
        let style: Style = picture.to == nil ? .plain : address == picture.to ? .green : .yellow
        add(".\(v4 & 0xff) ", style)
    }
}

/// A line for a terminal, parts of it in colour.
struct StyledLine: Hashable, Sendable {
    enum Style: String, Hashable, Sendable {
        case plain = ""
        case bold = "1"
        case green = "32"
        case yellow = "33"
        case red = "31"
        case cyan = "36"
    }

    private struct Part: Hashable, Sendable {
        var text: String
        var style: Style
    }

    private var parts: [Part] = []

    mutating func add(_ text: String, _ style: Style = .plain) {
        parts.append(Part(text: text, style: style))
    }

    /// - Parameter width: how many columns the terminal has; the line never has more.
    func text(width: Int, isColoured: Bool) -> String {
        var (line, left) = ("", width)
        for part in parts where left > 0 {
            let text = Columns.cut(part.text, to: left)
            left -= Columns.width(text)
            line +=
                isColoured && part.style != .plain ? "\u{1b}[\(part.style.rawValue)m\(text)\u{1b}[0m" : text
        }
        return line
    }
}
