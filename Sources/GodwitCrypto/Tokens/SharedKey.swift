/// A secret of 32 random bytes that the servers of one service share: an operator makes it, hands it to each
/// of them, and replaces it from time to time.
public struct SharedKey: Hashable, Sendable {
    /// How many bytes a key has.
    public static let length = 32

    /// The secret itself.
    public let bytes: [UInt8]

    /// Nil unless there are ``length`` bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }

    /// A key for this process alone, or to be handed out by an operator.
    public static func random() -> SharedKey { SharedKey(SystemEntropy.seed())! }

    /// A key for one purpose, so that one shared key can serve several without their results ever meeting.
    func derive(_ purpose: String, length: Int) -> [UInt8] {
        KeyDerivation.expand(bytes, info: Array("godwit \(purpose)".utf8), length: length, suite: .aes128GCM)
    }
}

extension SharedKey: CustomStringConvertible {
    /// Says nothing of the secret.
    public var description: String { "SharedKey" }
}
