import GodwitSimulator
import GodwitWire
import Testing

@Suite("Captures that Wireshark opens")
struct PacketCaptureTests {
    private struct Packet {
        var seconds: UInt32
        var nanoseconds: UInt32
        var bytes: [UInt8]
    }

    /// Reads a pcap file back, strictly.
    private func parse(_ file: [UInt8]) throws -> [Packet] {
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(file[offset + $1]) << (8 * UInt32($1)) }
        }
        try #require(file.count >= 24)
        // Magic for nanoseconds, version 2.4, longest packet, LINKTYPE_RAW.
        try #require(
            word(0) == 0xa1b2_3c4d && word(4) == 0x0004_0002 && word(16) == 65_535 && word(20) == 101)
        var packets: [Packet] = []
        var offset = 24
        while offset < file.count {
            let size = Int(word(offset + 8))
            try #require(word(offset + 12) == UInt32(size) && offset + 16 + size <= file.count)
            packets.append(
                Packet(
                    seconds: word(offset), nanoseconds: word(offset + 4),
                    bytes: Array(file[(offset + 16)..<(offset + 16 + size)])))
            offset += 16 + size
        }
        return packets
    }

    /// The sum of RFC 1071 over bytes that include a right checksum is all ones.
    private func sum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(index + 1 < bytes.count ? bytes[index + 1] : 0)
        }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        return UInt16(sum)
    }

    private func udpSum(_ packet: [UInt8], headerSize: Int, addresses: Range<Int>) -> UInt16 {
        let udp = Array(packet[headerSize...])
        let pseudoHeader = Array(packet[addresses]) + [0, 17, UInt8(udp.count >> 8), UInt8(udp.count & 0xff)]
        return sum(pseudoHeader + udp)
    }

    private func capture(_ point: (HostID) -> PacketCapture.Point, ipv6: Bool = false) throws -> [Packet] {
        let network = SimulatedNetwork(seed: 1)
        func host(_ number: UInt64) -> NetworkAddress {
            ipv6
                ? NetworkAddress(ip: IPAddress(high: 0x2001_0db8_0000_0000, low: number), port: 443)
                : address(UInt32(number))
        }
        let link = network.addLink(LinkParameters(delay: .nanoseconds(1_500_000_007)))
        let client = Postbox([
            .init(time: .zero, remote: host(1), bytes: [1, 2, 3], ecn: .ect0, local: host(2))
        ])
        network.addHost("server", at: host(1), running: Echo())
        let id = network.addHost("client", at: host(2), egress: link, running: client)
        let capture = PacketCapture(point(id), epoch: 1_000_000)
        network.addObserver(capture)
        network.run(for: .seconds(5))
        return try parse(capture.file)
    }

    @Test("An IPv4 exchange has right headers, checksums and times")
    func writesIPv4() throws {
        let packets = try capture { .host($0) }
        try #require(packets.count == 2)
        let sent = packets[0].bytes
        #expect(packets[0].seconds == 1_000_000 && packets[0].nanoseconds == 0)
        #expect(packets[1].seconds == 1_000_001 && packets[1].nanoseconds == 500_000_007)
        #expect(sent.count == 31)
        #expect(Array(sent[0..<4]) == [0x45, 0x02, 0, 31])
        #expect(sent[9] == 17)
        #expect(Array(sent[12..<20]) == [192, 0, 2, 2, 192, 0, 2, 1])
        #expect(Array(sent[20..<26]) == [1, 187, 1, 187, 0, 11])
        #expect(Array(sent[28...]) == [1, 2, 3])
        #expect(Array(packets[1].bytes[12..<20]) == [192, 0, 2, 1, 192, 0, 2, 2])
        for packet in packets {
            #expect(sum(Array(packet.bytes[..<20])) == 0xffff)
            #expect(udpSum(packet.bytes, headerSize: 20, addresses: 12..<20) == 0xffff)
        }
    }

    @Test("An IPv6 datagram has the header of RFC 8200 and the checksum that it makes mandatory")
    func writesIPv6() throws {
        let packets = try capture({ .host($0) }, ipv6: true)
        try #require(packets.count == 2)
        let sent = packets[0].bytes
        #expect(sent.count == 51)
        #expect(Array(sent[0..<8]) == [0x60, 0x20, 0, 0, 0, 11, 17, 64])
        #expect(sent[23] == 2 && sent[39] == 1)
        for packet in packets { #expect(udpSum(packet.bytes, headerSize: 40, addresses: 8..<40) == 0xffff) }
    }

    @Test("Seen from the senders, each datagram appears once")
    func capturesAtSenders() throws {
        let packets = try capture { _ in .senders }
        #expect(packets.map { $0.bytes[15] } == [2, 1])
    }
}
