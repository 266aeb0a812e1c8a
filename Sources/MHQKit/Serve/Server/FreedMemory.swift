import Foundation

/// Gives memory back to the system when most connections have gone, or all.
///
/// The C library keeps what was freed: behind a thousand connections it would sit on more than a hundred
/// megabytes for good, because something small that is still in use lies above them.
struct FreedMemory {
    /// The most connections since memory was given back.
    private var most = 0

    /// While there are others, fewer are not worth the time.
    private static let fewest = 100

    /// Whether to give memory back now, by how many connections there are.
    mutating func isDue(connections: Int) -> Bool {
        most = max(most, connections)
        let isDue = connections == 0 ? most > 0 : most >= Self.fewest && connections <= most / 4
        if isDue { most = connections }
        return isDue
    }

    /// Has the C library give back what is free. Others can't allocate from the same arena meanwhile, which
    /// takes milliseconds: not for a server that is busy.
    static func giveBack() { _ = trim?(0) }

    private typealias Trim = @convention(c) (Int) -> Int32

    // Only glibc has it, and its header is in no module.
    private static let trim: Trim? = dlsym(nil, "malloc_trim").map {
        unsafeBitCast($0, to: Trim.self)
    }
}
