internal import GodwitWire

/// How the connection ids of a service's servers are laid out.
///
/// The layout is that of QUIC-LB (draft-ietf-quic-load-balancers-21), so that a load balancer of that kind
/// which is given the key can route by server id:
///
/// ```
/// byte 0        configuration (3 bits), length of what follows (5 bits); in clear
/// then          server id        serverIDLength bytes  \
///               shard            2 bytes                | encrypted as one
///               nonce            3 to 8 bytes           |
///               zeros            what is left          /
/// ```
///
/// To a load balancer everything behind the server id is the nonce. The zeros, if the length leaves room for
/// any, let a server tell its own ids from made-up ones. All integers are in network byte order.
public struct ConnectionIDFormat: Hashable, Sendable {
    /// The length of each connection id, 8 to 20 bytes.
    public let length: Int
    /// The length of the server id, 1 to 8 bytes.
    public let serverIDLength: Int
    /// Which set of keys and lengths is in use, 0 to 6; changes when the operator replaces them. All servers
    /// and load balancers must agree on it.
    public let configuration: UInt8

    static let shardLength = 2
    private static let minNonceLength = 3

    /// Nil if a value is out of its range or the length leaves fewer than 3 bytes to the nonce.
    ///
    /// The draft asks for a nonce of 4 bytes; its nonce is our shard and our nonce together.
    public init?(length: Int, serverIDLength: Int, configuration: UInt8 = 0) {
        guard (8...ConnectionID.maxLength).contains(length), (1...8).contains(serverIDLength),
            configuration < 7,
            length - 1 - serverIDLength - Self.shardLength >= Self.minNonceLength
        else { return nil }
        self.length = length
        self.serverIDLength = serverIDLength
        self.configuration = configuration
    }

    /// 8 bytes: a server id of 2 bytes, and a nonce of 3.
    public static let short = ConnectionIDFormat(length: 8, serverIDLength: 2)!

    /// 12 bytes: a server id of 2 bytes, and a nonce of 7.
    public static let standard = ConnectionIDFormat(length: 12, serverIDLength: 2)!

    /// The bytes of the nonce.
    public var nonceLength: Int { min(8, blockLength - serverIDLength - Self.shardLength) }

    /// The bytes that are encrypted.
    var blockLength: Int { length - 1 }

    var firstByte: UInt8 { configuration << 5 | UInt8(blockLength) }

    /// The largest server id that fits.
    public var maxServerID: UInt64 { UInt64.max >> UInt64(64 - 8 * serverIDLength) }

    /// The largest nonce that fits. As many ids as this can be issued by each server and shard under one key.
    public var maxNonce: UInt64 { UInt64.max >> UInt64(64 - 8 * nonceLength) }
}

extension ConnectionIDFormat: Codable {
    private enum CodingKeys: CodingKey {
        case length, serverIDLength, configuration
    }

    /// Reads a format and checks it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let format = ConnectionIDFormat(
            length: try container.decode(Int.self, forKey: .length),
            serverIDLength: try container.decode(Int.self, forKey: .serverIDLength),
            configuration: try container.decode(UInt8.self, forKey: .configuration))
        guard let format else {
            throw DecodingError.dataCorruptedError(
                forKey: .length, in: container, debugDescription: "a value is out of its range")
        }
        self = format
    }
}
