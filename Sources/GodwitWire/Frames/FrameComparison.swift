/// Frames are equal when they say the same, wherever their bytes lie.
extension Frame: Equatable {
    /// Compares content, byte by byte where it is a view.
    public static func == (lhs: Frame, rhs: Frame) -> Bool {
        switch (lhs, rhs) {
        case (.padding(let left), .padding(let right)): left == right
        case (.ping, .ping), (.handshakeDone, .handshakeDone): true
        case (.ack(let left), .ack(let right)): left == right
        case (.resetStream(let left), .resetStream(let right)): left == right
        case (.stopSending(let left), .stopSending(let right)): left == right
        case (.crypto(let left), .crypto(let right)): left == right
        case (.stream(let left), .stream(let right)): left == right
        case (.newToken(let left), .newToken(let right)): left.elementsEqual(right)
        case (.datagram(let left), .datagram(let right)): left.elementsEqual(right)
        case (.connectionClose(let left), .connectionClose(let right)): left == right
        case (.newConnectionID(let left), .newConnectionID(let right)): left == right
        default: lhs.type == rhs.type && lhs.integers == rhs.integers
        }
    }

    /// The fields of the frames that have no structure of their own.
    private var integers: [UInt64] {
        switch self {
        case .maxData(let value), .dataBlocked(let value), .retireConnectionID(let value),
            .maxStreams(_, let value), .streamsBlocked(_, let value), .pathChallenge(let value),
            .pathResponse(let value):
            [value]
        case .maxStreamData(let id, let value), .streamDataBlocked(let id, let value): [id.rawValue, value]
        default: []
        }
    }
}

extension AckFrame: Equatable {
    /// Compares ranges, delay and counts, not how they are encoded.
    public static func == (lhs: AckFrame, rhs: AckFrame) -> Bool {
        lhs.encodedDelay == rhs.encodedDelay && lhs.ecn == rhs.ecn && lhs.ranges.elementsEqual(rhs.ranges)
    }
}

extension CryptoFrame: Equatable {
    /// Compares the offset and the bytes of the data.
    public static func == (lhs: CryptoFrame, rhs: CryptoFrame) -> Bool {
        lhs.offset == rhs.offset && lhs.data.elementsEqual(rhs.data)
    }
}

extension StreamFrame: Equatable {
    /// Compares all fields and the bytes of the data.
    public static func == (lhs: StreamFrame, rhs: StreamFrame) -> Bool {
        lhs.id == rhs.id && lhs.offset == rhs.offset && lhs.fin == rhs.fin && lhs.data.elementsEqual(rhs.data)
    }
}

extension ConnectionCloseFrame: Equatable {
    /// Compares all fields and the bytes of the reason.
    public static func == (lhs: ConnectionCloseFrame, rhs: ConnectionCloseFrame) -> Bool {
        lhs.isApplication == rhs.isApplication && lhs.errorCode == rhs.errorCode
            && lhs.frameType == rhs.frameType && lhs.reason.elementsEqual(rhs.reason)
    }
}
