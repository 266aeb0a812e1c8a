/// The identifiers of the settings that this room knows.
enum SettingIdentifier {
    /// RFC 9204 section 5.
    static let qpackMaximumTableCapacity: UInt64 = 0x01
    /// RFC 9114 section 7.2.4.1.
    static let maximumFieldSectionSize: UInt64 = 0x06
    /// RFC 9204 section 5.
    static let qpackBlockedStreams: UInt64 = 0x07
    /// RFC 9220 section 3.
    static let enableConnectProtocol: UInt64 = 0x08
    /// RFC 9297 section 2.1.1.
    static let datagram: UInt64 = 0x33

    /// Whether HTTP/2 uses the identifier for a setting that HTTP/3 does not have (RFC 9114 section 11.2.2).
    static func isForbidden(_ identifier: UInt64) -> Bool { identifier == 0x00 || 0x02...0x05 ~= identifier }
}
