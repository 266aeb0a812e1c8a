/// An ALTERNATIVE_V4_ADDRESS or ALTERNATIVE_V6_ADDRESS frame (draft-munizaga-quic-alternative-server-address-00
/// section 6, Specs/server-migration.md 3.4): what a server says about one of its addresses.
@frozen
public struct AlternativeAddressFrame: Hashable, Sendable, Codable {
    /// The address, whose family decides the type of the frame.
    public let address: NetworkAddress
    /// Counts what the server says about its addresses, both families together: of two frames about one
    /// address the higher number holds.
    public var sequenceNumber: UInt64
    /// Whether the server wants the connection there rather than where it is.
    public var isPreferred: Bool
    /// Whether the address is no longer one of the server's.
    public var isRetired: Bool

    /// A frame about `address`.
    @inlinable
    public init(
        address: NetworkAddress, sequenceNumber: UInt64, isPreferred: Bool = false, isRetired: Bool = false
    ) {
        self.address = address.isIPv4 ? address : MigrationAddress.unscoped(address)
        self.sequenceNumber = sequenceNumber
        self.isPreferred = isPreferred
        self.isRetired = isRetired
    }
}

extension AlternativeAddressFrame {
    private static let preferredBit: UInt8 = 0x80
    private static let retireBit: UInt8 = 0x40

    /// The type under which ``encode(into:)`` writes the frame.
    public var type: UInt64 {
        address.isIPv4 ? MigrationFrameType.alternativeV4Address : MigrationFrameType.alternativeV6Address
    }

    /// How many bytes ``encode(into:)`` writes.
    public var encodedSize: Int {
        VariableLengthInteger.size(type) + 1 + VariableLengthInteger.size(sequenceNumber)
            + (address.isIPv4 ? 4 : 16) + 2
    }

    /// Bits of the flags that mean nothing are ignored. An IPv4 address in the frame for IPv6 is refused: it
    /// would come back in another form than it came.
    static func decode(
        type: UInt64, from reader: inout ByteReader
    ) throws(TransportError) -> AlternativeAddressFrame {
        guard let flags = reader.readUInt8() else { throw .cutOffFrame(type: type) }
        let sequenceNumber = try reader.varint(of: type)
        let isIPv4 = type == MigrationFrameType.alternativeV4Address
        guard let ip = isIPv4 ? reader.readIPv4Address() : reader.readIPv6Address(),
            let port = reader.readInteger(UInt16.self)
        else { throw .cutOffFrame(type: type) }
        guard ip.isIPv4 == isIPv4 else {
            throw .malformedFrame("an IPv4 address in a frame for IPv6", type: type)
        }
        return AlternativeAddressFrame(
            address: NetworkAddress(ip: ip, port: port), sequenceNumber: sequenceNumber,
            isPreferred: flags & preferredBit != 0, isRetired: flags & retireBit != 0)
    }

    /// Writes the frame. The caller has checked that ``encodedSize`` bytes fit.
    public func encode(into writer: inout ByteWriter) {
        writer.writeVarint(type)
        writer.writeUInt8((isPreferred ? Self.preferredBit : 0) | (isRetired ? Self.retireBit : 0))
        writer.writeVarint(sequenceNumber)
        if let v4 = address.ip.v4 {
            writer.writeInteger(v4)
        } else {
            writer.writeInteger(address.ip.high)
            writer.writeInteger(address.ip.low)
        }
        writer.writeInteger(address.port)
    }
}

extension ByteReader {
    fileprivate mutating func readIPv4Address() -> IPAddress? {
        readInteger(UInt32.self).map { IPAddress(v4: $0) }
    }

    fileprivate mutating func readIPv6Address() -> IPAddress? {
        guard remaining >= 16, let high = readInteger(UInt64.self), let low = readInteger(UInt64.self) else {
            return nil
        }
        return IPAddress(high: high, low: low)
    }
}
