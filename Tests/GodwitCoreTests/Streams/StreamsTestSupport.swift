import GodwitWire

@testable import GodwitCore

/// A packet as far as streams are concerned: its frames, and the records by which its fate is told.
struct TestPacket {
    var bytes: [UInt8]
    var records: SentFrameList

    /// The frames in words, for tests that look at what was sent.
    var frames: [String] {
        var frames: [String] = []
        forEachFrame { frames.append(describe($0)) }
        return frames
    }

    func forEachFrame(_ body: (Frame) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            while !reader.isAtEnd {
                guard let frame = try? Frame.decode(&reader) else {
                    fatalError("a frame that does not decode")
                }
                try body(frame)
            }
        }
    }

    private func describe(_ frame: Frame) -> String {
        switch frame {
        case .stream(let frame):
            "STREAM \(frame.id) \(frame.offset)..<\(frame.endOffset)\(frame.fin ? " FIN" : "")"
        case .resetStream(let frame):
            "RESET_STREAM \(frame.id) code \(frame.errorCode) size \(frame.finalSize)"
        case .stopSending(let frame): "STOP_SENDING \(frame.id) code \(frame.errorCode)"
        case .maxData(let limit): "MAX_DATA \(limit)"
        case .maxStreamData(let id, let limit): "MAX_STREAM_DATA \(id) \(limit)"
        case .maxStreams(let direction, let limit): "MAX_STREAMS \(direction) \(limit)"
        case .dataBlocked(let limit): "DATA_BLOCKED \(limit)"
        case .streamDataBlocked(let id, let limit): "STREAM_DATA_BLOCKED \(id) \(limit)"
        case .streamsBlocked(let direction, let limit): "STREAMS_BLOCKED \(direction) \(limit)"
        default: "\(frame)"
        }
    }
}

/// One end of a connection, as far as its streams go. A class, since the macros of tests can't mutate values.
@dynamicMemberLookup
final class StreamsEnd {
    var streams: Streams

    init(role: Role, limits: StreamLimits = StreamLimits()) { streams = Streams(role: role, limits: limits) }

    subscript<Value>(dynamicMember path: KeyPath<Streams, Value>) -> Value { streams[keyPath: path] }

    // MARK: Packets

    /// The next packet, or nil when there is nothing to send.
    func packet(size: Int = 1200) -> TestPacket? {
        var packet = TestPacket(bytes: [UInt8](repeating: 0, count: size), records: [])
        let count = packet.bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            streams.writeControlFrames(into: &writer, records: &packet.records)
            if streams.hasStreamDataToSend {
                streams.writeStreamFrames(into: &writer, records: &packet.records)
            }
            return writer.count
        }
        packet.bytes.removeSubrange(count...)
        return count == 0 ? nil : packet
    }

    /// All that can be sent now.
    func packets(size: Int = 1200) -> [TestPacket] {
        var packets: [TestPacket] = []
        while let packet = packet(size: size) { packets.append(packet) }
        return packets
    }

    /// The frames of all that can be sent now, in words.
    func frames(size: Int = 1200) -> [String] { packets(size: size).flatMap { $0.frames } }

    func receive(_ packet: TestPacket) throws { try packet.forEachFrame { try receive($0) } }

    func receive(_ frame: Frame) throws(TransportError) {
        switch frame {
        case .stream(let frame): try streams.receive(frame)
        case .resetStream(let frame): try streams.receive(frame)
        case .stopSending(let frame): try streams.receive(frame)
        case .maxData(let limit): try streams.receiveMaxData(limit)
        case .maxStreamData(let id, let limit): try streams.receiveMaxStreamData(id, limit)
        case .maxStreams(let direction, let limit): try streams.receiveMaxStreams(direction, limit)
        case .dataBlocked(let limit): try streams.receiveDataBlocked(limit)
        case .streamDataBlocked(let id, let limit): try streams.receiveStreamDataBlocked(id, limit)
        case .streamsBlocked(let direction, let limit): try streams.receiveStreamsBlocked(direction, limit)
        default: break
        }
    }

    func receiveStream(_ id: StreamID, _ offset: UInt64, _ bytes: [UInt8], fin: Bool = false) throws {
        try bytes.withUnsafeBytes { data in
            try streams.receive(StreamFrame(id: id, offset: offset, data: data, fin: fin))
        }
    }

    func receiveReset(_ id: StreamID, code: UInt64 = 0, finalSize: UInt64) throws {
        try streams.receive(ResetStreamFrame(id: id, errorCode: code, finalSize: finalSize))
    }

    func receiveStopSending(_ id: StreamID, code: UInt64 = 0) throws {
        try streams.receive(StopSendingFrame(id: id, errorCode: code))
    }

    func acknowledge(_ packet: TestPacket) { for record in packet.records { streams.onAcked(record) } }
    func lose(_ packet: TestPacket) { for record in packet.records { streams.onLost(record) } }

    // MARK: Application

    func open(_ direction: StreamID.Direction) -> StreamID? { streams.open(direction) }

    @discardableResult
    func write(_ id: StreamID, _ bytes: [UInt8], fin: Bool = false) throws -> Int {
        try bytes.withUnsafeBytes { try streams.write(id, $0, fin: fin) }
    }

    /// Reads all there is.
    @discardableResult
    func read(
        _ id: StreamID, at now: Instant = .zero, rtt: TimeSpan = .zero
    ) throws -> (bytes: [UInt8], isFinished: Bool) {
        var bytes: [UInt8] = []
        while true {
            let result = try streams.read(id, now: now, rtt: rtt) { view in
                bytes += view
                return view.count
            }
            if result.remaining == 0 { return (bytes, result.isFinished) }
        }
    }

    /// Reads no more than `count` bytes.
    @discardableResult
    func read(_ id: StreamID, count: Int) throws -> StreamReadResult {
        try streams.read(id, now: .zero, rtt: .zero) { min(count, $0.count) }
    }

    func reset(_ id: StreamID, code: UInt64) throws { try streams.reset(id, code: code) }
    func stopSending(_ id: StreamID, code: UInt64) throws { try streams.stopSending(id, code: code) }
    func setPriority(_ id: StreamID, _ priority: StreamPriority) throws {
        try streams.setPriority(id, priority)
    }
    func readableBytes(_ id: StreamID) -> Int { streams.readableBytes(id) }
    func writableBytes(_ id: StreamID) -> Int { streams.writableBytes(id) }

    func events() -> [StreamEvent] {
        var events: [StreamEvent] = []
        while let event = streams.nextEvent() { events.append(event) }
        return events
    }
}

