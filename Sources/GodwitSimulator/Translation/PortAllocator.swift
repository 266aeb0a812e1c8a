/// Picks the next port that a translator tries.
struct PortAllocator {
    private let assignment: PortAssignment
    private var random: DeterministicRandom
    private var nextInSequence: UInt16 = Self.lowest

    /// Ports below are never handed out.
    static let lowest: UInt16 = 1024
    static var count: Int { Int(UInt16.max - lowest) + 1 }

    init(_ assignment: PortAssignment, random: DeterministicRandom) {
        self.assignment = assignment
        self.random = random
    }

    /// The first port from the place that the assignment says on that `isFree`; nil when none is.
    mutating func allocate(preferred: UInt16, _ isFree: (UInt16) -> Bool) -> UInt16? {
        var candidate = start(preferred: preferred)
        if assignment == .preserving, !isFree(candidate) { candidate = drawn() }
        for _ in 0..<Self.count {
            if isFree(candidate) {
                nextInSequence = successor(of: candidate)
                return candidate
            }
            candidate = successor(of: candidate)
        }
        return nil
    }

    private mutating func start(preferred: UInt16) -> UInt16 {
        switch assignment {
        case .random: drawn()
        case .preserving: max(preferred, Self.lowest)
        case .sequential: nextInSequence
        }
    }

    private mutating func drawn() -> UInt16 {
        Self.lowest + UInt16(random.integer(below: UInt64(Self.count)))
    }

    private func successor(of port: UInt16) -> UInt16 { port == .max ? Self.lowest : port + 1 }
}
