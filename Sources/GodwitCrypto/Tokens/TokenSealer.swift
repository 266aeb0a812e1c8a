/// Seals what a server hands to a client to get it back unread: address validation tokens, session tickets.
///
/// Servers that are given the same keys open each other's tokens. A key is replaced in two steps: first every
/// server gets the new one as its second, then as its first. A token is sealed with the first key and opened
/// with whichever made it.
///
/// A token is the key's id (4 bytes, derived from the key), a nonce (12 bytes), and the payload under
/// AES-256-GCM-SIV (RFC 8452) with a tag of 16 bytes. That algorithm keeps its promises even if a nonce
/// occurs twice, as may happen where many servers share a key or a process is restored from an image.
public struct TokenSealer: Sendable {
    /// How many bytes a token is longer than its payload.
    public static let overhead = keyIDLength + AuthenticatedCipher.nonceLength + AuthenticatedCipher.tagLength

    private static let keyIDLength = 4

    private struct Key: Sendable {
        let id: [UInt8]
        let cipher: AuthenticatedCipher
    }

    private let keys: [Key]

    /// - Parameters:
    ///   - keys: the one that seals first, then those whose tokens are still taken. At least one.
    ///   - purpose: tokens made for one purpose don't open for another, though the keys be the same.
    public init(keys: [SharedKey], purpose: String) {
        precondition(!keys.isEmpty)
        self.keys = keys.map {
            Key(
                id: $0.derive("\(purpose) key id", length: Self.keyIDLength),
                cipher: AuthenticatedCipher(.aes256GCMSIV, key: $0.derive("\(purpose) key", length: 32)))
        }
    }

    /// Seals a payload.
    ///
    /// - Parameters:
    ///   - associatedData: what must be the same when the token is opened, such as the client's address; it
    ///     is not part of the token.
    ///   - random: where the nonce comes from.
    public func seal(
        _ payload: [UInt8], associatedData: [UInt8], using random: inout RandomGenerator
    ) -> [UInt8] {
        seal(payload, associatedData: associatedData, nonce: random.bytes(AuthenticatedCipher.nonceLength))
    }

    func seal(_ payload: [UInt8], associatedData: [UInt8], nonce: [UInt8]) -> [UInt8] {
        let header = keys[0].id + nonce
        return header
            + keys[0].cipher.seal(payload, nonce: nonce, associatedData: keys[0].id + associatedData)
    }

    /// The payload of a token; nil if none of the keys made it, if it was changed, or if the associated data
    /// is different.
    public func open(_ token: UnsafeRawBufferPointer, associatedData: [UInt8]) -> [UInt8]? {
        guard token.count >= Self.overhead else { return nil }
        return open([UInt8](token), associatedData: associatedData)
    }

    func open(_ token: [UInt8], associatedData: [UInt8]) -> [UInt8]? {
        guard token.count >= Self.overhead else { return nil }
        let sealedAt = Self.keyIDLength + AuthenticatedCipher.nonceLength
        for key in keys where token.starts(with: key.id) {
            let payload = key.cipher.open(
                token[sealedAt...], nonce: token[Self.keyIDLength..<sealedAt],
                associatedData: key.id + associatedData)
            if let payload { return payload }
        }
        return nil
    }
}
