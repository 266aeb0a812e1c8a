/// A STREAM frame (RFC 9000 section 19.8).
@frozen
public struct StreamFrame {
    public var id: StreamID
    public var offset: UInt64
    public var data: UnsafeRawBufferPointer
    public var fin: Bool

    @inlinable
    public init(id: StreamID, offset: UInt64, data: UnsafeRawBufferPointer, fin: Bool) {
        self.id = id
        self.offset = offset
        self.data = data
        self.fin = fin
    }

    /// The offset behind the last byte. Decoding checks that it is at most 2^62 - 1.
    @inlinable
    public var endOffset: UInt64 { offset + UInt64(data.count) }
}

/// A RESET_STREAM frame (RFC 9000 section 19.4).
@frozen
public struct ResetStreamFrame: Hashable, Sendable {
    public var id: StreamID
    public var errorCode: UInt64
    public var finalSize: UInt64

    @inlinable
    public init(id: StreamID, errorCode: UInt64, finalSize: UInt64) {
        self.id = id
        self.errorCode = errorCode
        self.finalSize = finalSize
    }
}

/// A STOP_SENDING frame (RFC 9000 section 19.5).
@frozen
public struct StopSendingFrame: Hashable, Sendable {
    public var id: StreamID
    public var errorCode: UInt64

    @inlinable
    public init(id: StreamID, errorCode: UInt64) {
        self.id = id
        self.errorCode = errorCode
    }
}