/// A client and a server whose packets all arrive at once, unless a test takes them away.
struct StreamPeers {
    let client: StreamsEnd
    let server: StreamsEnd

    init(
        client clientLimits: StreamLimits = StreamLimits(), server serverLimits: StreamLimits = StreamLimits()
    ) {
        client = StreamsEnd(role: .client, limits: clientLimits)
        server = StreamsEnd(role: .server, limits: serverLimits)
        client.streams.applyPeerLimits(PeerStreamLimits(serverLimits))
        server.streams.applyPeerLimits(PeerStreamLimits(clientLimits))
    }

    /// Delivers and acknowledges packets until nobody has any more to send.
    func settle() throws {
        while true {
            let fromClient = client.packets()
            for packet in fromClient { try server.receive(packet) }
            let fromServer = server.packets()
            for packet in fromServer { try client.receive(packet) }
            for packet in fromClient { client.acknowledge(packet) }
            for packet in fromServer { server.acknowledge(packet) }
            if fromClient.isEmpty && fromServer.isEmpty { return }
        }
    }
}

extension PeerStreamLimits {
    /// What an endpoint with these limits puts into its transport parameters.
    init(_ limits: StreamLimits) {
        self.init(
            initialMaxData: limits.initialMaxData,
            initialMaxStreamDataBidirectionalLocal: limits.initialMaxStreamDataBidirectionalLocal,
            initialMaxStreamDataBidirectionalRemote: limits.initialMaxStreamDataBidirectionalRemote,
            initialMaxStreamDataUnidirectional: limits.initialMaxStreamDataUnidirectional,
            initialMaxStreamsBidirectional: limits.maxStreamsBidirectional,
            initialMaxStreamsUnidirectional: limits.maxStreamsUnidirectional)
    }
}

/// The code of the transport error that `body` throws, nil when it throws none.
func errorCode(_ body: () throws -> Void) -> TransportErrorCode? {
    do {
        try body()
        return nil
    } catch {
        return (error as? TransportError)?.code
    }
}

/// The stream error that `body` throws, nil when it throws none.
func streamError(_ body: () throws -> Void) -> StreamError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StreamError
    }
}

/// Bytes that tell their offset, so that misplaced ones show.
func pattern(_ count: Int, from offset: Int = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
        // Slices of a table, since computing every byte is slow without optimisation.
        let start = (offset + bytes.count) % patternPeriod.count
        bytes += patternPeriod[start..<min(patternPeriod.count, start + count - bytes.count)]
    }
    return bytes
}

/// Of a prime length, so that it fits no window, ring or packet.
private let patternPeriod: [UInt8] = {
    var generator = SeededGenerator(seed: 0)
    return (0..<65_521).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
}()
