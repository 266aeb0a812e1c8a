import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Final sizes")
struct FinalSizeTests {
    let id = StreamID(rawValue: 0)
    let server = StreamsEnd(role: .server)

    @Test("Data at or beyond the final size is an error (RFC 9000 section 4.5)")
    func dataBeyondTheEnd() throws {
        try server.receiveStream(id, 50, pattern(50), fin: true)
        try server.receiveStream(id, 40, pattern(60))
        #expect(errorCode { try server.receiveStream(id, 99, pattern(2)) } == .finalSizeError)
        #expect(errorCode { try server.receiveStream(id, 100, pattern(1)) } == .finalSizeError)
    }

    @Test("A final size does not change (RFC 9000 section 4.5)")
    func sizeChanges() throws {
        try server.receiveStream(id, 0, pattern(100), fin: true)
        #expect(errorCode { try server.receiveStream(id, 0, pattern(99), fin: true) } == .finalSizeError)
        #expect(errorCode { try server.receiveStream(id, 0, pattern(101), fin: true) } == .finalSizeError)
        for size: UInt64 in [0, 99, 101] {
            #expect(errorCode { try server.receiveReset(id, finalSize: size) } == .finalSizeError)
        }
        try server.receiveReset(id, finalSize: 100)
    }

    @Test("A final size below data that has come is an error (RFC 9000 section 4.5)")
    func sizeBelowData() throws {
        try server.receiveStream(id, 99, pattern(1))
        #expect(errorCode { try server.receiveStream(id, 0, pattern(99), fin: true) } == .finalSizeError)
        #expect(errorCode { try server.receiveReset(id, finalSize: 99) } == .finalSizeError)
    }

    @Test("An empty end below data is an error too (RFC 9000 section 4.5)")
    func emptyEndBelowData() throws {
        try server.receiveStream(id, 0, pattern(10))
        #expect(errorCode { try server.receiveStream(id, 5, [], fin: true) } == .finalSizeError)
    }

    // Holds: 9000-4.5-1
    @Test("The final size counts for the connection, however the stream ends (RFC 9000 section 4.5)")
    func sizeCounts() throws {
        try server.receiveStream(id, 90, [], fin: true)
        #expect(server.receiveCredit.used == 90)
        try server.receiveReset(StreamID(rawValue: 4), finalSize: 1000)
        #expect(server.receiveCredit.used == 1090)
    }

    @Test("The errors name the frame that was at fault (RFC 9000 section 19.19)")
    func errorsNameTheFrame() throws {
        try server.receiveStream(id, 0, pattern(10), fin: true)
        let error = #expect(throws: TransportError.self) { try server.receiveReset(id, finalSize: 9) }
        #expect(error?.frameType == FrameType.resetStream)
    }
}
