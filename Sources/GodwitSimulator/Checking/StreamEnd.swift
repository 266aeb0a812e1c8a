/// How one direction of a stream is to end (RFC 9000 section 3), for a ``PayloadChecker``.
public enum StreamEnd: Hashable, Sendable {
    /// The receiver gets all of so many bytes and the end behind them.
    case complete(size: UInt64)
    /// The sender gives the stream up before its end, and the receiver learns of it.
    case reset(code: UInt64)
    /// The sender gives up a stream of so many bytes behind its end: the receiver gets all, or learns of it.
    case resetBehindEnd(size: UInt64, code: UInt64)
    /// The receiver wants no more of a stream of so many bytes: the sender learns of it, or that all has
    /// arrived.
    case stopped(size: UInt64, code: UInt64)

    /// The bytes in front of the end, where there is one.
    var size: UInt64? {
        switch self {
        case .complete(let size), .resetBehindEnd(let size, _), .stopped(let size, _): size
        case .reset: nil
        }
    }

    /// The code with which the sender gives up, if it may.
    var resetCode: UInt64? {
        switch self {
        case .reset(let code), .resetBehindEnd(_, let code): code
        case .complete, .stopped: nil
        }
    }

    /// The code with which the receiver stops the sender, if it may.
    var stopCode: UInt64? {
        if case .stopped(_, let code) = self { code } else { nil }
    }
}
