import Foundation
import GodwitMigration
import GodwitWire
import Testing

@Suite("A run with alternative addresses, for those who read captures")
struct ForgedRunTests {
    private static let file = "alternativeAddresses.txt"

    @Test("The text in Tests/Captures is what we write, to the last byte")
    func text() throws {
        let text = try ForgedRun.text()
        let stored = try String(contentsOf: CapturedRun.folder.appending(path: Self.file), encoding: .utf8)
        #expect(stored == text)
    }

    @Test("Its packets open, and its frames are the listed ones (Specs/server-migration.md 3)")
    func frames() throws {
        let run = try CapturedRun(file: Self.file)
        var (opener, types) = (PacketOpener(run), Set<UInt64>())
        for datagram in run.datagrams {
            let packets = try opener.open(datagram)
            #expect(try packets.map { try PacketListing.line($0) } == datagram.packets)
            for frame in try packets.flatMap({ try $0.migrationFrames() }) { types.insert(frame.type) }
        }
        #expect(types == [0x32, 0x33, 0x34, 0x1d58_45e2, 0x1d58_45e3])
    }

    @Test("Both ends know all of it (Specs/server-migration.md 2.1, 2.4)")
    func parameters() throws {
        let bytes = try CapturedParameters(PacketOpener.open(CapturedRun(file: Self.file))).bytes
        let offer = try TransportParameters.decode(
            try #require(bytes[.client]), sender: .client, keeping: MigrationTransportParameter.ids)
        #expect(try offer.offersAlternativeAddresses())
        var own = TransportParameters()
        let agreement = try ServerMigrationNegotiation().answer(offer, in: &own)
        let answer = try TransportParameters.decode(
            try #require(bytes[.server]), sender: .server, keeping: MigrationTransportParameter.ids)
        let client = ClientMigrationNegotiation(offersAlternativeAddresses: true)
        #expect(try client.receive(answer) == agreement)
        #expect(agreement.suite == .all)
    }
}
