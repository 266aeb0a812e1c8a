extension TransportParameters {
    /// Decodes what a peer sent (RFC 9000 section 18). Parameters that nobody here knows are ignored.
    ///
    /// - Parameters:
    ///   - bytes: The contents of the TLS extension.
    ///   - sender: The peer's role; a client must not send some of them.
    ///   - additionalIDs: The parameters of extensions to keep in ``additional``, at most
    ///     ``AdditionalTransportParameters/maxCount``. One with more than
    ///     ``AdditionalTransportParameters/maxLength`` bytes is an error.
    /// - Throws: `TRANSPORT_PARAMETER_ERROR` for whatever is malformed, out of range, sent twice or not the
    ///   sender's to send (RFC 9000 section 7.4).
    public static func decode(
        _ bytes: UnsafeRawBufferPointer, sender: Role, keeping additionalIDs: [UInt64] = []
    ) throws(TransportError) -> TransportParameters {
        precondition(additionalIDs.count <= AdditionalTransportParameters.maxCount)
        var reader = ByteReader(bytes)
        var parameters = TransportParameters()
        var seen: Set<UInt64> = []
        while !reader.isAtEnd {
            guard let id = reader.readVarint(), let value = reader.readLengthPrefixedBytes() else {
                throw .transportParameter("the transport parameters are cut off")
            }
            guard seen.insert(id).inserted else { throw .transportParameter(id, "is sent twice") }
            guard sender == .server || !TransportParameterID.isServerOnly(id) else {
                throw .transportParameter(id, "is sent by a client")
            }
            try parameters.set(id, to: value, sender: sender, keeping: additionalIDs)
        }
        return parameters
    }

    /// Decodes what a peer sent, from an array.
    ///
    /// - Throws: `TRANSPORT_PARAMETER_ERROR`, as the other form of this function does.
    public static func decode(
        _ bytes: [UInt8], sender: Role, keeping additionalIDs: [UInt64] = []
    ) throws(TransportError) -> TransportParameters {
        // The array's own accessor would forget the type of the error.
        let result = bytes.withUnsafeBytes { view in
            Result { () throws(TransportError) in try decode(view, sender: sender, keeping: additionalIDs) }
        }
        return try result.get()
    }

    private mutating func set(
        _ id: UInt64, to value: UnsafeRawBufferPointer, sender: Role, keeping additionalIDs: [UInt64]
    ) throws(TransportError) {
        let value = ParameterValue(id: id, bytes: value)
        switch id {
        case 0x03...0x09: try setLimit(id, to: value.integer())
        case 0x01, 0x0a, 0x0b, 0x0e, TransportParameterID.maxDatagramFrameSize:
            try setNumber(id, to: value.integer())
        case 0x00, 0x0f, 0x10: try setConnectionID(id, to: value.connectionID())
        case TransportParameterID.statelessResetToken: statelessResetToken = try value.resetToken()
        case TransportParameterID.disableActiveMigration: disableActiveMigration = try value.flag()
        case TransportParameterID.preferredAddress: preferredAddress = try value.preferredAddress()
        case TransportParameterID.versionInformation: versionInformation = try value.versions(sender: sender)
        case TransportParameterID.greaseQUICBit: greaseQUICBit = try value.flag()
        default: if additionalIDs.contains(id) { additional[id] = try value.bounded() }
        }
    }

    private mutating func setConnectionID(_ id: UInt64, to value: ConnectionID) {
        switch id {
        case TransportParameterID.originalDestinationConnectionID: originalDestinationConnectionID = value
        case TransportParameterID.initialSourceConnectionID: initialSourceConnectionID = value
        default: retrySourceConnectionID = value
        }
    }

    private mutating func setLimit(_ id: UInt64, to value: UInt64) throws(TransportError) {
        switch id {
        case TransportParameterID.maxUDPPayloadSize:
            try check(id, value >= TransportParameters.minimumUDPPayloadSize)
            maxUDPPayloadSize = value
        case TransportParameterID.initialMaxData: initialMaxData = value
        case TransportParameterID.initialMaxStreamDataBidirectionalLocal:
            initialMaxStreamDataBidirectionalLocal = value
        case TransportParameterID.initialMaxStreamDataBidirectionalRemote:
            initialMaxStreamDataBidirectionalRemote = value
        case TransportParameterID.initialMaxStreamDataUnidirectional:
            initialMaxStreamDataUnidirectional = value
        case TransportParameterID.initialMaxStreamsBidirectional:
            // RFC 9000 section 4.6.
            try check(id, value <= StreamID.maxCount)
            initialMaxStreamsBidirectional = value
        default:
            try check(id, value <= StreamID.maxCount)
            initialMaxStreamsUnidirectional = value
        }
    }

    private mutating func setNumber(_ id: UInt64, to value: UInt64) throws(TransportError) {
        switch id {
        case TransportParameterID.maxIdleTimeout: maxIdleTimeoutMilliseconds = value
        case TransportParameterID.ackDelayExponent:
            try check(id, value <= TransportParameters.maximumAckDelayExponent)
            ackDelayExponent = value
        case TransportParameterID.maxAckDelay:
            try check(id, value < TransportParameters.maxAckDelayBound)
            maxAckDelayMilliseconds = value
        case TransportParameterID.activeConnectionIDLimit:
            try check(id, value >= 2)
            activeConnectionIDLimit = value
        default: maxDatagramFrameSize = value
        }
    }

    private func check(_ id: UInt64, _ isInRange: Bool) throws(TransportError) {
        guard isInRange else { throw .transportParameter(id, "is out of range") }
    }
}

/// The value of one parameter, to be read as the kind that its identifier says.
private struct ParameterValue {
    let id: UInt64
    let bytes: UnsafeRawBufferPointer

    func integer() throws(TransportError) -> UInt64 {
        var reader = ByteReader(bytes)
        guard let value = reader.readVarint(), reader.isAtEnd else { throw malformed }
        return value
    }

    func flag() throws(TransportError) -> Bool {
        guard bytes.isEmpty else { throw malformed }
        return true
    }

    func connectionID() throws(TransportError) -> ConnectionID {
        guard let value = ConnectionID(bytes) else { throw malformed }
        return value
    }

    func resetToken() throws(TransportError) -> StatelessResetToken {
        guard let value = StatelessResetToken(bytes) else { throw malformed }
        return value
    }

    func preferredAddress() throws(TransportError) -> PreferredAddress {
        var reader = ByteReader(bytes)
        guard let value = PreferredAddress(from: &reader), reader.isAtEnd else { throw malformed }
        return value
    }

    func versions(sender: Role) throws(TransportError) -> VersionInformation {
        guard let value = VersionInformation(bytes, sender: sender) else { throw malformed }
        return value
    }

    func bounded() throws(TransportError) -> [UInt8] {
        guard bytes.count <= AdditionalTransportParameters.maxLength else { throw malformed }
        return [UInt8](bytes)
    }

    private var malformed: TransportError { .transportParameter(id, "is malformed") }
}

extension TransportError {
    fileprivate static func transportParameter(_ reason: String) -> TransportError {
        TransportError(.transportParameterError, reason, frameType: FrameType.crypto)
    }

    fileprivate static func transportParameter(_ id: UInt64, _ fault: String) -> TransportError {
        transportParameter("transport parameter 0x\(String(id, radix: 16)) \(fault)")
    }
}
