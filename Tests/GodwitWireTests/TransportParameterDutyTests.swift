import GodwitWire
import Testing

@Suite("What whoever sends transport parameters owes")
struct TransportParameterDutyTests {
    /// A parameter with a value other than its default, and whether a client keeps it for 0-RTT.
    struct Row: Sendable {
        let name: String
        let isKept: Bool
        let set: @Sendable (inout TransportParameters) -> Void

        init(_ name: String, isKept: Bool, _ set: @escaping @Sendable (inout TransportParameters) -> Void) {
            (self.name, self.isKept, self.set) = (name, isKept, set)
        }
    }

    /// Limits are kept because early data is sent under them (RFC 9000 section 7.4.1, RFC 9221 section 3);
    /// what is said about one connection, or about delays that this one measures itself, is not.
    static let table = [
        Row("originalDestinationConnectionID", isKept: false) { $0.originalDestinationConnectionID = .empty },
        Row("initialSourceConnectionID", isKept: false) { $0.initialSourceConnectionID = .empty },
        Row("retrySourceConnectionID", isKept: false) { $0.retrySourceConnectionID = .empty },
        Row("activeConnectionIDLimit", isKept: true) { $0.activeConnectionIDLimit = 5 },
        Row("statelessResetToken", isKept: false) { $0.statelessResetToken = .init(high: 1, low: 2) },
        Row("initialMaxData", isKept: true) { $0.initialMaxData = 5 },
        Row("initialMaxStreamDataBidirectionalLocal", isKept: true) {
            $0.initialMaxStreamDataBidirectionalLocal = 5
        },
        Row("initialMaxStreamDataBidirectionalRemote", isKept: true) {
            $0.initialMaxStreamDataBidirectionalRemote = 5
        },
        Row("initialMaxStreamDataUnidirectional", isKept: true) {
            $0.initialMaxStreamDataUnidirectional = 5
        },
        Row("initialMaxStreamsBidirectional", isKept: true) { $0.initialMaxStreamsBidirectional = 5 },
        Row("initialMaxStreamsUnidirectional", isKept: true) { $0.initialMaxStreamsUnidirectional = 5 },
        Row("maxIdleTimeoutMilliseconds", isKept: true) { $0.maxIdleTimeoutMilliseconds = 5 },
        Row("ackDelayExponent", isKept: false) { $0.ackDelayExponent = 5 },
        Row("maxAckDelayMilliseconds", isKept: false) { $0.maxAckDelayMilliseconds = 5 },
        Row("maxUDPPayloadSize", isKept: true) { $0.maxUDPPayloadSize = 1472 },
        Row("disableActiveMigration", isKept: true) { $0.disableActiveMigration = true },
        Row("preferredAddress", isKept: false) {
            $0.preferredAddress = PreferredAddress(
                ipv4: NetworkAddress("192.0.2.1:443"), ipv6: nil, connectionID: ConnectionID([0xaa])!,
                statelessResetToken: .init(high: 1, low: 2))
        },
        Row("maxDatagramFrameSize", isKept: true) { $0.maxDatagramFrameSize = 65535 },
        Row("greaseQUICBit", isKept: false) { $0.greaseQUICBit = true },
        Row("versionInformation", isKept: false) {
            $0.versionInformation = .init(chosen: .v2, available: [.v2, .v1])
        },
        Row("additional", isKept: false) { $0.additional[0x64] = [1] },
    ]

    // Holds: 9000-7.4.1-1, 9000-7.4.1-2, 9000-7.4.1-4
    @Test("For each parameter it is settled whether a client keeps it for 0-RTT (RFC 9000 section 7.4.1)")
    func remembered() {
        let properties = Mirror(reflecting: TransportParameters()).children.compactMap(\.label)
        #expect(properties.sorted() == Self.table.map(\.name).sorted())
        for row in Self.table {
            var parameters = TransportParameters()
            row.set(&parameters)
            #expect(parameters != TransportParameters(), "\(row.name)")
            let kept = row.isKept ? parameters : TransportParameters()
            #expect(parameters.rememberedForEarlyData == kept, "\(row.name)")
        }
    }

    // Holds: 9000-7.4-2
    @Test("Each parameter is written once, the one that means nothing included (RFC 9000 section 7.4)")
    func onlyOnce() {
        var parameters = TransportParameters()
        for row in Self.table { row.set(&parameters) }
        for random in 0..<200 as Range<UInt64> {
            let ids = TransportParameterTests.ids(of: parameters.encoded(sender: .server, random: random))
            #expect(Set(ids).count == ids.count && ids.count == Self.table.count + 1)
        }
        // The random number that makes the meaningless parameter the first of its kind, 27.
        let random = 0 &- 3 &* 0x9e37_79b9_7f4a_7c15 as UInt64
        let alone = TransportParameters().encoded(sender: .server, random: random)
        #expect(TransportParameterTests.ids(of: alone) == [27])
        parameters.additional[27] = [1]
        let ids = TransportParameterTests.ids(of: parameters.encoded(sender: .server, random: random))
        #expect(ids.count { $0 == 27 } == 1)
    }

    // Holds: 9000-18.2-1, 9000-18.2-8
    @Test("A client can't write what only servers send (RFC 9000 section 18.2)")
    func clientWithServerParameters() async {
        await #expect(processExitsWith: .failure) {
            var parameters = TransportParameters()
            parameters.statelessResetToken = .init(high: 1, low: 2)
            _ = parameters.encoded(sender: .client)
        }
        await #expect(processExitsWith: .failure) {
            var parameters = TransportParameters()
            parameters.originalDestinationConnectionID = .empty
            _ = parameters.encoded(sender: .client)
        }
        await #expect(processExitsWith: .failure) {
            var parameters = TransportParameters()
            parameters.retrySourceConnectionID = .empty
            _ = parameters.encoded(sender: .client)
        }
        await #expect(processExitsWith: .failure) {
            var parameters = TransportParameters()
            parameters.preferredAddress = PreferredAddress(
                ipv4: NetworkAddress("192.0.2.1:443"), ipv6: nil, connectionID: ConnectionID([0xaa])!,
                statelessResetToken: .init(high: 1, low: 2))
            _ = parameters.encoded(sender: .client)
        }
    }
}
