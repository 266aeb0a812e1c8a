/// Unpredictable bytes that a driver hands to an endpoint; from them come all its random choices.
///
/// The core never draws from a generator of the process: the simulator needs runs that repeat, and a process that
/// was checkpointed and restored twice must not draw the same values in both copies.
public struct Entropy: Hashable, Sendable {
    /// Exactly 32 bytes.
    public let seed: [UInt8]

    /// - Precondition: `seed` has 32 bytes.
    public init(seed: [UInt8]) {
        precondition(seed.count == 32)
        self.seed = seed
    }
}
