import GodwitWire
import Testing

@Suite("Transport parameters")
struct TransportParameterTests {
    /// A parameter as it is on the wire.
    static func entry(_ id: UInt64, _ value: [UInt8]) -> [UInt8] {
        written {
            $0.writeVarint(id)
            $0.writeVarint(UInt64(value.count))
            $0.writeBytes(value)
        }
    }

    static func random(
        _ generator: inout SeededGenerator, sender: Role, hasAdditional: Bool = true
    ) -> TransportParameters {
        var parameters = TransportParameters()
        func coin() -> Bool { Bool.random(using: &generator) }
        if coin() { parameters.initialSourceConnectionID = generator.connectionID() }
        if coin() { parameters.activeConnectionIDLimit = 2 + generator.varint() / 2 }
        if coin() { parameters.initialMaxData = generator.varint() }
        if coin() { parameters.initialMaxStreamDataBidirectionalLocal = generator.varint() }
        if coin() { parameters.initialMaxStreamDataBidirectionalRemote = generator.varint() }
        if coin() { parameters.initialMaxStreamDataUnidirectional = generator.varint() }
        if coin() { parameters.initialMaxStreamsBidirectional = min(generator.varint(), StreamID.maxCount) }
        if coin() { parameters.initialMaxStreamsUnidirectional = min(generator.varint(), StreamID.maxCount) }
        if coin() { parameters.maxIdleTimeoutMilliseconds = generator.varint() }
        if coin() { parameters.ackDelayExponent = UInt64(generator.below(21)) }
        if coin() { parameters.maxAckDelayMilliseconds = UInt64(generator.below(1 << 14)) }
        if coin() { parameters.maxUDPPayloadSize = 1200 + generator.varint() / 2 }
        parameters.disableActiveMigration = coin()
        parameters.greaseQUICBit = coin()
        if coin() { parameters.maxDatagramFrameSize = generator.varint() }
        if coin() { parameters.versionInformation = .init(chosen: .v2, available: [.v1, .v2]) }
        if hasAdditional, coin() { parameters.additional[0x64] = generator.bytes(upTo: 9) }
        if sender == .server { addServerOnly(to: &parameters, &generator) }
        return parameters
    }

    private static func addServerOnly(
        to parameters: inout TransportParameters, _ generator: inout SeededGenerator
    ) {
        func coin() -> Bool { Bool.random(using: &generator) }
        if coin() { parameters.originalDestinationConnectionID = generator.connectionID() }
        if coin() { parameters.retrySourceConnectionID = generator.connectionID() }
        if coin() { parameters.statelessResetToken = generator.resetToken() }
        guard coin() else { return }
        let v4 = NetworkAddress(ip: IPAddress(v4: 0xc000_0201), port: 443)
        let v6 = NetworkAddress(ip: IPAddress(high: generator.next(), low: generator.next()), port: 4433)
        parameters.preferredAddress = PreferredAddress(
            ipv4: coin() ? v4 : nil, ipv6: coin() ? v6 : nil,
            connectionID: generator.connectionID(lengths: 1...20), statelessResetToken: generator.resetToken()
        )
    }

    @Test(
        "Any parameters come back as they were sent, in any order (RFC 9000 section 18)",
        arguments: [Role.client, .server])
    func roundTrip(sender: Role) throws {
        var generator = SeededGenerator(seed: 20)
        for _ in 0..<200 {
            let parameters = Self.random(&generator, sender: sender)
            for random in [nil, generator.next()] {
                let bytes = parameters.encoded(sender: sender, random: random)
                #expect(try TransportParameters.decode(bytes, sender: sender, keeping: [0x64]) == parameters)
            }
        }
    }

    @Test("Parameters that are left out have the defaults of the RFC (RFC 9000 section 18.2)")
    func defaults() throws {
        let parameters = try TransportParameters.decode([], sender: .server)
        #expect(parameters == TransportParameters())
        #expect(parameters.encoded(sender: .server).isEmpty)
        #expect(parameters.maxUDPPayloadSize == 65527)
        #expect(parameters.ackDelayExponent == 3)
        #expect(parameters.maxAckDelay == .milliseconds(25))
        #expect(parameters.activeConnectionIDLimit == 2)
        #expect(parameters.maxIdleTimeout == nil)
        #expect(parameters.maxDatagramFrameSize == 0)
    }

