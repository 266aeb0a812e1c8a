/// A stream id (RFC 9000 section 2.1).
@frozen
public struct StreamID: RawRepresentable, Hashable, Sendable, Codable {
    /// The id as frames carry it, at most 2^62 - 1.
    public var rawValue: UInt64

    /// The stream with that id.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// How many streams of a kind there can be; one more would have an id that no frame can carry (RFC 9000
    /// section 4.6).
    @inlinable
    public static var maxCount: UInt64 { 1 << 60 }

    /// Whether data flows both ways or only from the initiator.
    @frozen
    public enum Direction: UInt8, Hashable, Sendable, Codable, CaseIterable {
        case bidirectional = 0
        case unidirectional = 2
    }

    /// The `index`-th stream (from 0) that `initiator` opens in that direction.
    @inlinable
    public init(index: UInt64, direction: Direction, initiator: Role) {
        self.rawValue = index << 2 | UInt64(direction.rawValue) | (initiator == .server ? 1 : 0)
    }

    /// Which side opens the stream.
    @inlinable
    public var initiator: Role { rawValue & 1 == 0 ? .client : .server }
    /// Whether data flows both ways.
    @inlinable
    public var direction: Direction { rawValue & 2 == 0 ? .bidirectional : .unidirectional }
    /// The position among the streams of its kind, from 0.
    @inlinable
    public var index: UInt64 { rawValue >> 2 }
}

extension StreamID: Comparable {
    /// Whether `lhs` is the lower number.
    @inlinable
    public static func < (lhs: StreamID, rhs: StreamID) -> Bool { lhs.rawValue < rhs.rawValue }
}

extension StreamID: CustomStringConvertible {
    /// The decimal number.
    public var description: String { String(rawValue) }
}
