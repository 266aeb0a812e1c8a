/// What an endpoint declares to its peer in the handshake (RFC 9000 sections 7.4 and 18.2, RFC 9221 section
/// 3, RFC 9287 section 3, RFC 9368 section 3).
///
/// A value of this type is what one side sends; every property starts with the default that holds when the
/// parameter is left out.
public struct TransportParameters: Hashable, Sendable, Codable {
    // MARK: Connection ids (RFC 9000 section 7.3)

    /// Where the client sent its first Initial packet; sent by a server only.
    public var originalDestinationConnectionID: ConnectionID?
    /// The Source Connection ID of the sender's first Initial packet.
    public var initialSourceConnectionID: ConnectionID?
    /// The Source Connection ID of the Retry packet; sent by a server only, and only after a Retry.
    public var retrySourceConnectionID: ConnectionID?
    /// How many connection ids the sender keeps for its peer; at least 2.
    public var activeConnectionIDLimit: UInt64 = 2
    /// The token of a stateless reset for the connection id of the handshake; sent by a server only.
    public var statelessResetToken: StatelessResetToken?

    // MARK: Flow control (RFC 9000 section 4)

    /// How many bytes the peer may send on all streams together.
    public var initialMaxData: UInt64 = 0
    /// How many bytes the peer may send on a bidirectional stream that the sender of the parameter opens.
    public var initialMaxStreamDataBidirectionalLocal: UInt64 = 0
    /// How many bytes the peer may send on a bidirectional stream that the peer opens.
    public var initialMaxStreamDataBidirectionalRemote: UInt64 = 0
    /// How many bytes the peer may send on a unidirectional stream.
    public var initialMaxStreamDataUnidirectional: UInt64 = 0
    /// How many bidirectional streams the peer may open; at most 2^60.
    public var initialMaxStreamsBidirectional: UInt64 = 0
    /// How many unidirectional streams the peer may open; at most 2^60.
    public var initialMaxStreamsUnidirectional: UInt64 = 0

    // MARK: Time

    /// After how many milliseconds of silence the sender gives the connection up; 0 for never.
    public var maxIdleTimeoutMilliseconds: UInt64 = 0
    /// By what power of 2 the delay in the sender's ACK frames is divided; at most 20.
    public var ackDelayExponent: UInt64 = 3
    /// For how many milliseconds the sender may hold an acknowledgement back; below 2^14.
    public var maxAckDelayMilliseconds: UInt64 = 25

    // MARK: Paths

    /// The largest UDP payload, in bytes, that the sender takes; at least 1200.
    public var maxUDPPayloadSize: UInt64 = 65527
    /// Whether the peer has to stay with the address that it used in the handshake.
    public var disableActiveMigration = false
    /// Where else the server wants to be reached; sent by a server only.
    public var preferredAddress: PreferredAddress?

    // MARK: Extensions

    /// The largest DATAGRAM frame, in bytes with its type and length, that the sender takes; 0 for none (RFC
    /// 9221).
    public var maxDatagramFrameSize: UInt64 = 0
    /// Whether the sender takes packets whose QUIC bit is clear (RFC 9287).
    public var greaseQUICBit = false
    /// The versions that the sender has chosen and could have chosen (RFC 9368).
    public var versionInformation: VersionInformation?
    /// Parameters of extensions, as they are on the wire.
    public var additional = AdditionalTransportParameters()

    /// Every parameter at its default.
    public init() {}

    /// The smallest value of ``maxUDPPayloadSize`` (RFC 9000 section 18.2), which is also the smallest
    /// datagram that every path carries (section 14).
    public static let minimumUDPPayloadSize: UInt64 = 1200
    /// The largest value of ``ackDelayExponent``.
    public static let maximumAckDelayExponent: UInt64 = 20
    /// What ``maxAckDelayMilliseconds`` stays below.
    public static let maxAckDelayBound: UInt64 = 1 << 14
}

extension TransportParameters {
    /// ``maxIdleTimeoutMilliseconds`` as a span, saturating; nil for never. Setting cuts off below a
    /// millisecond.
    public var maxIdleTimeout: TimeSpan? {
        get {
            maxIdleTimeoutMilliseconds == 0 ? nil : .milliseconds(Int64(clamping: maxIdleTimeoutMilliseconds))
        }
        set { maxIdleTimeoutMilliseconds = UInt64(clamping: (newValue ?? .zero).nanoseconds / 1_000_000) }
    }

    /// ``maxAckDelayMilliseconds`` as a span. Setting cuts off below a millisecond and at the bound.
    public var maxAckDelay: TimeSpan {
        get { .milliseconds(Int64(clamping: maxAckDelayMilliseconds)) }
        set {
            let milliseconds = UInt64(clamping: newValue.nanoseconds / 1_000_000)
            maxAckDelayMilliseconds = min(milliseconds, TransportParameters.maxAckDelayBound - 1)
        }
    }
}

/// Early data is sent under the parameters of an earlier connection (RFC 9000 section 7.4.1).
extension TransportParameters {
    /// What a client keeps of a server's parameters for the 0-RTT of a later connection. All that must not be
    /// remembered, or says something about one connection only, is back at its default.
    public var rememberedForEarlyData: TransportParameters {
        var kept = self
        kept.ackDelayExponent = 3
        kept.maxAckDelayMilliseconds = 25
        kept.initialSourceConnectionID = nil
        kept.originalDestinationConnectionID = nil
        kept.retrySourceConnectionID = nil
        kept.preferredAddress = nil
        kept.statelessResetToken = nil
        kept.versionInformation = nil
        kept.greaseQUICBit = false
        kept.additional = AdditionalTransportParameters()
        return kept
    }

    /// Whether a server with these parameters may accept early data that was sent under `remembered`: none of
    /// the limits may be lower (RFC 9000 section 7.4.1, RFC 9221 section 3).
    public func permitsEarlyData(sentUnder remembered: TransportParameters) -> Bool {
        activeConnectionIDLimit >= remembered.activeConnectionIDLimit
            && initialMaxData >= remembered.initialMaxData
            && initialMaxStreamDataBidirectionalLocal >= remembered.initialMaxStreamDataBidirectionalLocal
            && initialMaxStreamDataBidirectionalRemote >= remembered.initialMaxStreamDataBidirectionalRemote
            && initialMaxStreamDataUnidirectional >= remembered.initialMaxStreamDataUnidirectional
            && initialMaxStreamsBidirectional >= remembered.initialMaxStreamsBidirectional
            && initialMaxStreamsUnidirectional >= remembered.initialMaxStreamsUnidirectional
            && maxDatagramFrameSize >= remembered.maxDatagramFrameSize
    }
}
