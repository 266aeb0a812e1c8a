import GodwitCore
import GodwitWire

/// The streams of one end of a connection: sends patterns as fast as the transport takes them, and shows what
/// comes to the checkers.
struct PatternTraffic {
    private struct Outgoing {
        let pattern: PayloadPattern
        let size: UInt64
        var written: UInt64 = 0
    }

    let connection: UInt64
    let role: Role
    private var outgoing: [StreamID: Outgoing] = [:]
    private var received: [StreamID: UInt64] = [:]
    /// The bytes of all streams that are over, either way.
    private(set) var sentTotal: UInt64 = 0
    private(set) var receivedTotal: UInt64 = 0

    /// Few enough that writing in pieces is exercised.
    private static var pieceSize: UInt64 { 8192 }

    init(connection: UInt64, role: Role) {
        self.connection = connection
        self.role = role
    }

    private func direction(_ stream: StreamID, sender: Role) -> StreamDirection {
        StreamDirection(connection: connection, stream: stream.rawValue, sender: sender)
    }

    // MARK: Sending

    mutating func send(_ size: UInt64, on stream: StreamID, of connection: SimulatedConnection) throws {
        outgoing[stream] = Outgoing(pattern: PayloadPattern(direction(stream, sender: role)), size: size)
        sentTotal += size
        try goOn(stream, of: connection)
    }

    /// Writes what the stream takes now.
    mutating func goOn(_ stream: StreamID, of connection: SimulatedConnection) throws {
        guard var transfer = outgoing[stream] else { return }
        while true {
            let end = min(transfer.size, transfer.written + Self.pieceSize)
            let piece = transfer.pattern.bytes(transfer.written..<end)
            let taken = try connection.write(piece, to: stream, fin: end == transfer.size)
            transfer.written += UInt64(taken)
            if taken < piece.count { break }
            guard end < transfer.size else {
                outgoing[stream] = nil
                return
            }
        }
        outgoing[stream] = transfer
    }

    // MARK: Receiving

    /// Reads all there is.
    /// - Returns: whether the stream has ended.
    mutating func receive(
        _ stream: StreamID, of connection: SimulatedConnection, reportingTo host: SimulatedHost
    ) throws -> Bool {
        let direction = direction(stream, sender: role.peer)
        var offset = received[stream, default: 0]
        let isFinished = try connection.read(from: stream) { bytes in
            host.report(.received(direction, offset: offset, bytes: bytes))
            offset += UInt64(bytes.count)
        }
        received[stream] = isFinished ? nil : offset
        guard isFinished else { return false }
        receivedTotal += offset
        host.report(.finished(direction, size: offset))
        return true
    }
}
