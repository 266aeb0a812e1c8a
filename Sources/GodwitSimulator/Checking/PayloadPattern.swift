import GodwitWire

/// The bytes that one direction of a stream carries in a test: pseudo-random, and known at every offset.
///
/// Sender and receiver need not share anything but the names of connection and stream, and a byte that went
/// astray matches neither at another offset nor on another stream.
public struct PayloadPattern: Hashable, Sendable {
    private let key: UInt64

    /// The pattern of a direction of a stream.
    public init(_ direction: StreamDirection) {
        var mixer = direction.connection
        var key = DeterministicRandom.splitMix(&mixer)
        mixer = direction.stream ^ key
        key ^= DeterministicRandom.splitMix(&mixer)
        self.key = direction.sender == .client ? key : ~key
    }

    /// The eight bytes from a multiple of eight on.
    private func word(_ index: UInt64) -> UInt64 {
        var mixer = key &+ index &* 0xd134_2543_de82_ef95
        return DeterministicRandom.splitMix(&mixer)
    }

    /// The byte at an offset.
    public subscript(offset: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: word(offset / 8) >> (8 * (offset % 8)))
    }

    /// Writes the bytes from `offset` on.
    public func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: UInt64) {
        var index = 0
        while index < buffer.count, (offset + UInt64(index)) % 8 != 0 {
            buffer[index] = self[offset + UInt64(index)]
            index += 1
        }
        while index + 8 <= buffer.count {
            let value = word((offset + UInt64(index)) / 8).littleEndian
            buffer.storeBytes(of: value, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < buffer.count {
            buffer[index] = self[offset + UInt64(index)]
            index += 1
        }
    }

    /// The bytes of a range of offsets.
    public func bytes(_ range: Range<UInt64>) -> [UInt8] {
        // The standard library would write to the storage that all empty arrays share.
        guard !range.isEmpty else { return [] }
        return [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            fill(UnsafeMutableRawBufferPointer(buffer), from: range.lowerBound)
            count = range.count
        }
    }

    /// The index of the first byte that is not what it must be from `offset` on; nil if all are.
    public func firstMismatch(in bytes: UnsafeRawBufferPointer, from offset: UInt64) -> Int? {
        var index = 0
        while index < bytes.count {
            let position = offset + UInt64(index)
            if position % 8 == 0, index + 8 <= bytes.count {
                let found = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let difference = found ^ word(position / 8)
                if difference != 0 { return index + difference.trailingZeroBitCount / 8 }
                index += 8
            } else {
                guard bytes[index] == self[position] else { return index }
                index += 1
            }
        }
        return nil
    }
}
