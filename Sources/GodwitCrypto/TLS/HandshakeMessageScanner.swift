/// Finds the types of the handshake messages in a stream of CRYPTO bytes (RFC 8446 section 4), whatever
/// pieces it comes in.
struct HandshakeMessageScanner {
    /// What a message may be that has no place in QUIC after the handshake.
    static let certificateRequest: UInt8 = 13
    static let keyUpdate: UInt8 = 24

    /// The header's bytes that have come, at the top once it is whole: the type and a length of three bytes.
    private var header: UInt32 = 0
    private var headerCount = 0
    private var bodyLeft = 0

    /// The types of the messages that begin in these bytes.
    mutating func scan(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var types: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bodyLeft > 0 {
                let skipped = min(bodyLeft, bytes.count - index)
                bodyLeft -= skipped
                index += skipped
            } else {
                if headerCount == 0 { types.append(bytes[index]) }
                take(bytes[index])
                index += 1
            }
        }
        return types
    }

    private mutating func take(_ byte: UInt8) {
        header = header << 8 | UInt32(byte)
        headerCount += 1
        guard headerCount == 4 else { return }
        bodyLeft = Int(header & 0xff_ffff)
        (header, headerCount) = (0, 0)
    }
}
