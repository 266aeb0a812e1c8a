/// What extra memory holds. The thesis's holds zeros, which compress as nothing else does: its results with compression
/// say nothing about memory that is used.
package enum MemoryContents: String, Codable, Hashable, Sendable, CaseIterable {
    case zero
    /// What can't be compressed.
    case random
    /// Pages of the one and the other in turn.
    case mixed

    /// The part of it that is zero.
    package var zeroPart: Double {
        switch self {
        case .zero: 1
        case .random: 0
        case .mixed: 0.5
        }
    }

    private static let pageSize = 4096

    /// Fills memory; the same seed fills it alike.
    package func fill(_ memory: UnsafeMutableRawBufferPointer, seed: UInt64) {
        // Zeros are written, too: memory counts when it was touched.
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        guard self != .zero else { return }
        var generator = SeededGenerator(state: seed)
        let step = self == .mixed ? 2 * Self.pageSize : Self.pageSize
        for start in stride(from: 0, to: memory.count, by: step) {
            let end = min(start + Self.pageSize, memory.count)
            var place = start
            while place + 8 <= end {
                memory.storeBytes(of: generator.next(), toByteOffset: place, as: UInt64.self)
                place += 8
            }
        }
    }
}
