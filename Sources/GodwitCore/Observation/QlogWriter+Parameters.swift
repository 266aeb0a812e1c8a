import GodwitWire

// What both ends agree on, and where they are.
extension QlogWriter {
    func writeStarted(local: NetworkAddress, remote: NetworkAddress) {
        write(.connectionStarted) { data in
            data.object("local") { local.write(&$0) }
            data.object("remote") { remote.write(&$0) }
        }
    }

    func writeVersions(_ own: [QUICVersion], chosen: QUICVersion) {
        let list: StaticString = name.role == .client ? "client_versions" : "server_versions"
        write(.versionInformation) { data in
            if !own.isEmpty { data.array(list) { for version in own { $0.element(hex: version.qlogBytes) } } }
            data.field("chosen_version", hex: chosen.qlogBytes)
        }
    }

    func writeParameters(_ parameters: TransportParameters, isLocal: Bool) {
        write(.parametersSet) { data in
            data.field("initiator", isLocal ? "local" : "remote")
            Self.writeIDs(of: parameters, &data)
            Self.writeLimits(of: parameters, &data)
            Self.writeExtensions(of: parameters, &data)
        }
    }

    private static func writeIDs(of parameters: TransportParameters, _ data: inout JSONRecord) {
        if let id = parameters.originalDestinationConnectionID {
            data.field("original_destination_connection_id", hex: id.bytes)
        }
        if let id = parameters.initialSourceConnectionID {
            data.field("initial_source_connection_id", hex: id.bytes)
        }
        if let id = parameters.retrySourceConnectionID {
            data.field("retry_source_connection_id", hex: id.bytes)
        }
        data.field("active_connection_id_limit", parameters.activeConnectionIDLimit)
    }

    private static func writeLimits(of parameters: TransportParameters, _ data: inout JSONRecord) {
        data.field("disable_active_migration", parameters.disableActiveMigration)
        data.field("max_idle_timeout", parameters.maxIdleTimeoutMilliseconds)
        data.field("max_udp_payload_size", parameters.maxUDPPayloadSize)
        data.field("ack_delay_exponent", parameters.ackDelayExponent)
        data.field("max_ack_delay", parameters.maxAckDelayMilliseconds)
        data.field("initial_max_data", parameters.initialMaxData)
        data.field("initial_max_stream_data_bidi_local", parameters.initialMaxStreamDataBidirectionalLocal)
        data.field("initial_max_stream_data_bidi_remote", parameters.initialMaxStreamDataBidirectionalRemote)
        data.field("initial_max_stream_data_uni", parameters.initialMaxStreamDataUnidirectional)
        data.field("initial_max_streams_bidi", parameters.initialMaxStreamsBidirectional)
        data.field("initial_max_streams_uni", parameters.initialMaxStreamsUnidirectional)
        data.field("max_datagram_frame_size", parameters.maxDatagramFrameSize)
    }

    private static func writeExtensions(of parameters: TransportParameters, _ data: inout JSONRecord) {
        data.field("grease_quic_bit", parameters.greaseQUICBit)
        if let preferred = parameters.preferredAddress {
            data.object("preferred_address") { address in
                preferred.ipv4?.write(&address)
                preferred.ipv6?.write(&address)
                address.field("connection_id", hex: preferred.connectionID.bytes)
                address.field("stateless_reset_token", hex: preferred.statelessResetToken.qlogBytes)
            }
        }
        let known = writeMigration(parameters, &data)
        let others = parameters.additional.ids.filter { !known.contains($0) }
        guard !others.isEmpty else { return }
        data.array("unknown_parameters") { list in
            for id in others {
                list.object {
                    $0.field("id", id)
                    $0.field("value", hex: parameters.additional[id] ?? [])
                }
            }
        }
    }
}

extension NetworkAddress {
    fileprivate static func names(isIPv4: Bool) -> (ip: StaticString, port: StaticString) {
        isIPv4 ? ("ip_v4", "port_v4") : ("ip_v6", "port_v6")
    }

    /// Writes the fields of an endpoint of a path.
    func write(_ record: inout JSONRecord) {
        let names = Self.names(isIPv4: isIPv4)
        record.field(names.ip, text: ip.description)
        record.field(names.port, UInt64(port))
    }
}

extension StatelessResetToken {
    fileprivate var qlogBytes: [UInt8] {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { [UInt8]($0) }
    }
}