    @Test("Each parameter has its identifier (RFC 9000 section 18.2, RFC 9221, RFC 9287, RFC 9368)")
    func identifiers() {
        func check(_ text: String, _ change: (inout TransportParameters) -> Void) {
            var parameters = TransportParameters()
            change(&parameters)
            #expect(parameters.encoded(sender: .server) == hex(text))
        }
        check("00 02 aabb") { $0.originalDestinationConnectionID = ConnectionID(hex("aabb")) }
        check("01 04 80007530") { $0.maxIdleTimeout = .seconds(30) }
        check("02 10 00000000000000010000000000000002") { $0.statelessResetToken = .init(high: 1, low: 2) }
        check("03 02 45c0") { $0.maxUDPPayloadSize = 1472 }
        check("04 01 05") { $0.initialMaxData = 5 }
        check("05 01 05") { $0.initialMaxStreamDataBidirectionalLocal = 5 }
        check("06 01 05") { $0.initialMaxStreamDataBidirectionalRemote = 5 }
        check("07 01 05") { $0.initialMaxStreamDataUnidirectional = 5 }
        check("08 01 05") { $0.initialMaxStreamsBidirectional = 5 }
        check("09 01 05") { $0.initialMaxStreamsUnidirectional = 5 }
        check("0a 01 05") { $0.ackDelayExponent = 5 }
        check("0b 01 05") { $0.maxAckDelay = .milliseconds(5) }
        check("0c 00") { $0.disableActiveMigration = true }
        check(
            "0d 2a c0000201 01bb 20010db8000000000000000000000001 01bc 01 aa 00000000000000010000000000000002"
        ) {
            $0.preferredAddress = PreferredAddress(
                ipv4: NetworkAddress("192.0.2.1:443"), ipv6: NetworkAddress("[2001:db8::1]:444"),
                connectionID: ConnectionID([0xaa])!, statelessResetToken: .init(high: 1, low: 2))
        }
        check("0e 01 05") { $0.activeConnectionIDLimit = 5 }
        check("0f 00") { $0.initialSourceConnectionID = .empty }
        check("10 01 cc") { $0.retrySourceConnectionID = ConnectionID([0xcc]) }
        check("11 0c 6b3343cf 6b3343cf 00000001") {
            $0.versionInformation = .init(chosen: .v2, available: [.v2, .v1])
        }
        check("20 04 8000ffff") { $0.maxDatagramFrameSize = 65535 }
        check("6ab2 00") { $0.greaseQUICBit = true }
        check("4064 01 0f") { $0.additional[0x64] = [0x0f] }
    }

    @Test("A family of all zeros in a preferred address is not named (RFC 9000 section 18.2)")
    func preferredAddressOfOneFamily() throws {
        let zeros = String(repeating: "00", count: 18)
        let tail = "01 aa" + String(repeating: "00", count: 16)
        let v4Only = try TransportParameters.decode(
            Self.entry(0x0d, hex("c0000201 01bb \(zeros) \(tail)")), sender: .server)
        #expect(v4Only.preferredAddress?.ipv4 == NetworkAddress("192.0.2.1:443"))
        #expect(v4Only.preferredAddress?.ipv6 == nil)
        let v6Only = try TransportParameters.decode(
            Self.entry(0x0d, hex("00000000 0000 20010db8000000000000000000000001 01bb \(tail)")),
            sender: .server)
        #expect(v6Only.preferredAddress?.ipv4 == nil)
        #expect(v6Only.preferredAddress?.ipv6 == NetworkAddress("[2001:db8::1]:443"))
    }

    // Holds: 9000-7.4.2-1
    @Test("Unknown and reserved parameters are ignored (RFC 9000 sections 7.4.2 and 18.1)")
    func unknownParameters() throws {
        let bytes =
            Self.entry(27, [1, 2]) + Self.entry(0x3fff_ffff, []) + Self.entry(4, [9]) + Self.entry(0x64, [1])
        var expected = TransportParameters()
        expected.initialMaxData = 9
        #expect(try TransportParameters.decode(bytes, sender: .client) == expected)
        expected.additional[0x64] = [1]
        #expect(try TransportParameters.decode(bytes, sender: .client, keeping: [0x64, 0x65]) == expected)
    }

