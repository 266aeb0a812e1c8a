import GodwitMigration
import GodwitWire
import Testing

@Suite("Agreeing on moves of the server")
struct MigrationNegotiationTests {
    // Specs/server-migration.md 2.2, 2.3
    // Holds: W28
    @Test(
        "Every two suites agree on what both know, and both sides see the same"
    )
    func everySuite() throws {
        for offered in 0...UInt64(0x1f) {
            for known in 0...UInt64(0x1f) {
                let client = ClientMigrationNegotiation(suite: MigrationSuite(rawValue: offered))
                let server = ServerMigrationNegotiation(suite: MigrationSuite(rawValue: known))
                var (offer, answer) = (TransportParameters(), TransportParameters())
                client.write(to: &offer)
                let atServer = try server.answer(offer, in: &answer)
                #expect(try client.receive(answer) == atServer)
                #expect(atServer.suite.rawValue == offered & known)
                let isAnswered = offered != 0 && known != 0
                #expect(try answer.serverMigrationSuite() == (isAnswered ? offered & known : nil))
                #expect(try offer.serverMigrationSuite() == (offered == 0 ? nil : offered))
            }
        }
    }

    // Specs/server-migration.md 2.3.5
    @Test("A server without a pool agrees on none, unless the client knows of pools that change")
    func withoutPool() throws {
        let server = ServerMigrationNegotiation(hasPool: false)
        for (offered, expected) in [(MigrationSuite.basic, UInt64(0xd)), (.all, 0x1f), (.poolOfAddresses, 0)]
        {
            var (offer, answer) = (TransportParameters(), TransportParameters())
            ClientMigrationNegotiation(suite: offered).write(to: &offer)
            #expect(try server.answer(offer, in: &answer).suite.rawValue == expected)
            #expect(try answer.serverMigrationSuite() == expected)
        }
    }

    // Holds: W28
    @Test("A server ignores bits that mean nothing to it (Specs/server-migration.md 2.3.3)")
    func unknownBitsAtServer() throws {
        var (offer, answer) = (TransportParameters(), TransportParameters())
        offer.setServerMigrationSuite(VariableLengthInteger.max)
        let agreement = try ServerMigrationNegotiation().answer(offer, in: &answer)
        #expect(agreement.suite == .all)
        #expect(try answer.serverMigrationSuite() == 0x1f)
        offer.setServerMigrationSuite(0x20)
        #expect(try ServerMigrationNegotiation().answer(offer, in: &answer).isNone)
        #expect(try answer.serverMigrationSuite() == 0)
    }

    @Test(
        "Offering nothing is an error, except to a server that doesn't care (Specs/server-migration.md 2.3.2)"
    )
    func emptyOffer() throws {
        var (offer, answer) = (TransportParameters(), TransportParameters())
        offer.setServerMigrationSuite(0)
        let error = transportError { _ = try ServerMigrationNegotiation().answer(offer, in: &answer) }
        #expect(error?.code == .transportParameterError)
        #expect(try ServerMigrationNegotiation.off.answer(offer, in: &answer).isNone)
        #expect(answer == TransportParameters())
    }

    @Test("A client refuses every bit that it did not offer (Specs/server-migration.md 2.2.2)")
    func unexpectedAnswer() throws {
        for offered in 0...UInt64(0x1f) {
            let client = ClientMigrationNegotiation(suite: MigrationSuite(rawValue: offered))
            for answered in 0...UInt64(0x3f) {
                var parameters = TransportParameters()
                parameters.setServerMigrationSuite(answered)
                let error = transportError { _ = try client.receive(parameters) }
                let isGood = offered != 0 && answered & ~offered == 0
                #expect((error == nil) == isGood)
                if let error { #expect(error.code == .transportParameterError) }
            }
        }
    }

    @Test("The parameters are those of the thesis's program, byte for byte (Specs/server-migration.md 2.1)")
    func capturedBytes() throws {
        var parameters = TransportParameters()
        ClientMigrationNegotiation(suite: .basic).write(to: &parameters)
        #expect(Hexadecimal.encode(parameters.encoded(sender: .client)).contains("4064010f"))
        for (text, suite) in [
            ("40640101", MigrationSuite.explicit), ("40640102", .poolOfAddresses), ("40640104", .symmetric),
            ("40640108", .synchronizedSymmetric),
        ] {
            let answer = try TransportParameters.decode(
                Hexadecimal.decode(text)!, sender: .server, keeping: MigrationTransportParameter.ids)
            #expect(try ClientMigrationNegotiation().receive(answer).suite == suite)
        }
    }

    @Test(
        "A suite that is not one integer is malformed (Specs/server-migration.md 2.1)",
        arguments: ["", "40", "0101", "800000"])
    func malformedSuite(text: String) {
        var parameters = TransportParameters()
        parameters.additional[MigrationTransportParameter.serverMigrationSuite] = Hexadecimal.decode(text)!
        #expect(
            transportError { _ = try ClientMigrationNegotiation().receive(parameters) }?.code
                == .transportParameterError)
        var answer = TransportParameters()
        #expect(
            transportError { _ = try ServerMigrationNegotiation().answer(parameters, in: &answer) }?.code
                == .transportParameterError)
    }

    // Holds: W27
    @Test(
        "A client of the draft allows alternative addresses and nothing else (Specs/server-migration.md 2.4)")
    func draftAlone() throws {
        let agreement = try MigrationAgreement.of([], draft: true)
        #expect(agreement.allowsAlternativeAddresses && agreement.allowsServerProbing)
        #expect(!agreement.isExtended && agreement.suite.isEmpty && !agreement.isNone)
        #expect(MigrationStrategy.allCases.filter(agreement.permits) == [.combined])
    }

    // draft-munizaga-quic-alternative-server-address-00 section 4
    @Test(
        "The draft's parameter is empty and comes from clients"
    )
    func draftParameter() throws {
        let client = ClientMigrationNegotiation(suite: [], offersAlternativeAddresses: true)
        var parameters = TransportParameters()
        client.write(to: &parameters)
        #expect(
            Hexadecimal.encode(parameters.encoded(sender: .client)).contains("c00000ff0969d85c" + "00"))
        #expect(transportError { _ = try client.receive(parameters) }?.code == .transportParameterError)
        parameters.additional[MigrationTransportParameter.alternativeAddress] = [0]
        var answer = TransportParameters()
        #expect(
            transportError { _ = try ServerMigrationNegotiation().answer(parameters, in: &answer) }?.code
                == .transportParameterError)
    }

    // Holds: W30
    @Test("Nothing of it is remembered for early data (Specs/server-migration.md 2.5)")
    func earlyData() {
        var parameters = TransportParameters()
        ClientMigrationNegotiation(offersAlternativeAddresses: true).write(to: &parameters)
        #expect(parameters.rememberedForEarlyData.additional.isEmpty)
    }

    @Test("A suite names its bits")
    func text() {
        #expect(
            MigrationSuite.all.description
                == "explicit, pool of addresses, symmetric, synchronized symmetric, extended")
        #expect(MigrationSuite(rawValue: 0x24).description == "symmetric, 0x20")
        #expect(MigrationSuite([]).description == "none")
    }
}
