import GodwitMigration
import GodwitWire
import Testing

@Suite("The captured transport parameters of the thesis's program")
struct CapturedParameterTests {
    private static func parameters(_ run: CapturedRun, of sender: Role) throws -> TransportParameters {
        let bytes = try #require(try CapturedParameters(PacketOpener.open(run)).bytes[sender])
        return try TransportParameters.decode(
            bytes, sender: sender, keeping: MigrationTransportParameter.ids)
    }

    /// The listed lines about a sender's parameters.
    private static func listing(_ run: CapturedRun, of sender: Role) -> [String] {
        run.datagrams.filter { $0.sender == sender }.flatMap(\.parameters)
    }

    @Test(
        "They stand where the version has them (Specs/server-migration.md 9.1.1)",
        arguments: CapturedRun.Name.allCases)
    func places(name: CapturedRun.Name) throws {
        let run = try CapturedRun(name)
        let captured = try CapturedParameters(PacketOpener.open(run))
        #expect(captured.codePoints == [name == .mvfstVersion ? 0xffa5 : 0x39])
        for sender in [Role.client, .server] {
            let bytes = try #require(captured.bytes[sender])
            let raw = try #require(Self.listing(run, of: sender).first?.split(separator: "raw=").last)
            #expect(Hexadecimal.encode(bytes) == raw)
        }
    }

    @Test(
        "Each has the listed value (RFC 9000 section 18.2, Specs/server-migration.md 2.1)",
        arguments: CapturedRun.Name.allCases, [Role.client, .server])
    func values(name: CapturedRun.Name, sender: Role) throws {
        let run = try CapturedRun(name)
        let parameters = try Self.parameters(run, of: sender)
        let listed = try #require(Self.listing(run, of: sender).last?.dropFirst("TP ".count))
        let expected = listed.split(separator: "; ").map(String.init).sorted()
        #expect(try listing(parameters).sorted() == expected)
    }

    /// All that the thesis's program sends, in the words of the listing.
    private func listing(_ parameters: TransportParameters) throws -> [String] {
        let numbers: [(String, UInt64?)] = [
            ("imsd_bidi_local", parameters.initialMaxStreamDataBidirectionalLocal),
            ("imsd_bidi_remote", parameters.initialMaxStreamDataBidirectionalRemote),
            ("imsd_uni", parameters.initialMaxStreamDataUnidirectional),
            ("initial_max_data", parameters.initialMaxData),
            ("initial_max_streams_bidi", parameters.initialMaxStreamsBidirectional),
            ("initial_max_streams_uni", parameters.initialMaxStreamsUnidirectional),
            ("max_idle_timeout", parameters.maxIdleTimeoutMilliseconds),
            ("ack_delay_exponent", parameters.ackDelayExponent),
            ("max_udp_payload_size", parameters.maxUDPPayloadSize),
            ("active_cid_limit", parameters.activeConnectionIDLimit),
            ("server_migration_suite", try parameters.serverMigrationSuite()),
        ]
        let ids: [(String, [UInt8]?)] = [
            ("original_dcid", parameters.originalDestinationConnectionID?.bytes),
            ("initial_scid", parameters.initialSourceConnectionID?.bytes),
            ("stateless_reset_token", parameters.statelessResetToken.map(bytes)),
        ]
        return numbers.compactMap { name, value in value.map { "\(name)=\(encoded($0))(=\($0))" } }
            + ids.compactMap { name, value in value.map { "\(name)=\(Hexadecimal.encode($0))" } }
    }

    private func encoded(_ value: UInt64) -> String {
        Hexadecimal.encode(
            [UInt8](unsafeUninitializedCapacity: 8) { buffer, count in
                var writer = ByteWriter(UnsafeMutableRawBufferPointer(buffer))
                writer.writeVarint(value)
                count = writer.count
            })
    }

    private func bytes(_ token: StatelessResetToken) -> [UInt8] {
        [token.high, token.low].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
    }

    // Holds: W28
    @Test(
        "Our server answers the captured offer as theirs did, and our client takes the captured answer",
        arguments: CapturedRun.Name.allCases)
    func negotiation(name: CapturedRun.Name) throws {
        let run = try CapturedRun(name)
        let (offer, answer) = (
            try Self.parameters(run, of: .client), try Self.parameters(run, of: .server)
        )
        #expect(try offer.serverMigrationSuite() == MigrationSuite.basic.rawValue)
        var own = TransportParameters()
        let agreement = try ServerMigrationNegotiation(suite: name.suite).answer(offer, in: &own)
        let id = MigrationTransportParameter.serverMigrationSuite
        #expect(own.additional[id] == answer.additional[id])
        // What we offer beyond it, their server passes over.
        for suite in [MigrationSuite.basic, .all] {
            #expect(try ClientMigrationNegotiation(suite: suite).receive(answer) == agreement)
        }
        #expect(agreement.suite == name.suite && !agreement.isExtended)
    }
}

extension CapturedRun.Name {
    /// What the server of the run was configured with.
    var suite: MigrationSuite {
        switch self {
        case .reactiveExplicit, .proactiveExplicit: .explicit
        case .poolOfAddresses: .poolOfAddresses
        case .symmetric, .mvfstVersion: .symmetric
        case .synchronizedSymmetric: .synchronizedSymmetric
        }
    }
}
