import GodwitWire

/// A run that nobody has captured, of two ends that know the frames of alternative addresses: the handshake
/// of a captured one with other transport parameters, and packets of our own making behind it.
///
/// It is there for those who read captures, and don't check signatures.
struct ForgedRun {
    private var lines: [String] = []
    private let run: CapturedRun
    private var opener: PacketOpener
    private var template: OpenedPacket?
    private let other = NetworkAddress("10.99.0.3:6666")!

    /// The text of Tests/Captures/alternativeAddresses.txt.
    static func text() throws -> String {
        var forger = ForgedRun(run: try CapturedRun(.symmetric))
        try forger.forgeHandshake()
        try forger.forgeMove()
        return forger.lines.joined(separator: "\n") + "\n"
    }

    private init(run: CapturedRun) {
        self.run = run
        opener = PacketOpener(run)
    }

    // MARK: The handshake

    private mutating func forgeHandshake() throws {
        for datagram in run.datagrams.prefix(4) {
            guard let packet = try opener.open(datagram).first else { continue }
            switch (packet.sender, packet.level) {
            case (.client, .initial): try forgeHello(packet)
            case (.server, .handshake):
                try append(
                    packet, try payload(of: packet, suite: [0x40, 0x64, 0x01, 0x04]),
                    parameters: "TP server_migration_suite=1f(=31)")
            default: try append(packet, packet.payload)
            }
            template = packet
        }
    }

    private mutating func forgeHello(_ packet: OpenedPacket) throws {
        var hello: [UInt8] = []
        try packet.forEachFrame { frame in
            if case .plain(.crypto(let crypto)) = frame.content { hello = Array(crypto.data) }
        }
        let random = Hexadecimal.encode(hello[6..<38])
        for (label, secret) in run.secrets.sorted(by: { $0.key < $1.key }) {
            lines.append("secret \(label) \(random) \(Hexadecimal.encode(secret))")
        }
        let payload = withOffer(hello)
        try append(
            packet, payload + [UInt8](repeating: 0, count: packet.payload.count - payload.count),
            parameters: "TP server_migration_suite=1f(=31); alternative_address=")
    }

    /// The CRYPTO frame of a ClientHello whose last extension, the transport parameters, says more.
    private func withOffer(_ hello: [UInt8]) -> [UInt8] {
        var hello = hello
        hello[hello.count - 1] = 0x1f
        let addition: [UInt8] = [0xc0, 0x00, 0x00, 0xff, 0x09, 0x69, 0xd8, 0x5c, 0x00]
        var offset = 38
        offset += 1 + Int(hello[offset])
        offset += 2 + Int(hello[offset]) << 8 + Int(hello[offset + 1])
        offset += 1 + Int(hello[offset])
        var last = offset + 2
        while last + 4 + Int(hello[last + 2]) << 8 + Int(hello[last + 3]) < hello.count {
            last += 4 + Int(hello[last + 2]) << 8 + Int(hello[last + 3])
        }
        for position in [2, offset, last + 2] { add(addition.count, at: position, in: &hello) }
        hello += addition
        return hello.withUnsafeBytes { view in
            encoded(CryptoFrame(offset: 0, data: view).encodedSize) {
                CryptoFrame(offset: 0, data: view).encode(into: &$0)
            }
        }
    }

    private func add(_ count: Int, at position: Int, in bytes: inout [UInt8]) {
        let sum = Int(bytes[position]) << 8 + Int(bytes[position + 1]) + count
        (bytes[position], bytes[position + 1]) = (UInt8(sum >> 8), UInt8(sum & 0xff))
    }

    /// The payload of a packet in which a suite of one byte is every bit that means something.
    private func payload(of packet: OpenedPacket, suite: [UInt8]) throws -> [UInt8] {
        var payload = packet.payload
        let start = payload.indices.first { payload[$0...].starts(with: suite) }
        guard let start else { throw PacketOpener.Failure.malformed }
        payload[start + suite.count - 1] = 0x1f
        return payload
    }

    // MARK: The move

    private mutating func forgeMove() throws {
        let (v6, later) = (NetworkAddress("[2001:db8::3]:6666")!, NetworkAddress("10.99.0.4:443")!)
        let old = run.datagrams[0].destination
        try forge(
            1, at: 500_000, from: old,
            [
                .alternativeAddress(.init(address: other, sequenceNumber: 0)),
                .alternativeAddress(.init(address: v6, sequenceNumber: 1)),
            ])
        try forge(
            2, at: 900_000, from: old,
            [
                .alternativeAddress(.init(address: other, sequenceNumber: 2, isPreferred: true)),
                .alternativeAddress(.init(address: v6, sequenceNumber: 3, isPreferred: true)),
            ])
        try forge(
            3, at: 1_400_000, from: other,
            [
                .alternativeAddress(.init(address: other, sequenceNumber: 63, isPreferred: true)),
                .serverMigrated,
                .alternativeAddress(.init(address: old, sequenceNumber: 16_384, isRetired: true)),
            ])
        try forge(
            4, at: 1_600_000, from: other,
            [
                .serverMigration(MigrationAddress(ipv4: later, ipv6: v6)),
                .poolMigrationAddress(MigrationAddress(v6)),
            ])
    }

    /// A packet with a PING before the frames and a PATH_CHALLENGE behind them, `offset` numbers on.
    private mutating func forge(
        _ offset: UInt64, at microseconds: Int64, from source: NetworkAddress, _ frames: [MigrationFrame]
    ) throws {
        guard var packet = template else { return }
        packet.number += offset
        packet.time = .zero + .microseconds(microseconds)
        packet.source = source
        packet.header = encoded(64) { writer in
            _ = ShortHeader.encode(
                destinationID: packet.destinationID, spinBit: false, keyPhase: false,
                packetNumber: packet.number, packetNumberLength: 3, into: &writer)
        }
        let challenge: [UInt8] = [0x1a, 0xde, 0xad, 0xbe, 0xef, 0x00, 0x00, 0x00, UInt8(offset)]
        try append(packet, [0x01] + frames.flatMap(\.encoded) + challenge)
    }

    // MARK: Text

    private mutating func append(
        _ packet: OpenedPacket, _ payload: [UInt8], parameters: String? = nil
    ) throws {
        var packet = packet
        packet.payload = payload
        let micros = (packet.time - .zero).microseconds
        let fraction = String(String(1_000_000 + micros % 1_000_000).dropFirst())
        let bytes = Hexadecimal.encode(try opener.seal(packet))
        lines.append(
            "datagram \(micros / 1_000_000).\(fraction) \(packet.source) \(packet.destination) \(bytes)")
        lines.append("  packet " + (try PacketListing.line(packet)))
        if let parameters { lines.append("  parameters \(parameters)") }
    }

    private func encoded(_ capacity: Int, _ write: (inout ByteWriter) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(buffer))
            write(&writer)
            count = writer.count
        }
    }
}
