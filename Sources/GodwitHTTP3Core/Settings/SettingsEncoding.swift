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
        var settings = wireSettings
        if let identifier = grease?.next(), let value = grease?.next() {
            settings.append(HTTP3Setting(identifier: identifier, value: value))
        }
        for setting in settings {
            payload.appendVarint(setting.identifier)
            payload.appendVarint(setting.value)
        }
        buffer.appendFrameHeader(.settings, length: payload.count)
        buffer += payload
    }

    /// Every setting that is not at its initial value (RFC 9114 section 7.2.4.2).
    private var wireSettings: [HTTP3Setting] {
        var settings: [HTTP3Setting] = []
        func add(_ identifier: UInt64, _ value: UInt64) {
            // RFC 9114 section 7.2.4: none occurs twice.
            guard !settings.contains(where: { $0.identifier == identifier }) else { return }
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
        for setting in additional where Self.maySend(setting.identifier) {
            add(setting.identifier, setting.value)
        }
        return settings
    }

    // What this room knows has its own property, what HTTP/2 used must never be sent, and what is reserved
    // says nothing and might be the one that is sent anyway (RFC 9114 section 7.2.4.1).
    private static func maySend(_ identifier: UInt64) -> Bool {
        identifier != SettingIdentifier.datagram && identifier > SettingIdentifier.enableConnectProtocol
            && identifier <= VariableLengthInteger.max && !Grease.isReserved(identifier)
    }
}
