/// What one side says about itself in its SETTINGS frame (RFC 9114 section 7.2.4).
///
/// A value of this type is also what a client remembers for early data
/// (``HTTP3Connection/init(role:configuration:rememberedSettings:)``) and a server puts into its tickets.
public struct HTTP3Settings: Hashable, Sendable, Codable {
    /// SETTINGS_MAX_FIELD_SECTION_SIZE: the largest field section taken, in bytes as RFC 9114 section 4.2.2
    /// counts them; nil is unlimited.
    public var maximumFieldSectionSize: UInt64?
    /// SETTINGS_QPACK_MAX_TABLE_CAPACITY: the largest dynamic table of the decoder, in bytes (RFC 9204
    /// section 5).
    public var qpackMaximumTableCapacity: UInt64
    /// SETTINGS_QPACK_BLOCKED_STREAMS: how many streams may wait for the encoder stream (RFC 9204 section 5).
    public var qpackBlockedStreams: UInt64
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL: extended CONNECT is taken (RFC 9220 section 3). Only a server's
    /// counts.
    public var isConnectProtocolEnabled: Bool
    /// SETTINGS_H3_DATAGRAM: datagrams are taken (RFC 9297 section 2.1.1).
    public var areDatagramsEnabled: Bool
    /// Settings that this room does not know, in the order of the frame; reserved ones are left out.
    public var additional: [HTTP3Setting]

    /// Settings; what is left out has the initial value of its RFC.
    public init(
        maximumFieldSectionSize: UInt64? = nil, qpackMaximumTableCapacity: UInt64 = 0,
        qpackBlockedStreams: UInt64 = 0, isConnectProtocolEnabled: Bool = false,
        areDatagramsEnabled: Bool = false, additional: [HTTP3Setting] = []
    ) {
        self.maximumFieldSectionSize = maximumFieldSectionSize
        self.qpackMaximumTableCapacity = qpackMaximumTableCapacity
        self.qpackBlockedStreams = qpackBlockedStreams
        self.isConnectProtocolEnabled = isConnectProtocolEnabled
        self.areDatagramsEnabled = areDatagramsEnabled
        self.additional = additional
    }
}

/// One setting by its number, for extensions that this room does not know (RFC 9114 section 9).
public struct HTTP3Setting: Hashable, Sendable, Codable {
    /// The identifier, at most 2^62 - 1.
    public var identifier: UInt64
    /// The value, at most 2^62 - 1.
    public var value: UInt64

    /// A setting.
    public init(identifier: UInt64, value: UInt64) {
        self.identifier = identifier
        self.value = value
    }
}
