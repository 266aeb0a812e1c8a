/// Lines at the foot of a terminal that are written anew again and again, and what is left above them when a
/// transfer is finished.
struct ProgressBoard {
    /// How many lines are to be overwritten.
    private var shown = 0

    /// What to write so that the terminal shows the board as it is now.
    ///
    /// - Parameters:
    ///   - finished: lines that stay.
    ///   - active: lines for what is under way.
    ///   - height: how many lines the terminal has.
    mutating func frame(finished: [String], active: [String], height: Int) -> String {
        // One line is left for the cursor, which stands below.
        let room = max(1, height - 1)
        var lines = active
        if active.count > room { lines = active.prefix(room - 1) + ["… and \(active.count - room + 1) more"] }
        var frame = shown > 0 ? "\u{1b}[\(shown)A" : ""
        for line in finished + lines { frame += "\r\u{1b}[K" + line + "\n" }
        // The board may have had more lines before.
        if shown > finished.count + lines.count { frame += "\u{1b}[J" }
        shown = lines.count
        return frame
    }
}
