import GodwitCore
import GodwitWire

/// Tells a network's checkers, and its trace, what an endpoint's packets hold.
final class PacketMonitor: PacketObserver {
    private let host: SimulatedHost
    private unowned let program: EndpointProgram
    private unowned let endpoint: Endpoint
    /// Whether the same seed gives the same bytes in every frame, or only frames of the same kinds and sizes.
    private let seesWholePayloads: Bool
    private let scrutiny: EndpointSettings.Scrutiny
    private var packets: UInt64 = 0
    private var deadlines: UInt64 = 0
    private var lastOpened: [ConnectionHandle: Instant] = [:]

    /// Measuring walks over every stream, so it is done for some packets and deadlines only.
    private static var packetsPerMeasurement: UInt64 { 64 }
    private static var deadlinesPerMeasurement: UInt64 { 8 }

    init(program: EndpointProgram, endpoint: Endpoint) {
        self.host = program.host
        self.program = program
        self.endpoint = endpoint
        seesWholePayloads = program.settings.handshake.isRepeatable
        scrutiny = program.settings.scrutiny
    }

    func onSealed(_ packet: SealedPacket) {
        host.report(.sealed(key: packet.key, packetNumber: packet.number))
    }

    func onOpened(_ packet: OpenedPacket) {
        guard scrutiny == .everything else { return }
        var hash = TraceHash()
        hash.combine(UInt64(packet.level.rawValue))
        hash.combine(packet.number)
        if seesWholePayloads { hash.combine(packet.payload) } else { hash.combine(frames: packet) }
        host.trace(hash.value)
        packets += 1
        lastOpened[packet.connection] = program.now
        if packets % Self.packetsPerMeasurement == 0 { measure(packet.connection) }
    }

    func onAddressValidated(_ remote: NetworkAddress, of connection: ConnectionHandle) {
        host.report(.addressValidated(remote))
    }

    /// How long ago the last packet of a connection came, where everything is watched.
    func silence(of connection: ConnectionHandle) -> TimeSpan {
        program.now - (lastOpened[connection] ?? .zero)
    }

    func onDeadline() {
        guard scrutiny == .everything else { return }
        deadlines += 1
        guard deadlines % Self.deadlinesPerMeasurement == 0 else { return }
        for handle in endpoint.connectionHandles { measure(handle) }
    }

    private func measure(_ handle: ConnectionHandle) {
        for one in endpoint.connection(handle)?.measurements ?? [] {
            host.report(.measured(one.name, value: UInt64(max(0, one.value)), bound: UInt64(one.bound)))
        }
    }
}

extension TraceHash {
    /// The kinds of the frames and the bytes they take.
    fileprivate mutating func combine(frames packet: OpenedPacket) {
        var reader = ByteReader(packet.payload)
        while !reader.isAtEnd {
            guard let frame = try? Frame.decode(&reader, at: packet.level) else { return }
            combine(frame.type)
            combine(UInt64(reader.remaining))
        }
    }
}
