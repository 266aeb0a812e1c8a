import GodwitCore
import GodwitCrypto
import GodwitWire

/// An endpoint under test goes through a script, and then its peer falls silent. Whatever came before, it has to come
/// to rest: every call returns, nothing stays due, and every connection ends.
enum EndpointFuzzing {
    static func run(_ input: UnsafeRawBufferPointer, against role: Role) {
        var script = FuzzScript(input)
        let pair = FuzzedPair(role: role, script: script)
        begin(pair, script)
        while let step = script.next() {
            pair.pass(step.delay)
            take(step, pair)
            pair.settle()
        }
        finish(pair)
    }

    private static func begin(_ pair: FuzzedPair, _ script: FuzzScript) {
        let edits = pair.role == .server
        if script.beginning.contains(.resumption) {
            pair.connect(FuzzedSettings.request(script, edits: false))
            for _ in 0..<6 { round(pair) }
            pair.closeAll()
        }
        pair.connect(FuzzedSettings.request(script, edits: edits, ticket: pair.ticket))
        for _ in 0..<script.headStart { round(pair) }
    }

    private static func round(_ pair: FuzzedPair) {
        pair.exchange()
        pair.pass(.milliseconds(10))
    }

    private static func finish(_ pair: FuzzedPair) {
        pair.exchange()
        var deadlines = 0
        while pair.target.connectionCount > 0 {
            pair.lose()
            guard pair.passToNextDeadline() else { break }
            deadlines += 1
            require(deadlines < 2000, "a connection ends when its peer is silent")
        }
        require(pair.target.connectionCount == 0, "a connection has a deadline until it ends")
    }

    private static func take(_ step: FuzzScript.Step, _ pair: FuzzedPair) {
        switch step.action {
        case .datagram: pair.deliver(pad([UInt8](step.bytes), step.details))
        case .initialPacket: forge(.initial, step, pair)
        case .earlyPacket: forge(.earlyData, step, pair)
        case .handshakePacket: forge(.handshake, step, pair)
        case .packet: forge(.oneRTT, step, pair)
        case .packetFromElsewhere:
            forge(
                .oneRTT, step, pair, from: FuzzedApplication.elsewhere(step.details, from: pair.peerAddress))
        case .longHeader: pair.deliver(pad(longHeader(step, pair), step.details))
        case .exchange: for _ in 0...step.details % 4 { round(pair) }
        case .garbledExchange: pair.exchange { garble($0, step) }
        case .loss: pair.lose()
        case .replay: replay(step, pair)
        case .wait: for _ in 0...step.details % 8 where pair.passToNextDeadline() { pair.exchange() }
        case .application:
            pair.targetApplication.act(step.details, at: pair.target, bytes: step.bytes, now: pair.now)
        case .peerApplication:
            pair.peerApplication.act(step.details, at: pair.peer, bytes: step.bytes, now: pair.now)
        case .freeze: freeze(step, pair)
        }
        pair.takeEvents()
    }

    // MARK: Steps

    private static func forge(
        _ level: EncryptionLevel, _ step: FuzzScript.Step, _ pair: FuzzedPair,
        from remote: NetworkAddress? = nil
    ) {
        var forgery = Forgery(level: level)
        if remote == nil {
            forgery.skippedNumbers = Int(step.details & 0x0f)
            forgery.updatesKeys = step.details & 0x10 != 0
            forgery.setsReservedBits = step.details & 0x60 == 0x60
        }
        let isPadded = level == .initial || step.details & 0x80 != 0
        if let packet = pair.forge(forgery, step.bytes, isPadded: isPadded) {
            pair.deliver(packet, from: remote)
        }
    }

    /// Fills a datagram up to what a server listens to, if the highest bit says so.
    private static func pad(_ bytes: [UInt8], _ details: UInt8) -> [UInt8] {
        details & 0x80 == 0 ? bytes : bytes + [UInt8](repeating: 0, count: max(0, 1200 - bytes.count))
    }

    private static func garble(_ datagram: [UInt8], _ step: FuzzScript.Step) -> [UInt8] {
        var datagram = datagram
        let start = Int(step.details)
        for (index, byte) in step.bytes.enumerated() where start + index < datagram.count {
            datagram[start + index] ^= byte
        }
        return datagram
    }

    private static func replay(_ step: FuzzScript.Step, _ pair: FuzzedPair) {
        guard !pair.history.isEmpty else { return }
        let datagram = pair.history[Int(step.details) % pair.history.count]
        pair.deliver(
            garble(datagram, FuzzScript.Step(action: .replay, delay: .zero, details: 0, bytes: step.bytes)))
    }

    private static func freeze(_ step: FuzzScript.Step, _ pair: FuzzedPair) {
        let frozen = TimeSpan.milliseconds(Int64(step.details))
        pair.now += frozen
        pair.target.resume(
            now: pair.now, frozen: frozen, unixTime: 1_800_000_000 + pair.now.nanoseconds / 1_000_000_000,
            localAddress: step.bytes.isEmpty ? nil : pair.targetAddress,
            entropy: Entropy(seed: [UInt8](repeating: step.details, count: 32)))
    }

    /// First byte and version from the script, connection ids from the connection.
    private static func longHeader(_ step: FuzzScript.Step, _ pair: FuzzedPair) -> [UInt8] {
        guard step.bytes.count > 2, let ids = pair.ids else { return [] }
        let versions: [QUICVersion] = [.v1, .v2, .negotiation, .reserved(random: 0)]
        let version = versions[Int(step.bytes[1] % 4)]
        let packet = written { writer in
            writer.writeUInt8(step.bytes[0] | 0x80)
            writer.writeInteger(version.rawValue)
            writer.writeLengthPrefixedConnectionID(ids.target)
            writer.writeLengthPrefixedConnectionID(ids.peer)
            writer.writeBytes(UnsafeRawBufferPointer(rebasing: step.bytes[2...].prefix(1200)))
        }
        let bits = step.bytes[0] >> 4 & 3
        guard pair.role == .client, version.hasKnownLayout,
            LongPacketType(bits: bits, version: version) == .retry
        else { return packet }
        let tag = packet.withUnsafeBytes {
            RetryIntegrity.tag(packet: $0, originalDestination: ids.peer, version: version)
        }
        return packet + (tag ?? [])
    }
}
