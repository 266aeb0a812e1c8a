import GodwitWire

extension HTTP3Settings {
    /// Reads the payload of a SETTINGS frame (RFC 9114 section 7.2.4).
    init(payload: UnsafeRawBufferPointer, maximumCount: Int) throws(HTTP3Error) {
        self.init()
        var reader = ByteReader(payload)
        var seen: [UInt64] = []
        while !reader.isAtEnd {
            guard let identifier = reader.readVarint(), let value = reader.readVarint() else {
                throw HTTP3Error(.frameError, "SETTINGS frame ends within a setting")
            }
            guard seen.count < maximumCount else {
                throw HTTP3Error(.excessiveLoad, "SETTINGS frame with more than \(maximumCount) settings")
            }
            // That a receiver may treat a repetition as an error keeps an order of precedence from mattering
            // (RFC 9114 section 7.2.4).
            guard !seen.contains(identifier) else {
                throw HTTP3Error(.settingsError, "setting 0x\(String(identifier, radix: 16)) given twice")
            }
            seen.append(identifier)
            try take(HTTP3Setting(identifier: identifier, value: value))
        }
    }

    private mutating func take(_ setting: HTTP3Setting) throws(HTTP3Error) {
        switch setting.identifier {
        case SettingIdentifier.qpackMaximumTableCapacity: qpackMaximumTableCapacity = setting.value
        case SettingIdentifier.maximumFieldSectionSize: maximumFieldSectionSize = setting.value
        case SettingIdentifier.qpackBlockedStreams: qpackBlockedStreams = setting.value
        case SettingIdentifier.enableConnectProtocol:
            isConnectProtocolEnabled = try Self.flag(setting, named: "SETTINGS_ENABLE_CONNECT_PROTOCOL")
        case SettingIdentifier.datagram:
            areDatagramsEnabled = try Self.flag(setting, named: "SETTINGS_H3_DATAGRAM")
        default: try takeUnknown(setting)
        }
    }

    // RFC 8441 section 3, which RFC 9220 section 3 refers to, and RFC 9297 section 2.1.1.
    private static func flag(_ setting: HTTP3Setting, named name: String) throws(HTTP3Error) -> Bool {
        guard setting.value <= 1 else {
            throw HTTP3Error(.settingsError, "\(name) with the value \(setting.value)")
        }
        return setting.value == 1
    }

    private mutating func takeUnknown(_ setting: HTTP3Setting) throws(HTTP3Error) {
        // RFC 9114 section 7.2.4.1
        guard !SettingIdentifier.isForbidden(setting.identifier) else {
            throw HTTP3Error(.settingsError, "setting 0x0\(setting.identifier) of HTTP/2 in SETTINGS")
        }
        if !Grease.isReserved(setting.identifier) { additional.append(setting) }
    }
}
