import Foundation
import Godwit
import GodwitSimulator
import GodwitWire
import NIOCore
import Testing

@testable import MHQKit

/// What a demo is put together from.
@Suite struct DemoPartTests {
    private static var row: DemoRow {
        var row = DemoRow(strategy: .combined, seed: 7)
        (row.clients, row.moves, row.requests, row.bytesChecked) = (8, 2, 4812, 1_200_000_000)
        (row.serviceTimeBefore, row.firstServiceTimeAfter, row.serviceTimeLater) = (0.314, 0.7449, 0.3)
        (row.stallBeyondFreeze, row.freeze) = (2.5, 612.0456)
        for index in 0...2 { row.answers[LoopbackAddress.make(index, port: 4433)] = 1604 }
        return row
    }

    @Test("A row is a line of the table, under its heads")
    func table() {
        let line = DemoTable.line(Self.row)
        #expect(
            line.split(separator: " ").joined(separator: " ") == "combined 4,812 0 1.2 GB 0.31 0.74 0.30 2.50"
        )
        #expect(DemoTable.head.allSatisfy { $0.count <= line.count + 2 && $0.count <= 100 })
    }

    @Test("A row is a JSON object with exactly these members")
    func json() throws {
        let members = try #require(JSONValue.members(of: Self.row.json))
        #expect(
            Set(members.keys) == [
                "strategy", "moves", "connections_lost", "requests", "failed", "bytes_checked",
                "service_time_before_ms", "first_service_time_after_ms", "service_time_later_ms",
                "stall_beyond_freeze_ms", "freeze_ms", "answered_at_old_address", "answers_by_address",
                "seed",
            ])
        #expect(members["first_service_time_after_ms"] == .number(0.745))
        #expect(members["freeze_ms"] == .number(612.046))
        #expect(members["answers_by_address"]?.table == nil)
        var lost = Self.row
        lost.firstServiceTimeAfter = nil
        #expect(JSONValue.members(of: lost.json)?["first_service_time_after_ms"] == .null)
    }

    @Test("Nothing is good about a row with a loss in it")
    func verdict() {
        #expect(Self.row.isGood)
        let faults: [(inout DemoRow) -> Void] = [
            { $0.connectionsLost = 1 }, { $0.failed = 1 }, { $0.answeredAtOldAddress = 1 },
            { $0.fault = "x" }, { $0.moves = 0 }, { $0.answers.removeAll() },
        ]
        for fault in faults {
            var row = Self.row
            fault(&row)
            #expect(!row.isGood)
        }
    }

    @Test("A byte that is wrong is found, and so is one that is missing")
    func check() throws {
        let pattern = DemoTraffic(seed: 3).pattern(9, from: .server)
        var check = DemoCheck(pattern)
        try check.take(ByteBuffer(bytes: pattern.bytes(0..<100)))
        #expect(throws: DemoFault.self) { try check.end(at: 101) }
        var wrong = pattern.bytes(100..<200)
        wrong[50] ^= 1
        let fault = #expect(throws: DemoFault.self) { try check.take(ByteBuffer(bytes: wrong)) }
        #expect(fault?.description == "byte 150 is wrong")
    }

    @Test("An address that was left is nobody else's, and what comes there is counted")
    func abandoned() throws {
        let port = try LoopbackAddress.freePort(at: 1)
        let address = LoopbackAddress.make(0, port: port)
        let owner = try #require(LoopbackAddress.bind(address))
        #expect(throws: DemoFault.self) { try AbandonedAddress(address) }
        close(owner)
        let abandoned = try AbandonedAddress(address)
        #expect(LoopbackAddress.bind(address) == nil)
        #expect(abandoned.count() == 0)
        let sender = try #require(LoopbackAddress.bind(NetworkAddress("127.0.0.1:0")!))
        defer { close(sender) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        for _ in 0..<3 {
            withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(sender, "x", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        #expect(abandoned.count() == 3)
    }

    @Test("A captured datagram has headers with right lengths and checksums (RFC 791, RFC 768)")
    func capture() throws {
        let folder = try TemporaryFolder()
        let capture = try DatagramCapture(path: folder["a.pcap"])
        let payload: [UInt8] = [1, 2, 3, 4, 5]
        payload.withUnsafeBytes {
            capture.write(
                SeenDatagram(
                    source: NetworkAddress("127.0.0.1:1234")!, destination: NetworkAddress("127.0.0.2:443")!,
                    ecn: .ect0, bytes: $0))
        }
        try capture.finish()
        let file = try Array(Data(contentsOf: URL(fileURLWithPath: folder["a.pcap"])))
        #expect(file.count == 24 + 16 + 28 + 5)
        #expect(file[..<4].elementsEqual([0x4d, 0x3c, 0xb2, 0xa1]))
        let packet = Array(file[40...])
        #expect(packet[..<4].elementsEqual([0x45, 0x02, 0, 33]))
        #expect(sum(packet[..<20]) == 0xffff)
        let pseudoHeader: [UInt8] = Array(packet[12..<20]) + [0, 17, 0, 13]
        #expect(sum(pseudoHeader + packet[20...]) == 0xffff)
        #expect(packet[20..<26].elementsEqual([0x04, 0xd2, 0x01, 0xbb, 0, 13]))
    }

    private func sum(_ bytes: some Collection<UInt8>) -> UInt32 {
        let bytes = Array(bytes)
        var sum = bytes.indices.reduce(UInt32(0)) { $0 + UInt32(bytes[$1]) << ($1.isMultiple(of: 2) ? 8 : 0) }
        while sum > 0xffff { sum = (sum >> 16) + (sum & 0xffff) }
        return sum
    }

    @Test("A line for a terminal is never wider than it, colours or not")
    func styledLine() {
        var line = StyledLine()
        line.add("abc", .bold)
        line.add("defg", .green)
        #expect(line.text(width: 80, isColoured: false) == "abcdefg")
        #expect(line.text(width: 5, isColoured: false) == "abcd…")
        #expect(line.text(width: 80, isColoured: true) == "\u{1b}[1mabc\u{1b}[0m\u{1b}[32mdefg\u{1b}[0m")
    }
}
