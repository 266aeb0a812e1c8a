public import GodwitWire

/// What an application hears of its streams.
///
/// Events tell of changes, not of states: an event comes once, and again only after something else has
/// changed. At most one of a kind waits per stream.
public enum StreamEvent: Hashable, Sendable, Codable {
    /// The peer opened the stream. Comes before anything else about it, in the order of the ids.
    case opened(StreamID)
    /// More can be read, or the end of the stream was reached.
    case readable(StreamID)
    /// There is room again after a write that was not taken whole.
    case writable(StreamID)
    /// The peer reset the stream: what was not read is gone, and nothing more comes.
    case resetByPeer(StreamID, code: UInt64)
    /// The peer wants no more of the stream. What was not delivered is gone; the transport has answered.
    case stopSendingByPeer(StreamID, code: UInt64)
    /// Everything written up to the end of the stream was acknowledged.
    case finished(StreamID)
    /// More streams can be opened after an attempt that failed.
    case streamsAvailable(StreamID.Direction)
}

/// What a read did.
public struct StreamReadResult: Hashable, Sendable {
    /// How many bytes were consumed.
    public var consumed: Int
    /// How many more bytes can be read at once.
    public var remaining: Int
    /// The end of the stream was reached and everything before it was consumed. Nothing more comes.
    public var isFinished: Bool
}
