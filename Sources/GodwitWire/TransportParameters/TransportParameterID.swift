/// The identifiers of transport parameters (RFC 9000 section 18.2 and the RFCs named below).
enum TransportParameterID {
    static let originalDestinationConnectionID: UInt64 = 0x00
    static let maxIdleTimeout: UInt64 = 0x01
    static let statelessResetToken: UInt64 = 0x02
    static let maxUDPPayloadSize: UInt64 = 0x03
    static let initialMaxData: UInt64 = 0x04
    static let initialMaxStreamDataBidirectionalLocal: UInt64 = 0x05
    static let initialMaxStreamDataBidirectionalRemote: UInt64 = 0x06
    static let initialMaxStreamDataUnidirectional: UInt64 = 0x07
    static let initialMaxStreamsBidirectional: UInt64 = 0x08
    static let initialMaxStreamsUnidirectional: UInt64 = 0x09
    static let ackDelayExponent: UInt64 = 0x0a
    static let maxAckDelay: UInt64 = 0x0b
    static let disableActiveMigration: UInt64 = 0x0c
    static let preferredAddress: UInt64 = 0x0d
    static let activeConnectionIDLimit: UInt64 = 0x0e
    static let initialSourceConnectionID: UInt64 = 0x0f
    static let retrySourceConnectionID: UInt64 = 0x10
    /// RFC 9368 section 3.
    static let versionInformation: UInt64 = 0x11
    /// RFC 9221 section 3.
    static let maxDatagramFrameSize: UInt64 = 0x20
    /// RFC 9287 section 3.
    static let greaseQUICBit: UInt64 = 0x2ab2

    /// Whether ``TransportParameters`` has a property for the parameter.
    static func isKnown(_ id: UInt64) -> Bool {
        id <= versionInformation || id == maxDatagramFrameSize || id == greaseQUICBit
    }

    /// Those that only a server sends (RFC 9000 section 18.2).
    static func isServerOnly(_ id: UInt64) -> Bool {
        switch id {
        case originalDestinationConnectionID, statelessResetToken, preferredAddress, retrySourceConnectionID:
            true
        default: false
        }
    }

    /// The `index`-th of the identifiers that mean nothing, 31 * N + 27 (RFC 9000 section 18.1). Every index
    /// is taken to one that can be encoded.
    static func reserved(_ index: UInt64) -> UInt64 {
        31 * (index % ((VariableLengthInteger.max - 27) / 31 + 1)) + 27
    }

    static func isReserved(_ id: UInt64) -> Bool { id % 31 == 27 }
}
