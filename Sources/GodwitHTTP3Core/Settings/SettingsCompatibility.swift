extension HTTP3Settings {
    /// Whether early data that keeps to `remembered` could break none of these settings: what a server asks
    /// before it accepts early data (RFC 9114 section 7.2.4.2).
    public func permitsEarlyData(under remembered: HTTP3Settings) -> Bool { violation(of: remembered) == nil }

    /// What a server did wrong that accepted early data sent under `remembered` and now says this.
    func violation(of remembered: HTTP3Settings) -> HTTP3Error? {
        // An encoder that has begun with one capacity can't change over to another (RFC 9204 section 3.2.3).
        if remembered.qpackMaximumTableCapacity > 0,
            qpackMaximumTableCapacity != remembered.qpackMaximumTableCapacity
        {
            return HTTP3Error(
                .qpackDecoderStreamError,
                "SETTINGS_QPACK_MAX_TABLE_CAPACITY changed although early data was accepted")
        }
        guard let name = nameOfReduced(remembered) else { return nil }
        return HTTP3Error(.settingsError, "\(name) reduced or left out although early data was accepted")
    }

    // To leave it out would permit more, and is an error all the same (RFC 9114 section 7.2.4.2).
    private func reducesFieldSections(_ remembered: HTTP3Settings) -> Bool {
        guard let limit = remembered.maximumFieldSectionSize else { return maximumFieldSectionSize != nil }
        return maximumFieldSectionSize ?? 0 < limit
    }

    private func nameOfReduced(_ remembered: HTTP3Settings) -> String? {
        if reducesFieldSections(remembered) { return "SETTINGS_MAX_FIELD_SECTION_SIZE" }
        if qpackBlockedStreams < remembered.qpackBlockedStreams { return "SETTINGS_QPACK_BLOCKED_STREAMS" }
        if remembered.isConnectProtocolEnabled && !isConnectProtocolEnabled {
            return "SETTINGS_ENABLE_CONNECT_PROTOCOL"
        }
        // RFC 9297 section 2.1.1
        return remembered.areDatagramsEnabled && !areDatagramsEnabled ? "SETTINGS_H3_DATAGRAM" : nil
    }
}
