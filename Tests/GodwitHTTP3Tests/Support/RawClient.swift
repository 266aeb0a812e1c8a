import Godwit
import GodwitHTTP3
import GodwitQPACK
import NIOCore

/// A client that writes the bytes of HTTP/3 by itself, and can break its rules.
struct RawClient: Sendable {
    let connection: QUICConnection

    /// Connects, sends empty SETTINGS, and runs `body`.
    static func connect<Result: Sendable>(
        to pair: HTTP3Pair, _ body: @Sendable (RawClient) async throws -> Result
    ) async throws -> Result {
        let connection = try await QUICConnection.connect(
            to: pair.host, port: pair.port, configuration: pair.client.quic, eventLoopGroup: pair.group)
        let control = try await connection.openUnidirectionalStream()
        try await control.write([0x00, 0x04, 0x00])
        let result = try await body(RawClient(connection: connection))
        await control.reset(code: 0)
        await connection.close(code: HTTP3ErrorCode.noError.rawValue)
        return result
    }

    /// A HEADERS frame with a GET request, in the fields of QPACK's static table and one literal field.
    func get(fieldSize: Int) -> [UInt8] {
        // Required Insert Count 0, Base 0; :method GET, :scheme https, :path /; :authority with a literal
        // value.
        var section: [UInt8] = [0x00, 0x00, 0xd1, 0xd7, 0xc1, 0x50, 0x01, 0x61]
        section +=
            [0x21, 0x78] + Self.prefixed(fieldSize, bits: 7) + [UInt8](repeating: 0x79, count: fieldSize)
        return [0x01] + Self.varint(section.count) + section
    }

    /// A HEADERS frame with a POST request.
    var post: [UInt8] { [0x01, 0x08, 0x00, 0x00, 0xd4, 0xd7, 0xc1, 0x50, 0x01, 0x61] }

    /// Sends a request and returns the status of the answer.
    func status(of request: [UInt8]) async throws -> Int? {
        let stream = try await connection.openStream()
        try await stream.write(request, finish: true)
        var answer = try await stream.collect(upTo: 10_000)
        guard answer.readInteger() == UInt8(1), var length: UInt8 = answer.readInteger() else { return nil }
        if length & 0x40 != 0 { length = answer.readInteger() ?? 0 }
        // Our SETTINGS leave no dynamic table to use.
        var decoder = QPACKDecoder(
            maximumTableCapacity: 0, maximumBlockedStreams: 0, maximumFieldSectionSize: 10_000)
        var section = FieldSection()
        _ = try answer.readBytes(length: Int(length))?.withUnsafeBytes {
            try decoder.decode($0, stream: stream.id.rawValue, into: &section)
        }
        return section.first { $0.nameIs(":status") }.flatMap { Int($0.value) }
    }

    private static func prefixed(_ value: Int, bits: Int) -> [UInt8] {
        let full = 1 << bits - 1
        if value < full { return [UInt8(value)] }
        var (rest, bytes) = (value - full, [UInt8(full)])
        while rest >= 128 {
            bytes.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func varint(_ value: Int) -> [UInt8] {
        value < 64 ? [UInt8(value)] : [UInt8(value >> 8 | 0x40), UInt8(value & 0xff)]
    }
}