    @Test(
        "A random number adds one parameter that means nothing and settles the order (RFC 9000 section 18.1)")
    func grease() throws {
        var parameters = TransportParameters()
        parameters.initialMaxData = 1
        parameters.greaseQUICBit = true
        parameters.maxDatagramFrameSize = 3
        var orders: Set<[UInt64]> = []
        for random in 0..<64 {
            let bytes = parameters.encoded(sender: .client, random: UInt64(random))
            #expect(bytes == parameters.encoded(sender: .client, random: UInt64(random)))
            let ids = Self.ids(of: bytes)
            #expect(ids.filter { $0 % 31 == 27 }.count == 1)
            orders.insert(ids.filter { $0 % 31 != 27 })
            #expect(ids.count == 4)
        }
        #expect(orders.count == 6)
    }

    static func ids(of bytes: [UInt8]) -> [UInt64] {
        var ids: [UInt64] = []
        reading(bytes) { reader in
            while let id = reader.readVarint(), reader.readLengthPrefixedBytes() != nil { ids.append(id) }
        }
        return ids
    }

    @Test("Times are spans of milliseconds, whatever the peer says (RFC 9000 sections 10.1 and 18.2)")
    func times() {
        var parameters = TransportParameters()
        parameters.maxIdleTimeoutMilliseconds = VariableLengthInteger.max
        #expect(parameters.maxIdleTimeout == TimeSpan(nanoseconds: .max))
        parameters.maxIdleTimeout = nil
        #expect(parameters.maxIdleTimeoutMilliseconds == 0)
        parameters.maxAckDelay = .seconds(100)
        #expect(parameters.maxAckDelayMilliseconds == 16383)
        parameters.maxAckDelay = .seconds(-1)
        #expect(parameters.maxAckDelayMilliseconds == 0)
    }

    @Test("A client forgets what it must not use for 0-RTT (RFC 9000 section 7.4.1)")
    func rememberedParameters() {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<50 {
            let parameters = Self.random(&generator, sender: .server)
            let kept = parameters.rememberedForEarlyData
            #expect(kept.ackDelayExponent == 3 && kept.maxAckDelayMilliseconds == 25)
            #expect(kept.initialSourceConnectionID == nil && kept.originalDestinationConnectionID == nil)
            #expect(kept.retrySourceConnectionID == nil && kept.statelessResetToken == nil)
            #expect(kept.preferredAddress == nil)
            #expect(kept.initialMaxData == parameters.initialMaxData)
            #expect(kept.activeConnectionIDLimit == parameters.activeConnectionIDLimit)
            #expect(kept.maxUDPPayloadSize == parameters.maxUDPPayloadSize)
            #expect(parameters.permitsEarlyData(sentUnder: kept))
        }
    }

    @Test(
        "A server that accepts 0-RTT lowers no limit (RFC 9000 section 7.4.1, RFC 9221 section 3)"
    )
    func loweredLimits() {
        let limits: [WritableKeyPath<TransportParameters, UInt64>] = [
            \.activeConnectionIDLimit, \.initialMaxData, \.initialMaxStreamDataBidirectionalLocal,
            \.initialMaxStreamDataBidirectionalRemote, \.initialMaxStreamDataUnidirectional,
            \.initialMaxStreamsBidirectional, \.initialMaxStreamsUnidirectional, \.maxDatagramFrameSize,
        ]
        var remembered = TransportParameters()
        for limit in limits { remembered[keyPath: limit] = 10 }
        #expect(remembered.permitsEarlyData(sentUnder: remembered))
        for limit in limits {
            var offered = remembered
            offered[keyPath: limit] = 9
            #expect(!offered.permitsEarlyData(sentUnder: remembered))
            offered[keyPath: limit] = 11
            #expect(offered.permitsEarlyData(sentUnder: remembered))
        }
    }

    @Test("The set of extensions' parameters doesn't depend on the order in which it was filled")
    func additional() {
        var left = AdditionalTransportParameters()
        var right = AdditionalTransportParameters()
        for id in [5, 3, 4, 1, 2] as [UInt64] { left[100 + id] = [UInt8(id)] }
        for id in [1, 2, 3, 4, 5] as [UInt64] { right[100 + id] = [UInt8(id)] }
        #expect(left == right)
        #expect(left.ids == [101, 102, 103, 104, 105])
        left[103] = nil
        left[101] = []
        #expect(left[103] == nil && left[101] == [] && left[102] == [2])
        #expect(left.count == 4)
    }
}
