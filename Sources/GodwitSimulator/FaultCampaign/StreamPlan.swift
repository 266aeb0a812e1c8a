import GodwitWire

/// What is to happen on a stream of a workload.
struct StreamPlan {
    var direction: StreamID.Direction
    /// What the end sends that opens the stream.
    var request: DirectionPlan
    /// What the other end sends, on a bidirectional stream.
    var response: DirectionPlan?
    /// Whether the other end sends as soon as the stream appears, or when the request has ended.
    var respondsAtOnce = false

    /// What one end of the stream sends; nil for nothing.
    func sent(by sender: Role, opener: Role) -> DirectionPlan? { sender == opener ? request : response }
}

/// What is to happen on one direction of a stream: how many bytes go into it, and which end gives it up when.
enum DirectionPlan {
    case complete(size: UInt64)
    /// The sender gives up behind so many bytes, at once or later.
    case reset(after: UInt64, code: UInt64, delay: TimeSpan)
    /// The sender gives up when it has just written the end.
    case resetBehindEnd(size: UInt64, code: UInt64)
    /// The receiver wants no more when it has so many bytes.
    case stopped(size: UInt64, after: UInt64, code: UInt64)

    /// How many bytes the sender writes if nobody stops it.
    var size: UInt64 {
        switch self {
        case .complete(let size), .resetBehindEnd(let size, _), .stopped(let size, _, _): size
        case .reset(let size, _, _): size
        }
    }

    /// Whether the sender writes the end behind them.
    var hasEnd: Bool {
        if case .reset = self { false } else { true }
    }

    /// What a checker has to see.
    var end: StreamEnd {
        switch self {
        case .complete(let size): .complete(size: size)
        case .reset(_, let code, _): .reset(code: code)
        case .resetBehindEnd(let size, let code): .resetBehindEnd(size: size, code: code)
        case .stopped(let size, _, let code): .stopped(size: size, code: code)
        }
    }

    var isComplete: Bool {
        if case .complete = self { true } else { false }
    }
}

extension StreamPlan {
    /// A stream on which some end may give up, with up to so many bytes either way.
    static func draw(_ random: inout DeterministicRandom, bytes: Int) -> StreamPlan {
        let isBidirectional = random.chance(0.6)
        return StreamPlan(
            direction: isBidirectional ? .bidirectional : .unidirectional,
            request: .draw(&random, bytes: bytes),
            response: isBidirectional ? .draw(&random, bytes: bytes) : nil,
            respondsAtOnce: random.chance(0.5))
    }
}

extension DirectionPlan {
    fileprivate static func draw(_ random: inout DeterministicRandom, bytes: Int) -> DirectionPlan {
        let size = random.integer(in: 0...bytes)
        let part = UInt64(random.chance(0.2) ? 0 : random.integer(in: 0...size))
        let code = random.chance(0.1) ? VariableLengthInteger.max : UInt64(random.integer(in: 0...100_000))
        switch random.integer(in: 0...9) {
        case 0...3: return .complete(size: UInt64(size))
        case 4...6:
            let delay = random.chance(0.5) ? .zero : random.plannedSpan(.milliseconds(1), .milliseconds(800))
            return .reset(after: part, code: code, delay: delay)
        case 7: return .resetBehindEnd(size: UInt64(size), code: code)
        default: return .stopped(size: UInt64(size), after: part, code: code)
        }
    }
}
