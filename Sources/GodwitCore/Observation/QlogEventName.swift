/// The events that are logged, as draft-ietf-quic-qlog-quic-events names them.
enum QlogEventName {
    case connectionStarted, connectionClosed, connectionStateUpdated, tupleAssigned, mtuUpdated,
        migrationStateUpdated
    case versionInformation, alpnInformation, parametersSet, packetSent, packetReceived, packetDropped
    case keyUpdated, keyDiscarded
    case recoveryMetricsUpdated, congestionStateUpdated, packetLost

    var text: StaticString {
        switch self {
        case .connectionStarted: "quic:connection_started"
        case .connectionClosed: "quic:connection_closed"
        case .connectionStateUpdated: "quic:connection_state_updated"
        case .tupleAssigned: "quic:tuple_assigned"
        case .mtuUpdated: "quic:mtu_updated"
        case .migrationStateUpdated: "quic:migration_state_updated"
        case .versionInformation: "quic:version_information"
        case .alpnInformation: "quic:alpn_information"
        case .parametersSet: "quic:parameters_set"
        case .packetSent: "quic:packet_sent"
        case .packetReceived: "quic:packet_received"
        case .packetDropped: "quic:packet_dropped"
        case .keyUpdated: "quic:key_updated"
        case .keyDiscarded: "quic:key_discarded"
        case .recoveryMetricsUpdated: "quic:recovery_metrics_updated"
        case .congestionStateUpdated: "quic:congestion_state_updated"
        case .packetLost: "quic:packet_lost"
        }
    }

    /// The group that earlier drafts put the event in. The drafts of today have none, but allow fields of
    /// one's own, and qvis finds events by this one.
    var category: StaticString {
        switch self {
        case .connectionStarted, .connectionClosed, .connectionStateUpdated, .tupleAssigned, .mtuUpdated,
            .migrationStateUpdated:
            "connectivity"
        case .versionInformation, .alpnInformation, .parametersSet, .packetSent, .packetReceived,
            .packetDropped:
            "transport"
        case .keyUpdated, .keyDiscarded: "security"
        case .recoveryMetricsUpdated, .congestionStateUpdated, .packetLost: "recovery"
        }
    }
}

/// Why a packet was not processed.
enum PacketDrop {
    /// Not a packet, or not one that has a place here.
    case invalid
    case duplicate
    case unsupported
    /// Because of its addresses.
    case rejected
    case undecryptable
    case keyUnavailable

    var text: StaticString {
        switch self {
        case .invalid: "invalid"
        case .duplicate: "duplicate"
        case .unsupported: "unsupported"
        case .rejected: "rejected"
        case .undecryptable: "decryption_failure"
        case .keyUnavailable: "key_unavailable"
        }
    }
}
