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
