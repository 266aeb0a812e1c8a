import GodwitWire

/// A peer's transport parameters; the lowest bit of the first byte says whose. What is accepted is written back and
/// read again as the same.
enum ParameterFuzzing {
    private static let kept: [UInt64] = [0x21, 0x2ab2, 0x1057]

    static func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        let sender: Role = first & 1 == 0 ? .client : .server
        let bytes = UnsafeRawBufferPointer(rebasing: input[1...])
        guard let parameters = try? TransportParameters.decode(bytes, sender: sender, keeping: kept) else {
            return
        }
        let again = try? TransportParameters.decode(
            parameters.encoded(sender: sender), sender: sender, keeping: kept)
        require(again == parameters, "transport parameters are read as they were written")
        let greased = parameters.encoded(sender: sender, random: UInt64(first) << 32 | UInt64(input.count))
        require(
            (try? TransportParameters.decode(greased, sender: sender, keeping: kept)) == parameters,
            "grease changes nothing")
        checkUse(of: parameters)
    }

    private static func checkUse(of parameters: TransportParameters) {
        _ = (parameters.maxIdleTimeout, parameters.maxAckDelay)
        let remembered = parameters.rememberedForEarlyData
        require(
            parameters.permitsEarlyData(sentUnder: remembered), "a server keeps what it has promised itself")
    }

    static var seeds: [[UInt8]] {
        [
            [0] + TransportParameters().encoded(sender: .client), [0] + full.encoded(sender: .client),
            [1] + TransportParameters().encoded(sender: .server), [1] + server.encoded(sender: .server),
            [1] + server.encoded(sender: .server, random: 0x1234_5678_9abc_def0),
        ]
    }

    private static var full: TransportParameters {
        var parameters = TransportParameters()
        parameters.initialSourceConnectionID = ConnectionID([1, 2, 3, 4])
        parameters.activeConnectionIDLimit = 8
        parameters.initialMaxData = 1 << 20
        parameters.initialMaxStreamDataBidirectionalLocal = 1 << 16
        parameters.initialMaxStreamDataBidirectionalRemote = 1 << 15
        parameters.initialMaxStreamDataUnidirectional = 1 << 14
        parameters.initialMaxStreamsBidirectional = 100
        parameters.initialMaxStreamsUnidirectional = 3
        parameters.maxIdleTimeoutMilliseconds = 30_000
        parameters.ackDelayExponent = 8
        parameters.maxAckDelayMilliseconds = 100
        parameters.maxUDPPayloadSize = 1452
        parameters.disableActiveMigration = true
        parameters.maxDatagramFrameSize = 65_535
        parameters.greaseQUICBit = true
        parameters.versionInformation = VersionInformation(chosen: .v1, available: [.v2, .v1])
        return parameters
    }

    private static var server: TransportParameters {
        var parameters = full
        parameters.originalDestinationConnectionID = ConnectionID([5, 6, 7, 8, 9, 10, 11, 12])
        parameters.retrySourceConnectionID = ConnectionID([1])
        parameters.statelessResetToken = StatelessResetToken(high: 1, low: 2)
        parameters.preferredAddress = PreferredAddress(
            ipv4: NetworkAddress("192.0.2.1:443"), ipv6: NetworkAddress("[2001:db8::1]:443"),
            connectionID: ConnectionID([4, 4, 4, 4])!,
            statelessResetToken: StatelessResetToken(high: 3, low: 4))
        return parameters
    }
}
