import GodwitWire

/// The transport parameters of a captured run, cut out of its TLS messages.
struct CapturedParameters {
    private(set) var bytes: [Role: [UInt8]] = [:]
    /// The TLS extension that they stood in.
    private(set) var codePoints: Set<UInt16> = []

    private static let clientHello: UInt8 = 1
    private static let encryptedExtensions: UInt8 = 8

    /// The code point of RFC 9001 section 8.2, and that of the drafts before it.
    private static let knownCodePoints: Set<UInt16> = [0x0039, 0xffa5]

    init(_ packets: [OpenedPacket]) throws {
        for packet in packets where packet.level == .initial || packet.level == .handshake {
            try packet.forEachFrame { frame in
                // All messages of interest begin the handshake bytes of their level.
                guard case .plain(.crypto(let crypto)) = frame.content, crypto.offset == 0 else { return }
                readMessage(ByteReader(crypto.data), of: packet.sender)
            }
        }
    }

    private mutating func readMessage(_ reader: ByteReader, of sender: Role) {
        var reader = reader
        guard let type = reader.readUInt8(), let length = reader.readUInt24(),
            let body = reader.readBytes(length)
        else { return }
        var message = ByteReader(body)
        switch type {
        case Self.clientHello: skipToExtensions(&message)
        case Self.encryptedExtensions: break
        default: return
        }
        readExtensions(&message, of: sender)
    }

    /// Passes over version, random, session id, cipher suites and compression methods (RFC 8446 section
    /// 4.1.2).
    private func skipToExtensions(_ reader: inout ByteReader) {
        _ = reader.readBytes(34)
        _ = reader.readUInt8().map { reader.readBytes(Int($0)) }
        _ = reader.readInteger(UInt16.self).map { reader.readBytes(Int($0)) }
        _ = reader.readUInt8().map { reader.readBytes(Int($0)) }
    }

    private mutating func readExtensions(_ reader: inout ByteReader, of sender: Role) {
        _ = reader.readInteger(UInt16.self)
        while let type = reader.readInteger(UInt16.self), let length = reader.readInteger(UInt16.self),
            let value = reader.readBytes(Int(length))
        {
            guard Self.knownCodePoints.contains(type) else { continue }
            bytes[sender] = Array(value)
            codePoints.insert(type)
        }
    }
}

extension ByteReader {
    fileprivate mutating func readUInt24() -> Int? {
        guard let high = readUInt8(), let low = readInteger(UInt16.self) else { return nil }
        return Int(high) << 16 | Int(low)
    }
}
