internal import GodwitWire

/// What a client keeps to resume a session, in the form in which a handshake gives it out and takes it back.
///
/// A client sends it to no other server, since it names it (RFC 8446 section 4.6.1).
public struct SessionTicket: Hashable, Sendable {
    /// The server that the session was with.
    public let serverName: String
    /// The application protocol of the session, which early data is of.
    public let applicationProtocol: String
    /// Whether the server may take early data.
    public let allowsEarlyData: Bool

    let session: [UInt8]

    private static let formatVersion: UInt8 = 1

    init(serverName: String, applicationProtocol: String, allowsEarlyData: Bool, session: [UInt8]) {
        self.serverName = serverName
        self.applicationProtocol = applicationProtocol
        self.allowsEarlyData = allowsEarlyData
        self.session = session
    }

    /// Nil if the bytes are none of ours.
    public init?(_ bytes: [UInt8]) {
        guard let ticket = bytes.withUnsafeBytes({ Self.read(ByteReader($0)) }) else { return nil }
        self = ticket
    }

    /// Whether the session was with the server of this name, in whatever case and with or without the dot
    /// that may end it.
    public func isFor(serverName name: String) -> Bool { serverName == Self.normalized(name) }

    /// A server's name in the form in which tickets name it.
    static func normalized(_ name: String) -> String {
        (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
    }

    /// The ticket as it is kept.
    public var bytes: [UInt8] {
        let name = Array(serverName.utf8)
        let applicationProtocol = Array(applicationProtocol.utf8)
        var bytes: [UInt8] = [Self.formatVersion, allowsEarlyData ? 1 : 0]
        for field in [name, applicationProtocol, session] {
            bytes.appendInteger(UInt64(field.count), byteCount: 4)
            bytes += field
        }
        return bytes
    }

    private static func read(_ whole: ByteReader) -> SessionTicket? {
        var reader = whole
        guard reader.readUInt8() == formatVersion, let flags = reader.readUInt8(), flags <= 1,
            let name = readField(&reader), let applicationProtocol = readField(&reader),
            let session = readField(&reader), reader.isAtEnd
        else { return nil }
        return SessionTicket(
            serverName: String(decoding: name, as: UTF8.self),
            applicationProtocol: String(decoding: applicationProtocol, as: UTF8.self),
            allowsEarlyData: flags == 1, session: [UInt8](session))
    }

    private static func readField(_ reader: inout ByteReader) -> UnsafeRawBufferPointer? {
        guard let length = reader.readInteger(UInt32.self) else { return nil }
        return reader.readBytes(Int(length))
    }
}
