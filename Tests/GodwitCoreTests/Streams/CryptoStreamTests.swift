import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Handshake bytes")
struct CryptoStreamTests {
    private func receive(_ stream: inout CryptoStream, _ offset: UInt64, _ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try stream.receive(CryptoFrame(offset: offset, data: $0)) }
    }

    private func read(_ stream: inout CryptoStream) -> [UInt8] {
        var bytes: [UInt8] = []
        while stream.readableCount > 0 {
            _ = stream.read { view in
                bytes += view
                return view.count
            }
        }
        return bytes
    }

    private func packet(_ stream: inout CryptoStream, size: Int) -> TestPacket {
        var packet = TestPacket(bytes: [UInt8](repeating: 0, count: size), records: [])
        let count = packet.bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            stream.writeFrames(into: &writer, records: &packet.records)
            return writer.count
        }
        packet.bytes.removeSubrange(count...)
        return packet
    }

    @Test("Handshake bytes are put in order (RFC 9000 section 19.6)")
    func reassembles() throws {
        var stream = CryptoStream()
        try receive(&stream, 100, pattern(100, from: 100))
        #expect(stream.readableCount == 0 && stream.hasUnreadData)
        try receive(&stream, 0, pattern(120))
        #expect(read(&stream) == pattern(200))
        try receive(&stream, 50, pattern(100, from: 50))
        #expect(!stream.hasUnreadData)
    }

    @Test("Too far ahead is an error, and at least 4,096 bytes are kept (RFC 9000 section 7.5)")
    func bounded() throws {
        var stream = CryptoStream(receiveLimit: 1)
        try receive(&stream, 4095, [1])
        var exceeded = stream
        #expect(errorCode { try receive(&exceeded, 4096, [1]) } == .cryptoBufferExceeded)
        #expect(errorCode { try receive(&exceeded, VariableLengthInteger.max, []) } == .cryptoBufferExceeded)
        try receive(&stream, 0, pattern(4095))
        #expect(read(&stream).count == 4096)
        try receive(&stream, 4096, pattern(4096))
    }

    @Test("Bytes in too many pieces are an error (RFC 9000 section 7.5)")
    func tooManyPieces() {
        var stream = CryptoStream()
        let code = errorCode { for index: UInt64 in 0..<5000 { try receive(&stream, 2 * index + 1, [1]) } }
        #expect(code == .cryptoBufferExceeded)
    }

    @Test("What is written goes out in frames until it is acknowledged (RFC 9000 section 13.3)")
    func sends() throws {
        var sender = CryptoStream()
        var receiver = CryptoStream()
        #expect(sender.isFullyAcknowledged && !sender.hasDataToSend)
        pattern(3000).withUnsafeBytes { sender.write($0) }
        var packets: [TestPacket] = []
        while sender.hasDataToSend { packets.append(packet(&sender, size: 1000)) }
        #expect(packets.count == 4)
        #expect(packets[0].records == [.crypto(offset: 0, length: 996)])
        sender.onLost(packets[1].records[0])
        sender.onAcked(packets[2].records[0])
        packets[1] = packet(&sender, size: 500)
        packets.append(packet(&sender, size: 1000))
        #expect(!sender.hasDataToSend)
        for packet in packets {
            packet.forEachFrame { if case .crypto(let frame) = $0 { try? receiver.receive(frame) } }
            for record in packet.records { sender.onAcked(record) }
        }
        #expect(read(&receiver) == pattern(3000))
        #expect(sender.isFullyAcknowledged)
    }

    @Test("After a Retry everything goes out again (RFC 9000 section 17.2.5.3)")
    func resendsAll() {
        var stream = CryptoStream()
        pattern(1500).withUnsafeBytes { stream.write($0) }
        let first = packet(&stream, size: 1200)
        stream.resendAll()
        #expect(packet(&stream, size: 1200).bytes == first.bytes)
        stream.onAcked(.handshakeDone)
    }

    @Test("Bytes of discarded keys are forgotten (RFC 9001 section 4.9)")
    func discards() throws {
        var stream = CryptoStream()
        pattern(1500).withUnsafeBytes { stream.write($0) }
        let sent = packet(&stream, size: 1200)
        try receive(&stream, 0, pattern(10))
        stream.discard()
        stream.onLost(sent.records[0])
        #expect(!stream.hasDataToSend && !stream.hasUnreadData && stream.isFullyAcknowledged)
    }
}
