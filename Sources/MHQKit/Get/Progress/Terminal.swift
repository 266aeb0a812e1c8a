import Foundation

/// The terminal that standard error goes to.
enum Terminal {
    static var isStandardErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var isStandardOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Columns and lines; the size of old terminals if it does not say.
    static var size: (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}

extension Terminal {
    static let hideCursor = "\u{1b}[?25l"
    static let showCursor = "\u{1b}[?25h"

    /// Whether colours are welcome (https://no-color.org).
    static var isColoured: Bool {
        let environment = ProcessInfo.processInfo.environment
        return environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }

    /// Writes to standard error.
    static func write(_ text: String) {
        if !text.isEmpty { FileHandle.standardError.write(Data(text.utf8)) }
    }
}
