internal import GodwitWire

/// A handshake message of the stand-in: type, length, and a body that is padded with zeros to the size that
/// BoringSSL's message of the kind has.
struct StandInMessage {
    /// The numbers of TLS (RFC 8446 section 4).
    enum Kind: UInt8 {
        case clientHello = 1
        case serverHello = 2
        case newSessionTicket = 4
        case encryptedExtensions = 8
        case certificate = 11
        case certificateVerify = 15
        case finished = 20
    }

    static let headerLength = 4

    let kind: Kind
    let bytes: [UInt8]

    var body: ArraySlice<UInt8> { bytes[Self.headerLength...] }

    /// - Parameter paddedTo: the length of the whole message, if its fields are not longer.
    init(_ kind: Kind, _ fields: [[UInt8]], paddedTo length: Int = 0) {
        var body: [UInt8] = []
        for field in fields {
            body.appendInteger(UInt64(field.count), byteCount: 2)
            body += field
        }
        body += [UInt8](repeating: 0, count: max(0, length - Self.headerLength - body.count))
        var bytes = [kind.rawValue]
        bytes.appendInteger(UInt64(body.count), byteCount: 3)
        self.kind = kind
        self.bytes = bytes + body
    }

    fileprivate init(kind: Kind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    /// The first fields of the body.
    func fields(_ count: Int) throws(HandshakeFailure) -> [[UInt8]] {
        var fields: [[UInt8]] = []
        var rest = body
        for _ in 0..<count {
            let length = rest.count < 2 ? Int.max : Int(rest.prefix(2).networkInteger)
            guard length <= rest.count - 2 else {
                throw HandshakeFailure(alert: 50, reason: "a damaged message")
            }
            rest = rest.dropFirst(2)
            fields.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return fields
    }
}

/// Cuts the CRYPTO bytes of a level into messages.
struct StandInMessageBuffer {
    private static let limit = 16_384

    private var bytes: [UInt8] = []

    var isEmpty: Bool { bytes.isEmpty }

    mutating func append(_ new: UnsafeRawBufferPointer) throws(HandshakeFailure) {
        guard bytes.count + new.count <= Self.limit else {
            throw HandshakeFailure(code: .cryptoBufferExceeded, reason: "too many handshake bytes at once")
        }
        bytes += new
    }

    /// The next whole message.
    mutating func next() throws(HandshakeFailure) -> StandInMessage? {
        guard bytes.count >= StandInMessage.headerLength else { return nil }
        guard let kind = StandInMessage.Kind(rawValue: bytes[0]) else {
            throw HandshakeFailure(alert: 10, reason: "a message of unknown type \(bytes[0])")
        }
        let length = StandInMessage.headerLength + Int(bytes[1..<4].networkInteger)
        guard length <= Self.limit else { throw HandshakeFailure(alert: 50, reason: "a message too long") }
        guard bytes.count >= length else { return nil }
        defer { bytes.removeFirst(length) }
        return StandInMessage(kind: kind, bytes: Array(bytes[..<length]))
    }
}
