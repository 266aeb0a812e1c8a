import GodwitWire

extension HTTP3Settings {
    /// What an endpoint with that configuration says about itself.
    public init(_ configuration: HTTP3Configuration) {
        self.init(
            maximumFieldSectionSize: UInt64(HTTP3Connection.clamp(configuration.maximumFieldSectionSize)),
            qpackMaximumTableCapacity: UInt64(HTTP3Connection.clamp(configuration.qpackMaximumTableCapacity)),
            qpackBlockedStreams: UInt64(max(0, configuration.qpackBlockedStreams)),
            isConnectProtocolEnabled: configuration.isConnectProtocolEnabled,
            areDatagramsEnabled: configuration.areDatagramsEnabled,
            additional: configuration.additionalSettings)
    }

    /// Appends the SETTINGS frame, with a reserved setting behind the others if `grease` is there.
    func appendFrame(to buffer: inout [UInt8], grease: inout Grease?) {
        var payload: [UInt8] = []
        for setting in wireSettings {
            payload.appendVarint(setting.identifier)
            payload.appendVarint(setting.value)
        }
        if let identifier = grease?.next(), let value = grease?.next() {
            payload.appendVarint(identifier)
            payload.appendVarint(value)
        }
        buffer.appendFrameHeader(.settings, length: payload.count)
        buffer += payload
    }

    /// Every setting that is not at its initial value (RFC 9114 section 7.2.4.2).
    private var wireSettings: [HTTP3Setting] {
        var settings: [HTTP3Setting] = []
        func add(_ identifier: UInt64, _ value: UInt64) {
            settings.append(
                HTTP3Setting(identifier: identifier, value: min(value, VariableLengthInteger.max)))
        }
        if let size = maximumFieldSectionSize { add(SettingIdentifier.maximumFieldSectionSize, size) }
        if qpackMaximumTableCapacity > 0 {
            add(SettingIdentifier.qpackMaximumTableCapacity, qpackMaximumTableCapacity)
        }
        if qpackBlockedStreams > 0 { add(SettingIdentifier.qpackBlockedStreams, qpackBlockedStreams) }
        if isConnectProtocolEnabled { add(SettingIdentifier.enableConnectProtocol, 1) }
        if areDatagramsEnabled { add(SettingIdentifier.datagram, 1) }
        return settings + additional.filter { Self.maySend($0.identifier) }
    }

    // What this room knows has its own property, and what HTTP/2 used must never be sent (RFC 9114 section
    // 7.2.4.1).
    private static func maySend(_ identifier: UInt64) -> Bool {
        identifier != SettingIdentifier.datagram && identifier > SettingIdentifier.enableConnectProtocol
            && identifier <= VariableLengthInteger.max
    }
}
