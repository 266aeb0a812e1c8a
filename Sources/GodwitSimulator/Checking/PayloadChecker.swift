public import GodwitWire

/// Holds streams to their promise: every byte is delivered once, in order and as it was sent, and each
/// direction ends as its ends want it to.
///
/// Programs send the bytes of ``PayloadPattern`` and report what they hear of their streams:
/// ``Observation/received(_:offset:bytes:)``, ``Observation/finished(_:size:)``,
/// ``Observation/reset(_:code:)``, ``Observation/stopped(_:code:)`` and ``Observation/acknowledged(_:)``.
public final class PayloadChecker: Checker {
    private struct Progress {
        let pattern: PayloadPattern
        var received: UInt64 = 0
        var expected: StreamEnd?
        /// What the receiver knows of the end.
        var arrived: Arrival?
        /// What the sender knows of the end.
        var heard: Hearing?
        var isSettled = false
    }

    private enum Arrival: Equatable {
        case finished(size: UInt64)
        case reset(code: UInt64)
    }

    private enum Hearing: Equatable {
        case acknowledged
        case stopped(code: UInt64)
    }

    /// `payload`.
    public let name = "payload"
    private var streams: [StreamDirection: Progress] = [:]
    /// The directions in the order in which they came up: messages must not depend on a hash.
    private var order: [StreamDirection] = []
    /// How many announced directions of each connection have not ended.
    private var open: [UInt64: Int] = [:]
    private var released: Set<UInt64> = []
    /// The bytes found right so far.
    public private(set) var checkedBytes: UInt64 = 0

    /// A checker that has seen nothing.
    public init() {}

    // MARK: Expectations

    /// Announces a transfer, which must then be complete at the end of the run.
    public func expect(_ direction: StreamDirection, size: UInt64) {
        expect(direction, .complete(size: size))
    }

    /// Announces a direction of a stream and how it is to end, which it then must by the end of the run.
    public func expect(_ direction: StreamDirection, _ end: StreamEnd) {
        if !released.contains(direction.connection) { open[direction.connection, default: 0] += 1 }
        withProgress(of: direction) {
            $0.expected = end
            settle(direction, &$0)
        }
    }

    /// Gives up on a connection: what was announced on it need not come to its end. What comes must still be
    /// right.
    public func release(connection: UInt64) {
        released.insert(connection)
        open[connection] = 0
    }

    /// Whether every direction that was announced has ended.
    public var isComplete: Bool { open.values.allSatisfy { $0 == 0 } }

    /// Whether every direction that was announced on a connection has ended.
    public func isComplete(connection: UInt64) -> Bool { open[connection, default: 0] == 0 }

    // MARK: Judging

    /// Judges what an application was given or told.
    public func check(_ observation: Observation, from host: HostID, at time: Instant) -> String? {
        switch observation {
        case .received(let direction, let offset, let bytes):
            return withProgress(of: direction) { receive(offset, bytes, direction, &$0) }
        case .finished(let direction, let size):
            return arrive(.finished(size: size), direction)
        case .reset(let direction, let code): return arrive(.reset(code: code), direction)
        case .acknowledged(let direction): return hear(.acknowledged, direction)
        case .stopped(let direction, let code): return hear(.stopped(code: code), direction)
        default: return nil
        }
    }

    private func receive(
        _ offset: UInt64, _ bytes: UnsafeRawBufferPointer, _ direction: StreamDirection,
        _ progress: inout Progress
    ) -> String? {
        defer { progress.received = max(progress.received, offset + UInt64(bytes.count)) }
        if progress.arrived != nil, !bytes.isEmpty { return "\(direction): bytes at \(offset) after its end" }
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

    private func arrive(_ arrival: Arrival, _ direction: StreamDirection) -> String? {
        withProgress(of: direction) { progress in
            if progress.arrived != nil { return "\(direction): finished twice" }
            progress.arrived = arrival
            defer { settle(direction, &progress) }
            if case .finished(let size) = arrival, size != progress.received {
                return "\(direction): finished at \(size) after \(progress.received) B were delivered"
            }
            return progress.expected.flatMap { judge(arrival, $0) }.map { "\(direction): \($0)" }
        }
    }

    private func hear(_ hearing: Hearing, _ direction: StreamDirection) -> String? {
        withProgress(of: direction) { progress in
            if progress.heard != nil { return "\(direction): its sender was told of its end twice" }
            progress.heard = hearing
            defer { settle(direction, &progress) }
            return progress.expected.flatMap { judge(hearing, $0, progress) }.map { "\(direction): \($0)" }
        }
    }

    private func judge(_ arrival: Arrival, _ expected: StreamEnd) -> String? {
        switch arrival {
        case .finished(let size):
            guard let sent = expected.size else { return "finished at \(size), but it was reset" }
            return size == sent ? nil : "finished at \(size), \(sent) B were sent"
        case .reset(let code):
            guard let sent = expected.resetCode else { return "reset with \(code), which nobody did" }
            return code == sent ? nil : "reset with \(code), not with \(sent)"
        }
    }

    private func judge(_ hearing: Hearing, _ expected: StreamEnd, _ progress: Progress) -> String? {
        switch hearing {
        case .stopped(let code):
            guard let asked = expected.stopCode else { return "stopped with \(code), which nobody asked for" }
            return code == asked ? nil : "stopped with \(code), not with \(asked)"
        case .acknowledged:
            // Applications read what comes at once, so what was acknowledged has been read.
            guard case .complete = expected, progress.arrived == nil else { return nil }
            return "acknowledged when \(progress.received) B of it were delivered"
        }
    }

    /// Sees whether a direction has come to its end.
    private func settle(_ direction: StreamDirection, _ progress: inout Progress) {
        guard let expected = progress.expected, !progress.isSettled else { return }
        progress.isSettled = expected.stopCode == nil ? progress.arrived != nil : progress.heard != nil
        if progress.isSettled, !released.contains(direction.connection) {
            open[direction.connection, default: 0] -= 1
        }
    }

    // MARK: The end

    /// Every announced direction has ended, and as it was to.
    public func checkEnd(at time: Instant) -> [String] {
        order.compactMap { direction in
            guard let progress = streams[direction], let expected = progress.expected,
                !released.contains(direction.connection)
            else { return nil }
            return lastWord(progress, expected).map { "\(direction): \($0)" }
        }
    }

    /// What was told before it was announced could not be judged then.
    private func lastWord(_ progress: Progress, _ expected: StreamEnd) -> String? {
        if let fault = progress.arrived.flatMap({ judge($0, expected) }) { return fault }
        if case .stopped? = progress.heard, let fault = judge(progress.heard!, expected, progress) {
            return fault
        }
        if progress.isSettled { return nil }
        if expected.stopCode != nil { return "its sender was not told that it is to stop" }
        guard let size = expected.size else { return "its receiver was not told that it was reset" }
        return "\(progress.received) of \(size) B were delivered, and not its end"
    }

    private func withProgress<Result>(
        of direction: StreamDirection, _ body: (inout Progress) -> Result
    ) -> Result {
        if streams[direction] == nil { order.append(direction) }
        return body(&streams[direction, default: Progress(pattern: PayloadPattern(direction))])
    }
}
