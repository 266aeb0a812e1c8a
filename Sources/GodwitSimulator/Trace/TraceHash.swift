import GodwitWire

/// A running hash over 64-bit words: two runs that did the same have the same value.
///
/// Any difference changes it but for a chance of about 2^-64; it is no defence against someone who seeks a
/// collision.
struct TraceHash {
    private(set) var value: UInt64 = 0x6a09_e667_f3bc_c908

    @inline(__always)
    mutating func combine(_ word: UInt64) {
        let mixed = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
        // The multiplication carries changes only upwards; the product's high half has to come down again.
        value = (mixed ^ mixed >> 29) &+ 0x2545_f491_4f6c_dd1d
    }

    mutating func combine(_ address: NetworkAddress) {
        combine(address.ip.high)
        combine(address.ip.low)
        combine(UInt64(address.port) << 32 | UInt64(address.ip.scope))
    }

    mutating func combine(_ event: TraceEvent) {
        combine(UInt64(bitPattern: event.time.nanoseconds))
        let reason = event.reason.map { UInt64($0.rawValue) + 1 } ?? 0
        let codes = UInt64(event.kind.rawValue) | reason << 8 | UInt64(event.ecn.rawValue) << 16
        combine(codes | Self.word(event.place) << 24)
        combine(event.serial)
        combine(UInt64(event.size))
        combine(event.source)
        combine(event.destination)
    }

    private static func word(_ place: TraceEvent.Place) -> UInt64 {
        switch place {
        case .host(let id): UInt64(id.index) << 3
        case .link(let id): UInt64(id.index) << 3 | 1
        case .translator(let id): UInt64(id.index) << 3 | 2
        case .attacker(let id): UInt64(id.index) << 3 | 3
        case .internet: 4
        }
    }

    mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 8 <= bytes.count {
            combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        var tail: UInt64 = 0
        for index in offset..<bytes.count { tail = tail << 8 | UInt64(bytes[index]) }
        combine(tail)
        combine(UInt64(bytes.count))
    }
}
