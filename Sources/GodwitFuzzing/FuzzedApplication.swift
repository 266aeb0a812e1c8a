import GodwitCore
import GodwitWire

/// What uses a connection: reads, answers, and does what a script says.
struct FuzzedApplication {
    var readsSlowly = false
    /// How much it writes of its own accord, on a stream of each direction, once the handshake is complete.
    var appetite = 0
    private var streams: [StreamID] = []

    mutating func handle(_ event: EndpointEvent, at endpoint: Endpoint, now: Instant) {
        guard case .connection(let handle, let event) = event, let connection = endpoint.connection(handle)
        else {
            return
        }
        switch event {
        case .handshakeCompleted where appetite > 0:
            open(.bidirectional, on: connection)
            open(.unidirectional, on: connection)
        case .stream(.opened(let id)):
            remember(id)
            if id.direction == .bidirectional { write(100, to: id, on: connection) }
        case .stream(.readable(let id)): read(id, connection, now: now)
        case .datagramsReadable: while connection.readDatagram() != nil {}
        default: break
        }
    }

    private mutating func open(_ direction: StreamID.Direction, on connection: Connection) {
        guard let id = connection.openStream(direction) else { return }
        remember(id)
        write(appetite, to: id, on: connection)
    }

    private mutating func remember(_ id: StreamID) {
        if streams.count == 16 { streams.removeFirst() }
        streams.append(id)
    }

    private func write(_ count: Int, to id: StreamID, on connection: Connection, fin: Bool = false) {
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count)
        _ = try? bytes.withUnsafeBytes { try connection.write($0, to: id, fin: fin) }
    }

    private func read(_ id: StreamID, _ connection: Connection, now: Instant) {
        let limit = readsSlowly ? 100 : Int.max
        _ = try? connection.read(from: id, now: now) { min($0.count, limit) }
    }

    /// Does one of the things that applications do, to every connection of the endpoint.
    mutating func act(_ choice: UInt8, at endpoint: Endpoint, bytes: UnsafeRawBufferPointer, now: Instant) {
        for handle in endpoint.connectionHandles {
            guard let connection = endpoint.connection(handle) else { continue }
            let first = bytes.first ?? 0
            let id = streams.isEmpty ? StreamID(rawValue: UInt64(first)) : streams[Int(first) % streams.count]
            use(connection, choice, id, bytes, now: now)
        }
    }

    private mutating func use(
        _ connection: Connection, _ choice: UInt8, _ id: StreamID, _ bytes: UnsafeRawBufferPointer,
        now: Instant
    ) {
        switch choice % 12 {
        case 0: open(.bidirectional, on: connection)
        case 1: open(.unidirectional, on: connection)
        case 2: write(bytes.count * 64, to: id, on: connection)
        case 3: write(bytes.count, to: id, on: connection, fin: true)
        case 4: try? connection.reset(id, code: UInt64(choice))
        case 5: try? connection.stopSending(id, code: UInt64(choice))
        case 6: read(id, connection, now: now)
        case 7: try? connection.sendDatagram(bytes)
        case 8: connection.updateKeys()
        case 9:
            _ = connection.migrate(toLocal: Self.elsewhere(choice, from: connection.localAddress), now: now)
        case 10: connection.ping()
        default: if choice > 200 { connection.close(code: 7, reason: "enough", now: now) }
        }
    }

    static func elsewhere(_ choice: UInt8, from address: NetworkAddress) -> NetworkAddress {
        NetworkAddress(
            ip: IPAddress(v4: 0xc000_0200 | UInt32(choice & 7)), port: 50_000 + UInt16(choice >> 4))
    }
}
