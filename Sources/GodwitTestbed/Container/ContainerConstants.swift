/// What it takes to carry a container over, as it was measured (the thesis's experiments 1, 2 and 4): straight lines
/// over the size of what is dumped or sent. Seconds, MB of 10^6 bytes.
package struct ContainerConstants: Codable, Hashable, Sendable {
    /// What grows with a size.
    package struct Line: Codable, Hashable, Sendable {
        package var base: Double
        package var perMB: Double

        package func callAsFunction(_ size: Double) -> Double { base + perMB * size }
    }

    /// The memory of a process without extra memory, and of a connection.
    package var image: Double
    package var imagePerClient: Double
    /// What is left to dump when memory was copied before, and when it follows.
    package var dumpAfterPreCopy: Double
    package var dumpBeforePostCopy: Double
    package var dumpOfHybrid: Double
    /// What is asked for page by page after the restore.
    package var lazy: Line
    package var lazyOfHybrid: Double

    package var preDump: Line
    package var dump: Line
    package var dumpWithoutMemory: Double
    /// The start of a session of rsync over ssh, and the bytes.
    package var transfer: Line
    /// As ``transfer``, with compression, over the size before it.
    package var compressedTransfer: Line
    package var restore: Line
    package var restoreOfPostCopy: Double
    package var lazyTransfer: Line
    /// How long the restored process stands still for its first pages.
    package var lazyStall: Double
    /// How much smaller extra memory that is zero, and the process's own, get. What is random stays as large as it is.
    package var zeroCompression: Double
    package var otherCompression: Double
    /// What compressing random memory takes, seconds per MB, in place of what it takes for zeros. It was not
    /// measured: zlib does about 30 MB a second of it.
    package var randomCompression: Double?
    /// The part by which chance changes each span, at most.
    package var spread: Double
    /// Bytes of a page.
    package var pageSize: Int
}
