extension TransportParameters {
    /// The contents of the TLS extension (RFC 9000 section 18). Parameters at their default are left out.
    ///
    /// - Parameters:
    ///   - sender: Which role sends them. A client with a parameter that only a server sends is a programming
    ///     error.
    ///   - random: A random number to pick a parameter that means nothing (RFC 9000 section 18.1) and the
    ///     order of all from, so that no peer comes to rely on either; nil for neither.
    public func encoded(sender: Role, random: UInt64? = nil) -> [UInt8] {
        var list = ParameterList()
        addConnectionIDs(to: &list)
        addLimits(to: &list)
        addTimes(to: &list)
        addPathsAndExtensions(to: &list)
        precondition(sender == .server || !list.hasServerOnly)
        if let random { list.grease(random) }
        return list.bytes
    }

    private func addConnectionIDs(to list: inout ParameterList) {
        list.add(TransportParameterID.originalDestinationConnectionID, originalDestinationConnectionID)
        list.add(TransportParameterID.initialSourceConnectionID, initialSourceConnectionID)
        list.add(TransportParameterID.retrySourceConnectionID, retrySourceConnectionID)
        list.add(TransportParameterID.activeConnectionIDLimit, activeConnectionIDLimit, unless: 2)
        if let statelessResetToken {
            list.add(TransportParameterID.statelessResetToken, size: StatelessResetToken.length) {
                $0.writeResetToken(statelessResetToken)
            }
        }
    }

    private func addLimits(to list: inout ParameterList) {
        list.add(TransportParameterID.initialMaxData, initialMaxData, unless: 0)
        list.add(
            TransportParameterID.initialMaxStreamDataBidirectionalLocal,
            initialMaxStreamDataBidirectionalLocal,
            unless: 0)
        list.add(
            TransportParameterID.initialMaxStreamDataBidirectionalRemote,
            initialMaxStreamDataBidirectionalRemote, unless: 0)
        list.add(
            TransportParameterID.initialMaxStreamDataUnidirectional, initialMaxStreamDataUnidirectional,
            unless: 0)
        list.add(
            TransportParameterID.initialMaxStreamsBidirectional, initialMaxStreamsBidirectional, unless: 0)
        list.add(
            TransportParameterID.initialMaxStreamsUnidirectional, initialMaxStreamsUnidirectional, unless: 0)
    }

    private func addTimes(to list: inout ParameterList) {
        list.add(TransportParameterID.maxIdleTimeout, maxIdleTimeoutMilliseconds, unless: 0)
        list.add(TransportParameterID.ackDelayExponent, ackDelayExponent, unless: 3)
        list.add(TransportParameterID.maxAckDelay, maxAckDelayMilliseconds, unless: 25)
    }

    private func addPathsAndExtensions(to list: inout ParameterList) {
        list.add(TransportParameterID.maxUDPPayloadSize, maxUDPPayloadSize, unless: 65527)
        if disableActiveMigration { list.add(TransportParameterID.disableActiveMigration, size: 0) { _ in } }
        if let preferredAddress {
            list.add(TransportParameterID.preferredAddress, size: preferredAddress.encodedSize) {
                preferredAddress.encode(into: &$0)
            }
        }
        list.add(TransportParameterID.maxDatagramFrameSize, maxDatagramFrameSize, unless: 0)
        if greaseQUICBit { list.add(TransportParameterID.greaseQUICBit, size: 0) { _ in } }
        if let versionInformation {
            list.add(TransportParameterID.versionInformation, size: versionInformation.encodedSize) {
                versionInformation.encode(into: &$0)
            }
        }
        for id in additional.ids {
            if let value = additional[id] { list.add(id, size: value.count) { $0.writeBytes(value) } }
        }
    }
}

/// Encoded parameters whose order is not settled yet.
private struct ParameterList {
    private var entries: [(id: UInt64, bytes: [UInt8])] = []

    var bytes: [UInt8] { entries.flatMap(\.bytes) }
    var hasServerOnly: Bool { entries.contains { TransportParameterID.isServerOnly($0.id) } }

    mutating func add(_ id: UInt64, size: Int, _ writeValue: (inout ByteWriter) -> Void) {
        let total = VariableLengthInteger.size(id) + VariableLengthInteger.size(UInt64(size)) + size
        let bytes = [UInt8](unsafeUninitializedCapacity: total) { buffer, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(buffer))
            writer.writeVarint(id)
            writer.writeVarint(UInt64(size))
            writeValue(&writer)
            count = writer.count
        }
        entries.append((id, bytes))
    }

    mutating func add(_ id: UInt64, _ value: UInt64, unless standard: UInt64) {
        guard value != standard else { return }
        add(id, size: VariableLengthInteger.size(value)) { $0.writeVarint(value) }
    }

    mutating func add(_ id: UInt64, _ value: ConnectionID?) {
        guard let value else { return }
        add(id, size: value.length) { $0.writeConnectionID(value) }
    }

    mutating func grease(_ random: UInt64) {
        var generator = SplitMix(state: random)
        let (content, length) = (generator.next(), Int(generator.next() % 8))
        let id = TransportParameterID.reserved(generator.next())
        // An extension may have been given an identifier of that form.
        if !entries.contains(where: { $0.id == id }) {
            add(id, size: length) { writer in
                for index in 0..<length {
                    writer.writeUInt8(UInt8(truncatingIfNeeded: content >> (8 * index)))
                }
            }
        }
        entries.shuffle(using: &generator)
    }
}

/// Spreads one random number over several choices. What it yields is shown to the peer, so it need not be
/// hard to foretell.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
