import GodwitWire

/// Packets that came before the keys to read them, for as long as the handshake may still bring those (RFC 9001
/// section 5.7).
struct UndecryptablePackets {
    /// More than a handshake needs, and little enough for anyone to send us.
    static let maxPackets = 8
    static let maxBytes = 12_000

    struct Packet {
        var level: EncryptionLevel
        var bytes: [UInt8]
        var arrival: DatagramArrival
    }

    private var packets: [Packet] = []
    var count: Int { packets.count }
    private var byteCount = 0

    mutating func add(
        _ bytes: UnsafeMutableRawBufferPointer, level: EncryptionLevel, arrival: DatagramArrival
    ) {
        guard packets.count < Self.maxPackets, byteCount + bytes.count <= Self.maxBytes else { return }
        packets.append(Packet(level: level, bytes: [UInt8](bytes), arrival: arrival))
        byteCount += bytes.count
    }

    /// Takes out the packets of a level whose keys have come.
    mutating func take(_ level: EncryptionLevel) -> [Packet] {
        guard packets.contains(where: { $0.level == level }) else { return [] }
        let taken = packets.filter { $0.level == level }
        packets.removeAll { $0.level == level }
        byteCount -= taken.reduce(0) { $0 + $1.bytes.count }
        return taken
    }

    mutating func removeAll() {
        packets = []
        byteCount = 0
    }
}

/// Where and how a datagram came in.
struct DatagramArrival {
    var remote: NetworkAddress
    var local: NetworkAddress
    var ecn: ECNCodepoint
    /// The size of the whole datagram, in bytes.
    var size: Int
    var now: Instant
    var origin = DatagramOrigin.unknown
}
