import GodwitWire
import Testing

@Suite("The captured packets of the thesis's program")
struct CapturedPacketTests {
    @Test(
        "Every packet opens with our protection, and its frames are the listed ones (RFC 9001 section 5)",
        arguments: CapturedRun.Name.allCases)
    func frames(name: CapturedRun.Name) throws {
        let run = try CapturedRun(name)
        var opener = PacketOpener(run)
        var count = 0
        for datagram in run.datagrams where datagram.isQUIC {
            let lines = try opener.open(datagram).map { try PacketListing.line($0) }
            #expect(lines == datagram.packets)
            count += lines.count
        }
        #expect(count >= 43)
    }

    @Test(
        "Every packet is protected again as it was, byte for byte (RFC 9001 section 5)",
        arguments: CapturedRun.Name.allCases)
    func sealing(name: CapturedRun.Name) throws {
        let run = try CapturedRun(name)
        var opener = PacketOpener(run)
        for datagram in run.datagrams where datagram.isQUIC {
            for packet in try opener.open(datagram) { #expect(try opener.seal(packet) == packet.protected) }
        }
    }

    @Test(
        "Migration frames are encoded as they were, byte for byte (Specs/server-migration.md 3)",
        arguments: CapturedRun.Name.allCases)
    func encoding(name: CapturedRun.Name) throws {
        var count = 0
        for packet in try PacketOpener.open(CapturedRun(name)) {
            try packet.forEachFrame { frame in
                guard case .migration(let migration) = frame.content else { return }
                #expect(migration.encoded == frame.bytes)
                #expect(migration.type == frame.type && migration.encodedSize == frame.bytes.count)
                #expect(packet.sender == .server && packet.level == .oneRTT)
                count += 1
            }
        }
        #expect(count >= 1)
    }

    @Test("A packet with one bit wrong does not open (RFC 9001 section 5.3)")
    func tampering() throws {
        let run = try CapturedRun(.symmetric)
        for index in [0, 20, 600, 1251] {
            var (opener, datagram) = (PacketOpener(run), run.datagrams[0])
            datagram.bytes[index] ^= 0x01
            #expect(throws: (any Error).self) { _ = try opener.open(datagram) }
        }
    }
}
