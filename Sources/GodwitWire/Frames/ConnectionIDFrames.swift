/// The 16 bytes that prove a stateless reset (RFC 9000 section 10.3).
@frozen
public struct StatelessResetToken: Hashable, Sendable, Codable {
    public var high: UInt64
    public var low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static let length = 16

    /// Compares without a data-dependent branch (RFC 9000 section 10.3.1).
    @inlinable
    public static func == (lhs: StatelessResetToken, rhs: StatelessResetToken) -> Bool {
        (lhs.high ^ rhs.high) | (lhs.low ^ rhs.low) == 0
    }
}

/// A NEW_CONNECTION_ID frame (RFC 9000 section 19.15).
@frozen
public struct NewConnectionIDFrame: Hashable, Sendable {
    public var sequenceNumber: UInt64
    public var retirePriorTo: UInt64
    public var id: ConnectionID
    public var resetToken: StatelessResetToken

    @inlinable
    public init(sequenceNumber: UInt64, retirePriorTo: UInt64, id: ConnectionID, resetToken: StatelessResetToken) {
        self.sequenceNumber = sequenceNumber
        self.retirePriorTo = retirePriorTo
        self.id = id
        self.resetToken = resetToken
    }
}
