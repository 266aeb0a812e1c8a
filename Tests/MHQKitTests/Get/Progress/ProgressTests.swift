import Testing

@testable import MHQKit

@Suite struct QuantityTests {
    @Test(
        "Bytes take three digits at most",
        arguments: [
            (0, "0 B"), (512, "512 B"), (999, "999 B"), (1000, "1.0 KB"), (9949, "9.9 KB"), (9950, "10 KB"),
            (999_499, "999 KB"), (999_500, "1.0 MB"), (612_000_000, "612 MB"), (1_100_000_000, "1.1 GB"),
            (Int64.max, "9.2 EB"), (-1, "0 B"),
        ] as [(Int64, String)])
    func bytes(count: Int64, text: String) { #expect(Quantities.bytes(count) == text) }

    @Test("A rate is bytes a second")
    func rate() {
        #expect(Quantities.rate(1.1e9) == "1.1 GB/s")
        #expect(Quantities.rate(0) == "0 B/s")
    }

    @Test(
        "Time is hours, minutes and seconds",
        arguments: [(0, "0:00:00"), (0.2, "0:00:01"), (59, "0:00:59"), (3661, "1:01:01"), (1e12, "99:59:59")])
    func time(seconds: Double, text: String) { #expect(Quantities.time(seconds: seconds) == text) }
}

@Suite struct TransferRateTests {
    @Test("The rate is that of the last seconds")
    func window() {
        var rate = TransferRate()
        #expect(rate.bytesPerSecond == nil)
        rate.note(0, at: .zero)
        #expect(rate.bytesPerSecond == nil)
        for second in 1...10 { rate.note(Int64(second) * 100, at: .seconds(second)) }
        #expect(rate.bytesPerSecond == 100)
        for second in 11...14 { rate.note(1000, at: .seconds(second)) }
        #expect(rate.bytesPerSecond == 0)
    }
}

@Suite struct ProgressLineTests {
    @Test("A line on a terminal of 80 columns")
    func usual() {
        let line = ProgressLine(
            name: "big", received: 612_000_000, total: 1_055_172_413, rate: 1.1e9, elapsed: 0.6)
        let expected = "big            ███████████▌           58 %   612 MB   1.1 GB/s   0:00:01 left"
        #expect(line.text(width: 80) == expected)
    }

    @Test("What is finished shows how long it took")
    func finished() {
        let line = ProgressLine(
            name: "big", received: 1000, total: 1000, rate: 500, elapsed: 2, isFinished: true)
        #expect(
            line.text(width: 80) == "big            ████████████████████  100 %   1.0 KB    500 B/s   0:00:02"
        )
    }

    @Test("Without a length there is no bar, and 100 % is for what is complete")
    func unknown() {
        let unknown = ProgressLine(name: "x", received: 1000, rate: 500, elapsed: 2)
        #expect(!unknown.text(width: 80).contains("%") && !unknown.text(width: 80).contains("left"))
        let nearly = ProgressLine(name: "x", received: 9999, total: 10_000)
        #expect(nearly.text(width: 80).contains(" 99 %"))
        let empty = ProgressLine(name: "x", received: 0, total: 0)
        #expect(empty.text(width: 80).contains(" 100 %"))
        let more = ProgressLine(name: "x", received: 20, total: 10)
        #expect(more.text(width: 80).contains(" 99 %"))
    }

    @Test("No line is wider than the terminal", arguments: [0, 1, 10, 40, 60, 61, 70, 77, 80, 200])
    func widths(width: Int) {
        let name = "日本語のとても長いファイル名.txt"
        let line = ProgressLine(
            name: name, received: 999_000_000_000, total: 1_000_000_000_000, rate: 1, elapsed: 1)
        #expect(Columns.width(line.text(width: width)) <= width)
    }

    @Test("A name can't take the terminal over")
    func hostile() {
        let line = ProgressLine(name: "\u{1b}[2J\u{202e}\n").text(width: 80)
        #expect(line.hasPrefix("?[2J??"))
    }
}

@Suite struct ProgressBoardTests {
    @Test("Lines are written over the ones before, and what is finished stays above")
    func frames() {
        var board = ProgressBoard()
        #expect(board.frame(finished: [], active: ["a", "b"], height: 10) == "\r\u{1b}[Ka\n\r\u{1b}[Kb\n")
        #expect(
            board.frame(finished: ["A"], active: ["b"], height: 10) == "\u{1b}[2A\r\u{1b}[KA\n\r\u{1b}[Kb\n")
        #expect(board.frame(finished: [], active: [], height: 10) == "\u{1b}[1A\u{1b}[J")
        #expect(board.frame(finished: [], active: [], height: 10) == "")
    }

    @Test("There are no more lines than the terminal has")
    func height() {
        var board = ProgressBoard()
        let frame = board.frame(finished: [], active: (0..<10).map { "\($0)" }, height: 5)
        #expect(frame.count { $0 == "\n" } == 4)
        #expect(frame.contains("… and 7 more"))
    }
}
