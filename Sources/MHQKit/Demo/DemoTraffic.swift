import Godwit
import GodwitHTTP3
import GodwitSimulator
import HTTPTypes
import NIOCore

/// What clients and server of a demo send each other. Every byte is known from the seed, the number of the
/// exchange and its place, so that either side checks what it gets without having been told.
struct DemoTraffic: Hashable, Sendable {
    /// The demo's seed.
    let seed: UInt64
    /// How many bytes a small answer has.
    var smallSize = 200
    /// How many bytes a download has.
    var downloadSize = 1 << 20
    /// How many bytes an upload has.
    var uploadSize = 512 << 10
    /// How many parts a transfer comes in.
    var pieces = 32

    /// Between one part of a transfer and the next: a freeze comes in the midst of one.
    static let pause = Duration.milliseconds(10)

    /// - Parameter isCaptured: whether all of it goes into a file, which is then to be of a size to look at.
    init(seed: UInt64, isCaptured: Bool = false) {
        self.seed = seed
        guard isCaptured else { return }
        downloadSize >>= 5
        uploadSize >>= 5
    }

    /// What a side sends in an exchange.
    func pattern(_ exchange: UInt64, from sender: Role) -> PayloadPattern {
        PayloadPattern(StreamDirection(connection: seed, stream: exchange, sender: sender))
    }

    /// Sends so many bytes in parts, one every ``pause``.
    func send(
        _ count: Int, of pattern: PayloadPattern, to writer: HTTP3BodyWriter
    ) async throws {
        let piece = max(1, count / pieces)
        var offset = 0
        while offset < count {
            let end = min(count, offset + piece)
            try await writer.write(pattern.bytes(UInt64(offset)..<UInt64(end)))
            offset = end
            if offset < count { try await Task.sleep(for: Self.pause) }
        }
        try await writer.finish()
    }
}

/// Checks bytes as they come.
struct DemoCheck {
    private let pattern: PayloadPattern
    /// How many were right.
    private(set) var count = 0

    init(_ pattern: PayloadPattern) { self.pattern = pattern }

    /// - Throws: ``DemoFault`` at the first byte that is wrong.
    mutating func take(_ bytes: ByteBuffer) throws {
        let wrong = bytes.withUnsafeReadableBytes { pattern.firstMismatch(in: $0, from: UInt64(count)) }
        if let wrong { throw DemoFault("byte \(count + wrong) is wrong") }
        count += bytes.readableBytes
    }

    /// - Throws: ``DemoFault`` if there were more or fewer.
    func end(at length: Int) throws {
        guard count == length else { throw DemoFault("\(count) bytes came of \(length)") }
    }
}

/// Something that must not happen in a demo.
struct DemoFault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
