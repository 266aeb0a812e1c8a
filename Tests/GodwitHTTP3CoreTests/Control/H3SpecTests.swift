import GodwitHTTP3Core
import GodwitWire
import Testing

/// The checks of HTTP/3 servers that the public tool h3spec makes, with the bytes that it sends.
@Suite("h3spec")
struct H3SpecTests {
    private func onRequest(_ bytes: [UInt8]) -> [HTTP3Action] {
        var server = TestEndpoint.started(.server)
        return server.receive(bytes, on: 0, fin: true)
    }

    private func onControl(_ bytes: [UInt8]) -> [HTTP3Action] {
        var server = TestEndpoint(.server)
        server.machine.start(.own(by: .server))
        return server.receive(bytes, on: 2)
    }

    private func headers(_ text: String) -> [UInt8] { PeerBytes.frame(0x01, hex(text)) }

    private let valid = "0000 d1 d7 50 09 3132372e302e302e31 c1"

    // Holds: 9114-4.1-3
    @Test("h3spec 1: DATA before HEADERS is H3_FRAME_UNEXPECTED (RFC 9114 section 4.1)")
    func dataFirst() { expectClose(onRequest(PeerBytes.frame(0x00) + headers(valid)), .frameUnexpected) }

    // Holds: 9114-4.3.1-6
    @Test("h3spec 2: a duplicate pseudo-header field is H3_MESSAGE_ERROR (RFC 9114 section 4.1.2)")
    func duplicate() { expectStreamError(onRequest(headers(valid + "d1")), .messageError) }

    // Holds: 9114-4.3.1-6
    @Test(
        "h3spec 3: an absent mandatory pseudo-header field is H3_MESSAGE_ERROR (RFC 9114 section 4.3.1)"
    )
    func absent() { expectStreamError(onRequest(headers("0000 d1 d7 c1")), .messageError) }

    // Holds: 9114-4.3-5
    @Test("h3spec 4: a prohibited pseudo-header field is H3_MESSAGE_ERROR (RFC 9114 section 4.3)")
    func prohibited() {
        let text = "0000 d1 d7 2702 3a6175746f72697479 09 3132372e302e302e31 c1 24 3a666f6f 03 626172"
        expectStreamError(onRequest(headers(text)), .messageError)
    }

    // Holds: 9114-4.3-7
    @Test("h3spec 5: a pseudo-header field behind fields is H3_MESSAGE_ERROR (RFC 9114 section 4.3)")
    func behindFields() {
        let text = "0000 d1 d7 2702 3a6175746f72697479 09 3132372e302e302e31 23 666f6f 03 626172 c1"
        expectStreamError(onRequest(headers(text)), .messageError)
        let spelt = "0000 d1 d7 50 09 3132372e302e302e31 23 666f6f 03 626172 c1"
        expectStreamError(onRequest(headers(spelt)), .messageError)
    }

    // Holds: 9114-6.2.1-2
    @Test(
        "h3spec 6: a control stream without SETTINGS first is H3_MISSING_SETTINGS (RFC 9114 section 6.2.1)"
    )
    func missingSettings() {
        expectClose(onControl([0x00] + PeerBytes.frame(0x0d, [1]) + PeerBytes.settings()), .missingSettings)
    }

    // Holds: 9114-7.2.1-2
    @Test("h3spec 7: DATA on the control stream is H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.1)")
    func controlData() { expectClose(onControl(PeerBytes.control(PeerBytes.frame(0x00))), .frameUnexpected) }

    // Holds: 9114-7.2.2-1
    @Test("h3spec 8: HEADERS on the control stream is H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.2)")
    func controlHeaders() {
        expectClose(onControl(PeerBytes.control(PeerBytes.frame(0x01))), .frameUnexpected)
    }

    // Holds: 9114-7.2.4-3
    @Test("h3spec 9: a second SETTINGS frame is H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.4)")
    func secondSettings() {
        expectClose(onControl(PeerBytes.control(PeerBytes.settings())), .frameUnexpected)
    }

    @Test("h3spec 10: a setting given twice is H3_SETTINGS_ERROR, which is optional (RFC 9114 section 7.2.4)")
    func duplicateSettings() {
        let payload = hex("07 4064 01 50 00 06 80008000 07 4064")
        expectClose(
            onControl([0x00] + PeerBytes.frame(0x04, [0x07, 0x40, 0x64, 0x07, 0x40, 0x64])), .settingsError)
        #expect(onControl([0x00] + PeerBytes.frame(0x04, payload)).closing != nil)
    }

    // Holds: 9114-7.2.4.1-3
    @Test("h3spec 11: settings of HTTP/2 are H3_SETTINGS_ERROR (RFC 9114 section 7.2.4.1)")
    func http2Settings() {
        let payload = hex("07 4064 02 40c8 01 5000 06 80008000")
        expectClose(onControl([0x00] + PeerBytes.frame(0x04, payload)), .settingsError)
    }

    // Holds: 9114-7.2.3-1
    @Test("h3spec 12: CANCEL_PUSH on a request stream is H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.3)")
    func cancelPush() { expectClose(onRequest(PeerBytes.frame(0x03) + headers(valid)), .frameUnexpected) }

    // Holds: 9204-3.1-1
    @Test("h3spec 13: an invalid static table index is QPACK_DECOMPRESSION_FAILED (RFC 9204 section 3.1)")
    func staticIndex() { expectClose(onRequest(headers(valid + "ff24")), .qpackDecompressionFailed) }

    // Holds: 9204-4.3.1-2
    @Test(
        "h3spec 14: a table capacity above the limit is QPACK_ENCODER_STREAM_ERROR (RFC 9204 section 4.3.1)")
    func tableCapacity() {
        var server = TestEndpoint.started(.server)
        expectClose(server.receive(hex("3fe1c7afa025"), on: 6), .qpackEncoderStreamError)
    }

    // Holds: 9114-6.2.1-6
    @Test("h3spec 15: a control stream that is closed is H3_CLOSED_CRITICAL_STREAM (RFC 9204 section 4.2)")
    func closedControl() {
        var server = TestEndpoint.started(.server)
        expectClose(server.receive([], on: 2, fin: true), .closedCriticalStream)
    }

    // Holds: 9204-4.4.3-1
    @Test("h3spec 16: an Insert Count Increment of 0 is QPACK_DECODER_STREAM_ERROR (RFC 9204 section 4.4.3)")
    func zeroIncrement() {
        var server = TestEndpoint.started(.server)
        expectClose(server.receive([0x00], on: 10), .qpackDecoderStreamError)
    }

    @Test("What the checks change is all that is wrong with their messages")
    func baseline() {
        #expect(onRequest(headers(valid)).request != nil)
        #expect(onControl(PeerBytes.control()).closing == nil)
        #expect(onControl([0x00] + PeerBytes.frame(0x04, hex("07 4064 01 5000 06 80008000"))).closing == nil)
    }
}
