import GodwitCrypto
import GodwitWire

/// Removes and applies header protection (RFC 9001 section 5.4).
enum HeaderProtection {
    /// A header that has been laid open.
    struct Opened {
        var firstByte: FirstByte
        var packetNumber: UInt64
        /// From the first byte to the end of the packet number.
        var headerCount: Int
    }

    /// Lays the header of a packet open in place.
    ///
    /// - Parameters:
    ///   - packet: the packet alone, which has a sample behind its packet number.
    ///   - packetNumberOffset: where the packet number begins in it.
    ///   - largest: the highest number that was opened in its space.
    static func remove(
        from packet: UnsafeMutableRawBufferPointer, packetNumberOffset: Int, largest: UInt64?,
        using key: HeaderProtectionKey
    ) -> Opened {
        let sampleOffset = packetNumberOffset + 4
        let sample = UnsafeRawBufferPointer(
            rebasing: packet[sampleOffset..<sampleOffset + CipherSuite.sampleLength])
        let mask = key.mask(sample)
        var first = FirstByte(rawValue: packet[0])
        first.rawValue ^= mask.firstByte & first.protectedBits
        packet[0] = first.rawValue
        let length = first.packetNumberLength
        let word = maskNumber(at: packet.baseAddress! + packetNumberOffset, length: length, mask)
        let truncated = UInt32(bigEndian: word) >> UInt32(32 - 8 * length)
        return Opened(
            firstByte: first,
            packetNumber: PacketNumber.expand(truncated, length: length, largest: largest),
            headerCount: packetNumberOffset + length)
    }

    static func apply(
        _ mask: HeaderProtectionMask, to packet: UnsafeMutableRawPointer, packetNumberOffset: Int,
        packetNumberLength: Int
    ) {
        let bytes = packet.assumingMemoryBound(to: UInt8.self)
        bytes[0] ^= mask.firstByte & FirstByte(rawValue: bytes[0]).protectedBits
        _ = maskNumber(at: packet + packetNumberOffset, length: packetNumberLength, mask)
    }

    /// Masks a packet number in place. All four bytes before the sample are gone over whatever the number's
    /// length, so that the time it takes does not tell (RFC 9001 section 9.5).
    /// - Returns: those bytes, in the order of memory.
    private static func maskNumber(
        at number: UnsafeMutableRawPointer, length: Int, _ mask: HeaderProtectionMask
    ) -> UInt32 {
        let bits = UInt32(truncatingIfNeeded: mask.bits >> 8) & UInt32.max >> UInt32(32 - 8 * length)
        let word = number.loadUnaligned(as: UInt32.self) ^ bits.littleEndian
        number.storeBytes(of: word, as: UInt32.self)
        return word
    }
}

/// The sealed packets of a train whose headers are still bare. One call for all their masks costs a seventh
/// of one call each.
struct HeaderProtectionBatch {
    private struct Entry {
        var packet: UnsafeMutableRawPointer
        var packetNumberOffset: Int
        var packetNumberLength: Int
    }

    /// The most packets that one GSO train holds.
    static let capacity = 64

    private var entries: ContiguousArray<Entry> = []
    private var samples = ContiguousArray<UInt8>(repeating: 0, count: capacity * CipherSuite.sampleLength)
    private var masks = ContiguousArray(repeating: HeaderProtectionMask(bits: 0), count: capacity)

    init() { entries.reserveCapacity(Self.capacity) }

    /// - Precondition: fewer than ``capacity`` packets wait.
    mutating func add(_ packet: UnsafeMutableRawPointer, packetNumberOffset: Int, packetNumberLength: Int) {
        let start = entries.count * CipherSuite.sampleLength
        samples.withUnsafeMutableBytes {
            ($0.baseAddress! + start).copyMemory(
                from: packet + packetNumberOffset + 4, byteCount: CipherSuite.sampleLength)
        }
        entries.append(
            Entry(
                packet: packet, packetNumberOffset: packetNumberOffset, packetNumberLength: packetNumberLength
            ))
    }

    /// Protects the headers of all that were added.
    mutating func apply(_ key: HeaderProtectionKey) {
        let count = entries.count
        guard count > 0 else { return }
        samples.withUnsafeBytes { samples in
            masks.withUnsafeMutableBufferPointer { masks in
                key.masks(
                    samples: UnsafeRawBufferPointer(rebasing: samples[..<(count * CipherSuite.sampleLength)]),
                    into: UnsafeMutableBufferPointer(rebasing: masks[..<count]))
            }
        }
        for index in 0..<count {
            let entry = entries[index]
            HeaderProtection.apply(
                masks[index], to: entry.packet, packetNumberOffset: entry.packetNumberOffset,
                packetNumberLength: entry.packetNumberLength)
        }
        entries.removeAll(keepingCapacity: true)
    }
}
