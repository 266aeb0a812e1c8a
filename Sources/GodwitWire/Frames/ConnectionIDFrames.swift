/// A NEW_CONNECTION_ID frame (RFC 9000 section 19.15).
@frozen
public struct NewConnectionIDFrame: Hashable, Sendable {
    /// The number that the sender gave the connection id.
    public var sequenceNumber: UInt64
    /// Connection ids numbered below this are to be retired; at most ``sequenceNumber``.
    public var retirePriorTo: UInt64
    /// The connection id, of 1 to 20 bytes.
    public var id: ConnectionID
    /// The token of a stateless reset of this connection id.
    public var resetToken: StatelessResetToken

    /// A frame that gives the peer `id`.
    @inlinable
    public init(
        sequenceNumber: UInt64, retirePriorTo: UInt64, id: ConnectionID, resetToken: StatelessResetToken
    ) {
        self.sequenceNumber = sequenceNumber
        self.retirePriorTo = retirePriorTo
        self.id = id
        self.resetToken = resetToken
    }
}

extension NewConnectionIDFrame {
    static func decode(from reader: inout ByteReader) throws(TransportError) -> NewConnectionIDFrame {
        let type = FrameType.newConnectionID
        let sequenceNumber = try reader.varint(of: type)
        let retirePriorTo = try reader.varint(of: type)
        guard retirePriorTo <= sequenceNumber else {
            throw .malformedFrame("Retire Prior To is above the sequence number", type: type)
        }
        guard let length = reader.readUInt8() else { throw .cutOffFrame(type: type) }
        guard 1...UInt8(ConnectionID.maxLength) ~= length else {
            throw .malformedFrame("the connection id has not 1 to 20 bytes", type: type)
        }
        guard let id = reader.readConnectionID(length: Int(length)), let token = reader.readResetToken()
        else {
            throw .cutOffFrame(type: type)
        }
        return NewConnectionIDFrame(
            sequenceNumber: sequenceNumber, retirePriorTo: retirePriorTo, id: id, resetToken: token)
    }

    /// How many bytes ``encode(into:)`` writes.
    public var encodedSize: Int {
        1 + VariableLengthInteger.size(sequenceNumber) + VariableLengthInteger.size(retirePriorTo)
            + 1 + id.length + StatelessResetToken.length
    }

    /// Writes the frame. The caller has checked that ``encodedSize`` bytes fit.
    public func encode(into writer: inout ByteWriter) {
        writer.writeVarint(FrameType.newConnectionID)
        writer.writeVarint(sequenceNumber)
        writer.writeVarint(retirePriorTo)
        writer.writeLengthPrefixedConnectionID(id)
        writer.writeResetToken(resetToken)
    }
}
