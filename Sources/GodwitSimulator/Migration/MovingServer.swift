import GodwitCore
import GodwitWire

/// Answers every request with as many bytes as it asks for, and checks what comes in.
final class MovingServer: EndpointApplication {
    private struct Key: Hashable {
        var connection: ConnectionHandle
        var stream: StreamID
    }

    private struct Exchange {
        var received: UInt64 = 0
        var header: [UInt8] = []
        var isAsked = false
        var wanted: UInt64 = 0
        var sent: UInt64 = 0
    }

    private var exchanges: [Key: Exchange] = [:]
    /// By what both ends call the connection.
    private(set) var bytesChecked: [UInt64: UInt64] = [:]
    private(set) var damaged: Set<UInt64> = []
    /// From when on to look for data.
    var watchesFrom = Instant.distantFuture
    /// When the first data came since that has no end, on the network's clock.
    private(set) var resumedAt: [UInt64: Instant] = [:]

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        switch event {
        case .stream(.readable(let stream)):
            let isEndless = read(stream, connection)
            if isEndless { watch(connection, program) }
        case .stream(.writable(let stream)): answer(stream, connection)
        default: break
        }
    }

    private func watch(_ connection: SimulatedConnection, _ program: EndpointProgram) {
        let now = program.host.networkTime
        guard now >= watchesFrom, resumedAt[connection.number] == nil else { return }
        resumedAt[connection.number] = now
    }

    /// Whether the stream is one without an end.
    private func read(_ stream: StreamID, _ connection: SimulatedConnection) -> Bool {
        let key = Key(connection: connection.handle, stream: stream)
        var exchange = exchanges[key] ?? Exchange()
        var isIntact = true
        let before = exchange.received
        let isFinished = try? connection.read(from: stream) { view in
            isIntact = isIntact && Self.take(view, stream, &exchange)
        }
        bytesChecked[connection.number, default: 0] += exchange.received - before
        if !isIntact { damaged.insert(connection.number) }
        // What is bulk is answered while it comes; a request when it is complete.
        if exchange.header.count == MovePattern.headerSize { exchange.isAsked = true }
        exchanges[key] = exchange
        answer(stream, connection, isFinished: isFinished ?? false)
        return exchange.isAsked && (exchange.wanted == 0 || exchange.wanted == MovePattern.endlessSize)
    }

    private static func take(
        _ view: UnsafeRawBufferPointer, _ stream: StreamID, _ exchange: inout Exchange
    ) -> Bool {
        var rest = view[...]
        while exchange.header.count < MovePattern.headerSize, let byte = rest.popFirst() {
            exchange.header.append(byte)
            exchange.received += 1
        }
        if exchange.header.count == MovePattern.headerSize, exchange.wanted == 0 {
            exchange.wanted = exchange.header.reduce(0) { $0 << 8 | UInt64($1) }
        }
        let body = UnsafeRawBufferPointer(rebasing: rest)
        let fits = MovePattern(stream, sender: .client).fits(body, from: exchange.received)
        exchange.received += UInt64(body.count)
        return fits
    }

    private func answer(_ stream: StreamID, _ connection: SimulatedConnection, isFinished: Bool = false) {
        let key = Key(connection: connection.handle, stream: stream)
        guard var exchange = exchanges[key], exchange.isAsked else { return }
        let pattern = MovePattern(stream, sender: .server)
        while exchange.sent < exchange.wanted {
            let count = Int(min(exchange.wanted - exchange.sent, MovePattern.portion))
            let bytes = pattern.bytes(from: exchange.sent, count: count)
            let isLast = exchange.sent + UInt64(count) == exchange.wanted
            guard let taken = try? connection.write(bytes, to: stream, fin: isLast), taken > 0 else { break }
            exchange.sent += UInt64(taken)
        }
        exchanges[key] = exchange.sent == exchange.wanted && isFinished ? nil : exchange
    }
}
