import GodwitWire
import Testing

@Suite("Basic types")
struct BasicsTests {
    // Holds: 9000-17.2-2, 9000-17.2-4
    @Test("Connection ids differ by bytes and by length, and hold at most 20 bytes (RFC 9000 section 17.2)")
    func connectionIDs() {
        #expect(ConnectionID([])!.isEmpty)
        #expect(ConnectionID([]) == .empty)
        #expect(ConnectionID([0]) != ConnectionID([0, 0]))
        #expect(ConnectionID([UInt8](repeating: 1, count: 21)) == nil)
        for length in 0...20 {
            let bytes = (0..<length).map { UInt8($0 + 1) }
            let id = ConnectionID(bytes)!
            #expect(id.bytes == bytes)
            #expect(id.length == length)
            #expect(id.description == Hexadecimal.encode(bytes))
            #expect(Set([id, ConnectionID(bytes)!]).count == 1)
        }
    }

    @Test("Hexadecimal digits are read in either case and with white space, and nothing else is")
    func hexadecimal() {
        #expect(Hexadecimal.decode("0aFf 10\n") == [0x0a, 0xff, 0x10])
        #expect(Hexadecimal.decode("") == [])
        for text in ["0", "0g", "１２", "-1", "0x01"] { #expect(Hexadecimal.decode(text) == nil, "\(text)") }
        #expect(Hexadecimal.encode([0, 1, 0xfe]) == "0001fe")
    }

    @Test("Stream ids carry initiator, direction and index (RFC 9000 section 2.1)")
    func streamIDs() {
        #expect(StreamID(index: 0, direction: .bidirectional, initiator: .client).rawValue == 0)
        #expect(StreamID(index: 0, direction: .bidirectional, initiator: .server).rawValue == 1)
        #expect(StreamID(index: 0, direction: .unidirectional, initiator: .client).rawValue == 2)
        let last = StreamID(index: StreamID.maxCount - 1, direction: .unidirectional, initiator: .server)
        #expect(last.rawValue == VariableLengthInteger.max)
        #expect(last.index == StreamID.maxCount - 1)
        #expect(last.initiator == .server)
        #expect(last.direction == .unidirectional)
    }

    @Test("Times saturate instead of trapping, at both ends")
    func saturatingTimes() {
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(Instant(nanoseconds: .min) - .nanoseconds(.max) == Instant(nanoseconds: .min))
        #expect(Instant.zero - TimeSpan(nanoseconds: .min) == .distantFuture)
        #expect(Instant.distantFuture - Instant(nanoseconds: -1) == TimeSpan(nanoseconds: .max))
        #expect(Instant(nanoseconds: .min) - Instant(nanoseconds: 1) == TimeSpan(nanoseconds: .min))
        #expect(TimeSpan.milliseconds(.max) == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan.seconds(.min) == TimeSpan(nanoseconds: .min))
        #expect(TimeSpan.seconds(-10) * .max == TimeSpan(nanoseconds: .min))
        #expect(TimeSpan.seconds(-10) * .min == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan(nanoseconds: .max) + .seconds(1) == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan(nanoseconds: .min) - .seconds(1) == TimeSpan(nanoseconds: .min))
        #expect(TimeSpan(.seconds(Int64.max)) == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan(.seconds(Int64.min)) == TimeSpan(nanoseconds: .min))
    }

    @Test("Spans convert to and from the standard library's durations")
    func durations() {
        #expect(TimeSpan(.milliseconds(1500)) == .milliseconds(1500))
        #expect(TimeSpan(.microseconds(-1)) == .microseconds(-1))
        #expect(TimeSpan.milliseconds(25).duration == .milliseconds(25))
        #expect(TimeSpan.milliseconds(1).microseconds == 1000)
        #expect(TimeSpan.milliseconds(333).description == "333.0 ms")
    }

    @Test("Error codes have the names of the registry, TLS alerts their number (RFC 9000 section 20.1)")
    func errorCodes() {
        #expect(TransportErrorCode.noError.description == "NO_ERROR")
        #expect(TransportErrorCode.transportParameterError.description == "TRANSPORT_PARAMETER_ERROR")
        #expect(TransportErrorCode.noViablePath.rawValue == 0x10)
        #expect(TransportErrorCode.versionNegotiationError.description == "VERSION_NEGOTIATION_ERROR")
        #expect(TransportErrorCode.cryptoError(alert: 40).rawValue == 0x128)
        #expect(TransportErrorCode(rawValue: 0x1ff).tlsAlert == 255)
        #expect(TransportErrorCode(rawValue: 0x200).tlsAlert == nil)
        #expect(TransportErrorCode(rawValue: 0x200).description == "0x200")
    }

    @Test("Reset tokens are equal only when all 16 bytes are (RFC 9000 section 10.3.1)")
    func resetTokens() {
        let token = StatelessResetToken(high: 1, low: 2)
        #expect(token == StatelessResetToken(high: 1, low: 2))
        for bit in 0..<64 {
            #expect(token != StatelessResetToken(high: 1 ^ 1 << UInt64(bit), low: 2))
            #expect(token != StatelessResetToken(high: 1, low: 2 ^ 1 << UInt64(bit)))
        }
        let bytes = written { $0.writeResetToken(token) }
        #expect(bytes == hex("0000000000000001 0000000000000002"))
        #expect(bytes.withUnsafeBytes { StatelessResetToken($0) } == token)
        #expect(bytes.dropLast().withUnsafeBytes { StatelessResetToken($0) } == nil)
    }
}
