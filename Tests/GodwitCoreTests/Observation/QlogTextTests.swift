import Foundation
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("qlog as text")
struct QlogTextTests {
    private func read(_ fill: (inout JSONRecord) -> Void) throws -> [String: Any] {
        var record = JSONRecord()
        fill(&record)
        let bytes = record.finished()
        #expect(!bytes.dropFirst().contains(0x1e))
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes.dropFirst())) as? [String: Any])
    }

    private func frames(of payload: [UInt8]) throws -> [[String: Any]] {
        let object = try read { record in
            record.array("frames") { frames in
                payload.withUnsafeBytes { QlogWriter.writeFrames(of: $0, ackDelayExponent: 3, &frames) }
            }
        }
        return try #require(object["frames"] as? [[String: Any]])
    }

    @Test("Whatever a peer writes into a reason phrase comes back as it was (RFC 8259 section 7)")
    func escapes() throws {
        var random = SystemlessRandom(state: 1)
        for _ in 0..<300 {
            let scalars = (0..<Int(random.next() % 40)).compactMap { _ in
                Unicode.Scalar(UInt32(random.next() % (random.next() % 2 == 0 ? 0x80 : 0x11_0000)))
            }
            let text = String(String.UnicodeScalarView(scalars))
            #expect(try read { $0.field("reason", text: text) }["reason"] as? String == text)
        }
    }

    @Test(
        "A reason phrase that is no text still makes a record that can be read (RFC 9000 section 19.19)"
    )
    func invalidText() throws {
        var random = SystemlessRandom(state: 2)
        for _ in 0..<300 {
            let reason = (0..<Int(random.next() % 60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let payload = [0x1d, 0x07, UInt8(reason.count)] + reason
            let frame = try #require(try frames(of: payload).first)
            #expect(frame["frame_type"] as? String == "connection_close")
            #expect(frame["error_code"] as? Int == 7)
            #expect(frame["reason"] as? String == String(decoding: reason, as: UTF8.self))
        }
    }

    @Test("Bytes that are no frames end the list with an unknown one")
    func unknown() throws {
        var random = SystemlessRandom(state: 3)
        for _ in 0..<2000 {
            let payload = (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let lengths = try frames(of: payload).map {
                ($0["raw"] as? [String: Any])?["length"] as? Int ?? 0
            }
            #expect(lengths.reduce(0, +) == payload.count)
        }
    }

    @Test("Numbers that scripts would round are strings (RFC 7493 section 2.2)")
    func numbers() throws {
        let object = try read {
            $0.field("exact", UInt64(1) << 53 - 1)
            $0.field("large", VariableLengthInteger.max)
            $0.field("time", milliseconds: .microseconds(12_034))
        }
        #expect(object["exact"] as? UInt64 == 9_007_199_254_740_991)
        #expect(object["large"] as? String == "4611686018427387903")
        #expect(object["time"] as? Double == 12.034)
    }

    @Test("Every frame has its name, its fields and its length (RFC 9000 section 19)")
    func everyFrame() throws {
        let bytes: [UInt8] = [1, 2, 3]
        var buffer = [UInt8](repeating: 0, count: 2000)
        let (count, names) = bytes.withUnsafeBytes { data in
            buffer.withUnsafeMutableBytes { buffer in
                var writer = ByteWriter(buffer)
                let all = Self.frames(data)
                for frame in all { frame.encode(into: &writer) }
                return (writer.count, all.map { "\($0.qlogName)" })
            }
        }
        let read = try frames(of: Array(buffer[..<count]))
        #expect(read.compactMap { $0["frame_type"] as? String } == names)
        let lengths = read.map { ($0["raw"] as? [String: Any])?["length"] as? Int ?? 0 }
        #expect(lengths.reduce(0, +) == count)
        #expect(read[4]["final_size"] as? Int == 12)
        #expect(read[8]["fin"] as? Bool == true)
        #expect(read[15]["stream_type"] as? String == "unidirectional")
        #expect(read[18]["data"] as? String == "0000000000000102")
        #expect(read[20]["error"] as? String == "crypto_error_0x128")
        #expect(read[21]["error"] as? String == "flow_control_error")
    }

    private static func frames(_ data: UnsafeRawBufferPointer) -> [Frame] {
        let stream = StreamID(rawValue: 4)
        let newID = NewConnectionIDFrame(
            sequenceNumber: 3, retirePriorTo: 1, id: ConnectionID([1, 2, 3, 4])!,
            resetToken: StatelessResetToken(high: 1, low: 2))
        return [
            .crypto(CryptoFrame(offset: 5, data: data)), .ping, .handshakeDone, .newToken(data),
            .resetStream(ResetStreamFrame(id: stream, errorCode: 1, finalSize: 12)),
            .stopSending(StopSendingFrame(id: stream, errorCode: 2)), .maxData(1000),
            .maxStreamData(stream, maximum: 1 << 60),
            .stream(StreamFrame(id: stream, offset: 9, data: data, fin: true)),
            .maxStreams(.bidirectional, maximum: 7), .maxStreams(.unidirectional, maximum: 7),
            .dataBlocked(limit: 1), .streamDataBlocked(stream, limit: 1), .datagram(data),
            .streamsBlocked(.bidirectional, limit: 1), .streamsBlocked(.unidirectional, limit: 1),
            .newConnectionID(newID), .retireConnectionID(sequenceNumber: 2), .pathChallenge(0x102),
            .pathResponse(0x102), close(.cryptoError(alert: 40), data), close(.flowControlError, data),
            .padding(count: 5),
        ]
    }

    private static func close(_ code: TransportErrorCode, _ reason: UnsafeRawBufferPointer) -> Frame {
        .connectionClose(
            ConnectionCloseFrame(isApplication: false, errorCode: code.rawValue, frameType: 6, reason: reason)
        )
    }

    @Test("An ACK frame shows its ranges, newest first, its counts and its delay (RFC 9000 section 19.3)")
    func ack() throws {
        // Largest 10, delay 100, one more range; 10…9, then 5.
        let frame = try #require(try frames(of: [0x03, 10, 0x40, 100, 1, 1, 2, 0, 7, 8, 9]).first)
        #expect(frame["acked_ranges"] as? [[Int]] == [[9, 10], [5]])
        #expect(frame["ack_delay"] as? Double == 0.8)
        #expect((frame["ect0"] as? Int, frame["ect1"] as? Int, frame["ce"] as? Int) == (7, 8, 9))
    }

    @Test("Days are those of the calendar (RFC 3339 section 5.6)")
    func calendar() {
        #expect(CalendarTime(unixTime: 0).text == "1970-01-01T00:00:00.000Z")
        #expect(CalendarTime(unixTime: 951_782_399).text == "2000-02-28T23:59:59.000Z")
        #expect(CalendarTime(unixTime: 951_782_400).text == "2000-02-29T00:00:00.000Z")
        #expect(CalendarTime(unixTime: 1_709_251_199).text == "2024-02-29T23:59:59.000Z")
        #expect(CalendarTime(unixTime: -1).text == "1969-12-31T23:59:59.000Z")
    }
}

/// Numbers that are the same on every run (SplitMix64).
private struct SystemlessRandom {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
