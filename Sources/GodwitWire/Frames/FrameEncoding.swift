extension Frame {
    /// How many bytes ``encode(into:)`` writes.
    @inlinable
    public var encodedSize: Int {
        switch self {
        case .padding(let count): count
        case .ping, .handshakeDone: 1
        case .ack(let frame): frame.encodedSize
        case .crypto(let frame): frame.encodedSize
        case .stream(let frame): frame.encodedSize
        case .maxData(let value), .dataBlocked(let value), .retireConnectionID(let value),
            .maxStreams(_, let value), .streamsBlocked(_, let value):
            1 + VariableLengthInteger.size(value)
        case .maxStreamData(let id, let value), .streamDataBlocked(let id, let value):
            1 + VariableLengthInteger.size(id.rawValue) + VariableLengthInteger.size(value)
        case .resetStream(let frame): frame.encodedSize
        case .stopSending(let frame): frame.encodedSize
        case .newToken(let token): 1 + VariableLengthInteger.size(UInt64(token.count)) + token.count
        case .newConnectionID(let frame): frame.encodedSize
        case .pathChallenge, .pathResponse: 9
        case .connectionClose(let frame): frame.encodedSize
        case .datagram(let data): DatagramFrame.headerSize(length: data.count) + data.count
        }
    }

    /// Writes the frame with every integer in its shortest form and, where the type leaves the choice, with
    /// its length, so that another frame may follow.
    ///
    /// The caller has checked that ``encodedSize`` bytes fit.
    @inlinable
    public func encode(into writer: inout ByteWriter) {
        switch self {
        case .padding(let count): writer.writeZeros(count)
        case .ping, .handshakeDone: writer.writeVarint(type)
        case .ack(let frame): frame.encode(into: &writer)
        case .crypto(let frame): frame.encode(into: &writer)
        case .stream(let frame): frame.encode(into: &writer)
        case .maxData(let value), .dataBlocked(let value), .retireConnectionID(let value),
            .maxStreams(_, let value), .streamsBlocked(_, let value):
            writer.writeVarint(type)
            writer.writeVarint(value)
        case .maxStreamData(let id, let value), .streamDataBlocked(let id, let value):
            writer.writeVarint(type)
            writer.writeVarint(id.rawValue)
            writer.writeVarint(value)
        case .resetStream(let frame): frame.encode(into: &writer)
        case .stopSending(let frame): frame.encode(into: &writer)
        case .newToken(let token):
            writer.writeVarint(type)
            writer.writeLengthPrefixedBytes(token)
        case .newConnectionID(let frame): frame.encode(into: &writer)
        case .pathChallenge(let data), .pathResponse(let data):
            writer.writeVarint(type)
            writer.writeInteger(data)
        case .connectionClose(let frame): frame.encode(into: &writer)
        case .datagram(let data): DatagramFrame.encode(data, into: &writer)
        }
    }
}
