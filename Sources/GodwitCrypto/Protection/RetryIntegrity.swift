internal import CNIOBoringSSL
public import GodwitWire

/// The tag at the end of a Retry packet (RFC 9001 section 5.8, RFC 9369 section 3.3.3).
///
/// Its keys are public: it guards against damage and against those who can't see the client's first packet,
/// no more. Versions other than 1 and 2 have no keys here.
public enum RetryIntegrity {
    /// The bytes of the tag.
    public static let tagLength = 16

    /// The tag of a Retry packet.
    ///
    /// - Parameters:
    ///   - packet: the Retry packet from its first byte up to the tag.
    ///   - originalDestination: the destination connection id of the packet that the Retry answers.
    /// - Returns: nil if the version defines no tag.
    public static func tag(
        packet: UnsafeRawBufferPointer, originalDestination: ConnectionID, version: QUICVersion
    ) -> [UInt8]? {
        guard let key = RetryKey.of(version) else { return nil }
        var pseudoPacket: [UInt8] = [UInt8(originalDestination.length)]
        originalDestination.withUnsafeBytes { pseudoPacket += $0 }
        pseudoPacket += packet
        return key.tag(of: pseudoPacket)
    }

    /// Whether a Retry packet ends in the right tag. A client drops one that doesn't (RFC 9000 section
    /// 17.2.5.2).
    ///
    /// - Parameters:
    ///   - packet: the whole Retry packet, tag included.
    ///   - originalDestination: the destination connection id of the first Initial packet that the client
    ///     sent.
    public static func isValid(
        packet: UnsafeRawBufferPointer, originalDestination: ConnectionID, version: QUICVersion
    ) -> Bool {
        guard packet.count > tagLength else { return false }
        let body = UnsafeRawBufferPointer(rebasing: packet.dropLast(tagLength))
        guard let expected = tag(packet: body, originalDestination: originalDestination, version: version)
        else {
            return false
        }
        return CRYPTO_memcmp(expected, body.baseAddress! + body.count, tagLength) == 0
    }
}

private struct RetryKey {
    let key: [UInt8]
    let nonce: [UInt8]

    static let v1 = RetryKey("be0c690b9f66575a1d766b54e368c84e", "461599d35d632bf2239825bb")
    static let v2 = RetryKey("8fb4b01b56ac48e260fbcbcead7ccc92", "d86969bc2d7c6d9990efb04a")

    static func of(_ version: QUICVersion) -> RetryKey? {
        switch version {
        case .v1: v1
        case .v2: v2
        default: nil
        }
    }

    private init(_ key: String, _ nonce: String) {
        self.key = Hexadecimal.decode(key)!
        self.nonce = Hexadecimal.decode(nonce)!
    }

    func tag(of pseudoPacket: [UInt8]) -> [UInt8] {
        AuthenticatedCipher(.aes128GCM, key: key).seal([], nonce: nonce, associatedData: pseudoPacket)
    }
}
