public import GodwitWire

/// Holds streams to their promise: every byte is delivered once, in order and as it was sent.
///
/// Programs send the bytes of ``PayloadPattern`` and report ``Observation/received(_:offset:bytes:)`` and
/// ``Observation/finished(_:size:)``.
public final class PayloadChecker: Checker {
    private struct Progress {
        let pattern: PayloadPattern
        var received: UInt64 = 0
        var isFinished = false
        var expectedSize: UInt64?
    }

    /// `payload`.
    public let name = "payload"
    private var streams: [StreamDirection: Progress] = [:]
    /// The directions in the order in which they came up: messages must not depend on a hash.
    private var order: [StreamDirection] = []
    /// The bytes found right so far.
    public private(set) var checkedBytes: UInt64 = 0

    /// A checker that has seen nothing.
    public init() {}

    /// Announces a transfer, which must then be complete at the end of the run.
    public func expect(_ direction: StreamDirection, size: UInt64) {
        withProgress(of: direction) { $0.expectedSize = size }
    }

    /// Whether every transfer that was announced is complete.
    public var isComplete: Bool {
        streams.values.allSatisfy { $0.expectedSize == nil || $0.isFinished }
    }

    /// Judges what an application was given.
    public func check(_ observation: Observation, from host: HostID, at time: Instant) -> String? {
        switch observation {
        case .received(let direction, let offset, let bytes):
            return withProgress(of: direction) { receive(offset, bytes, direction, &$0) }
        case .finished(let direction, let size):
            return withProgress(of: direction) { finish(size, direction, &$0) }
        default: return nil
        }
    }

    private func receive(
        _ offset: UInt64, _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection,
        _ progress: inout Progress
    ) -> String? {
        defer { progress.received = max(progress.received, offset + UInt64(bytes.count)) }
        if progress.isFinished, !bytes.isEmpty { return "\(direction): bytes at \(offset) after its end" }
        if offset != progress.received {
            let what = offset < progress.received ? "came again" : "came early"
            return "\(direction): bytes at \(offset) \(what); those at \(progress.received) are next"
        }
        if let index = progress.pattern.firstMismatch(in: bytes, from: offset) {
            return "\(direction): the byte at \(offset + UInt64(index)) is wrong"
        }
        checkedBytes += UInt64(bytes.count)
        return nil
    }

    private func finish(_ size: UInt64, _ direction: StreamDirection, _ progress: inout Progress) -> String? {
        if progress.isFinished { return "\(direction): finished twice" }
        progress.isFinished = true
        if size != progress.received {
            return "\(direction): finished at \(size) after \(progress.received) B were delivered"
        }
        guard let expected = progress.expectedSize, expected != size else { return nil }
        return "\(direction): finished at \(size), \(expected) B were sent"
    }

    /// Every announced transfer is complete.
    public func checkEnd(at time: Instant) -> [String] {
        order.compactMap { direction in
            guard let progress = streams[direction], let size = progress.expectedSize, !progress.isFinished
            else {
                return nil
            }
            return "\(direction): \(progress.received) of \(size) B were delivered, and not its end"
        }
    }

    private func withProgress<Result>(
        of direction: StreamDirection, _ body: (inout Progress) -> Result
    ) -> Result {
        if streams[direction] == nil { order.append(direction) }
        return body(&streams[direction, default: Progress(pattern: PayloadPattern(direction))])
    }
}
