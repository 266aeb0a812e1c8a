import Foundation

/// The memory of the server and of this process over time.
struct SoakReport {
    private struct Line {
        let name: String
        let server: Int
        let client: Int
        let peak: Int
    }

    /// How much more either may have after the last round than after the first: what an allocator may hold
    /// because its free pieces lie elsewhere than before. A leak of a kilobyte a connection, or of 30 bytes a
    /// request, is more than that after ten minutes.
    private static func allowance(_ kilobytes: Int) -> Int { 4096 + kilobytes / 10 }

    private let server: Int32
    private let start = ContinuousClock.now
    private var lines: [Line] = []

    init(server: Int32) {
        self.server = server
        print("              s   server KB   client KB   peak KB")
    }

    var serverMemory: Int { Self.residentKilobytes(of: server) }

    /// Notes how much memory there is when all connections are gone, and how much there was.
    mutating func note(_ name: String, _ peak: Int) {
        Self.giveBackMemory()
        let line = Line(
            name: name, server: serverMemory, client: Self.residentKilobytes(of: getpid()), peak: peak)
        lines.append(line)
        let seconds = Int((ContinuousClock.now - start) / .seconds(1))
        let numbers = [seconds, line.server, line.client, line.peak].map { String($0).leftPadded(to: 11) }
        print(name.padding(toLength: 9, withPad: " ", startingAt: 0).dropLast(3) + numbers.joined())
        fflush(nil)
    }

    private var first: Line { lines[1] }
    private var last: Line { lines[lines.count - 1] }

    /// Whether the memory has come back. The measure is what is left after the first round: before that, nothing
    /// has been used that is kept for the next time.
    var isBack: Bool { isBack(\.server) && isBack(\.client) }

    private func isBack(_ side: KeyPath<Line, Int>) -> Bool {
        last[keyPath: side] <= first[keyPath: side] + Self.allowance(first[keyPath: side])
    }

    func end(_ outcome: SoakOutcome) {
        print(outcome)
        tell("server", \.server)
        tell("clients", \.client)
    }

    private func tell(_ name: String, _ side: KeyPath<Line, Int>) {
        let growth = last[keyPath: side] - first[keyPath: side]
        print(
            "\(name): \(growth) KB more after the last round than after the first; allowed are",
            "\(Self.allowance(first[keyPath: side])): \(isBack(side) ? "the memory came back" : "IT GREW")")
    }

    func json(_ outcome: SoakOutcome) -> String {
        let figures = [
            "firstRoundKB": first.server, "lastRoundKB": last.server, "clientFirstRoundKB": first.client,
            "clientLastRoundKB": last.client, "peakKB": lines.map(\.peak).max() ?? 0,
            "connections": outcome.connections, "requests": outcome.requests, "surprises": outcome.surprises,
        ]
        let fields = figures.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
        return "{" + fields.joined(separator: ", ") + "}"
    }

    /// As mhq serve does it: what the C library keeps for later says nothing about leaks.
    private static func giveBackMemory() {
        typealias Trim = @convention(c) (Int) -> Int32
        guard let trim = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(trim, to: Trim.self)(0)
    }

    /// Resident memory by the kernel's account; 0 when the process is gone.
    static func residentKilobytes(of process: Int32) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).compactMap { Int($0) }.first ?? 0
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
