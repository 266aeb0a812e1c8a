import GodwitHTTP3Core
import GodwitWire
import Testing

@Suite("Settings")
struct SettingsTests {
    private static let roles: [Role] = [.client, .server]

    private func receive(_ settings: [(UInt64, UInt64)], role: Role = .server) -> [HTTP3Action] {
        var endpoint = TestEndpoint(role)
        return endpoint.receive([0x00] + PeerBytes.settings(settings), on: .control(of: role.peer))
    }

    @Test("Everything known is understood (RFC 9114 section 7.2.4.1, RFC 9204 section 5, RFC 9220, RFC 9297)")
    func understood() {
        let actions = receive([(0x01, 4096), (0x06, 16_384), (0x07, 16), (0x08, 1), (0x33, 1)])
        let expected = HTTP3Settings(
            maximumFieldSectionSize: 16_384, qpackMaximumTableCapacity: 4096, qpackBlockedStreams: 16,
            isConnectProtocolEnabled: true, areDatagramsEnabled: true)
        #expect(actions == [.settings(expected)])
    }

    // Holds: 9114-9-4
    @Test("Nothing given means the initial values (RFC 9114 section 7.2.4.2)")
    func empty() {
        #expect(receive([]) == [.settings(HTTP3Settings())])
        #expect(HTTP3Settings().maximumFieldSectionSize == nil)
    }

    // Holds: 9114-7.2.4-7, 9114-7.2.4.1-1, 9114-9-1
    @Test("Unknown settings are ignored, reserved ones leave no trace (RFC 9114 section 7.2.4.1)")
    func unknown() {
        let actions = receive([(0x21, 99), (0x1f * 12 + 0x21, 1), (0x2b60_3742, 1)])
        let kept = [HTTP3Setting(identifier: 0x2b60_3742, value: 1)]
        #expect(actions == [.settings(HTTP3Settings(additional: kept))])
    }

    // Holds: 9114-7.2.4.1-3
    @Test(
        "Settings that HTTP/2 had are H3_SETTINGS_ERROR (RFC 9114 section 7.2.4.1)",
        arguments: [0x00, 0x02, 0x03, 0x04, 0x05] as [UInt64])
    func http2Settings(identifier: UInt64) {
        for role in Self.roles {
            expectClose(receive([(0x07, 100), (identifier, 200)], role: role), .settingsError)
        }
    }

    @Test("A setting given twice is H3_SETTINGS_ERROR (RFC 9114 section 7.2.4)")
    func duplicates() {
        expectClose(receive([(0x07, 100), (0x06, 5), (0x07, 100)]), .settingsError)
        expectClose(receive([(0x4242, 1), (0x4242, 2)]), .settingsError)
    }

    // Holds: 9220-3-1, 9297-2.1.1-2
    @Test(
        "Flags are 0 or 1 (RFC 8441 section 3, RFC 9297 section 2.1.1)", arguments: [0x08, 0x33] as [UInt64])
    func flags(identifier: UInt64) {
        expectClose(receive([(identifier, 2)]), .settingsError)
        #expect(receive([(identifier, 0)]) == [.settings(HTTP3Settings())])
    }

    // Holds: 9114-7.1-2, 9114-7.1-3, 9114-10.8-1
    @Test("A frame that ends within a setting is H3_FRAME_ERROR (RFC 9114 section 7.1)")
    func truncated() {
        for payload in [[0x06], [0x06, 0x40], [0x06, 0x01, 0x40]] as [[UInt8]] {
            var endpoint = TestEndpoint(.server)
            expectClose(endpoint.receive([0x00] + PeerBytes.frame(0x04, payload), on: 2), .frameError)
        }
    }

    @Test("Neither count nor length of settings is without bound (RFC 9114 section 10.5)")
    func bounds() {
        let many = (0..<65).map { (UInt64(0x1000 + $0), UInt64(0)) }
        expectClose(receive(many), .excessiveLoad)
        #expect(receive(many.dropLast()).closing == nil)
        var endpoint = TestEndpoint(.server)
        expectClose(endpoint.receive([0x00, 0x04] + PeerBytes.varint(1 << 30), on: 2), .excessiveLoad)
    }

    // Holds: 9114-7.1-1, 9114-7.2.4.2-8, 9220-3-1, 9297-2.1.1-1
    @Test("What we send says what we were configured with, unknown settings too (RFC 9114 section 7.2.4)")
    func sent() {
        var sender = TestEndpoint(.server) {
            $0.maximumFieldSectionSize = 9999
            $0.qpackMaximumTableCapacity = 512
            $0.qpackBlockedStreams = 7
            $0.isConnectProtocolEnabled = true
            $0.areDatagramsEnabled = true
            $0.additionalSettings = [HTTP3Setting(identifier: 0x4242, value: 77)]
        }
        sender.machine.start(.own(by: .server))
        var receiver = TestEndpoint(.client)
        let actions = receiver.receive(sender.sent()[3] ?? [], on: 3)
        #expect(actions == [.settings(HTTP3Settings(sender.machine.configuration))])
        #expect(receiver.machine.peerSettings.additional == [HTTP3Setting(identifier: 0x4242, value: 77)])
        #expect(receiver.machine.peerSettings.maximumFieldSectionSize == 9999)
    }

    // Holds: 9114-7.2.4.1-2, 9297-2.1.1-1
    @Test(
        "Settings of HTTP/2 or with a property are never sent by number (RFC 9114 section 7.2.4.1)"
    )
    func neverSent() {
        var sender = TestEndpoint(.server) {
            $0.additionalSettings = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x33, 1 << 62].map {
                HTTP3Setting(identifier: $0, value: 1)
            }
        }
        sender.machine.start(.own(by: .server))
        var receiver = TestEndpoint(.client)
        let actions = receiver.receive(sender.sent()[3] ?? [], on: 3)
        #expect(actions == [.settings(HTTP3Settings(TestEndpoint(.server).machine.configuration))])
    }

    // Holds: 9114-7.2.4-6
    @Test("No setting is sent twice, nor one that can't be written (RFC 9114 section 7.2.4)")
    func sentOnce() {
        for seed in 0..<20 as Range<UInt64> {
            // The reserved setting that the seed leads to, as one of the application's.
            var probe = TestEndpoint(.client) { $0.greaseSeed = seed }
            probe.machine.start(.own(by: .client))
            let chosen = (0..<3).map { 0x21 + 0x1f * $0 } + reservedSettings(in: probe.sent()[2] ?? [])
            var sender = TestEndpoint(.client) {
                $0.greaseSeed = seed
                $0.additionalSettings = (chosen + [0x4242, 0x4243, 0x4242]).map {
                    HTTP3Setting(identifier: $0, value: $0 == 0x4243 ? .max : 1)
                }
            }
            sender.machine.start(.own(by: .client))
            var receiver = TestEndpoint(.server)
            #expect(receiver.receive(sender.sent()[2] ?? [], on: 2).closing == nil)
            let kept = receiver.machine.peerSettings.additional
            #expect(kept.map(\.identifier) == [0x4242, 0x4243])
            #expect(kept.map(\.value) == [1, 1 << 62 - 1])
        }
    }

    /// The reserved identifiers in the SETTINGS frame that a control stream begins with.
    private func reservedSettings(in bytes: [UInt8]) -> [UInt64] {
        bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(2)))
            let length = reader.readVarint() ?? 0
            let end = reader.remaining - Int(length)
            var identifiers: [UInt64] = []
            while reader.remaining > end, let identifier = reader.readVarint(), reader.readVarint() != nil {
                if identifier >= 0x21, (identifier - 0x21) % 0x1f == 0 { identifiers.append(identifier) }
            }
            return identifiers
        }
    }

    @Test("Sizes beyond what QPACK takes are told as what it takes")
    func clamped() {
        var configuration = HTTP3Configuration()
        configuration.maximumFieldSectionSize = .max
        configuration.qpackMaximumTableCapacity = .max
        configuration.qpackBlockedStreams = -1
        let settings = HTTP3Settings(configuration)
        #expect(settings.maximumFieldSectionSize == 1 << 30 && settings.qpackMaximumTableCapacity == 1 << 30)
        #expect(settings.qpackBlockedStreams == 0)
        #expect(HTTP3Connection(role: .server, configuration: configuration).openRequestCount == 0)
    }

    // Holds: 9114-7.2.4.1-1
    @Test("A reserved setting and a reserved frame go along, if wanted (RFC 9114 sections 7.2.4.1 and 7.2.8)")
    func grease() {
        func control(_ seed: UInt64?) -> [UInt8] {
            var sender = TestEndpoint(.client) { $0.greaseSeed = seed }
            sender.machine.start(.own(by: .client))
            return sender.sent()[2] ?? []
        }
        #expect(control(1) != control(2) && control(1).count > control(nil).count + 6)
        for seed in 0..<50 as Range<UInt64> {
            var receiver = TestEndpoint(.server)
            let actions = receiver.receive(control(seed), on: 2)
            #expect(actions == [.settings(HTTP3Settings(HTTP3Configuration()))])
        }
    }

    // Holds: 9114-6.2.3-1
    @Test("A reserved stream goes out and ends, if the transport has one for it (RFC 9114 section 6.2.3)")
    func greaseStream() {
        var sender = TestEndpoint(.client)
        var streams = OwnStreams.own(by: .client)
        streams.reserved = 14
        sender.machine.start(streams)
        var ends: [StreamID: Bool] = [:]
        var bytes: [StreamID: [UInt8]] = [:]
        sender.machine.writePendingBytes { id, sent, fin in
            ends[id] = fin
            bytes[id, default: []] += sent
            return sent.count
        }
        #expect(ends == [2: false, 6: false, 10: false, 14: true])
        var receiver = TestEndpoint(.server)
        #expect(
            receiver.receive(bytes[14] ?? [], on: 14, fin: true) == [
                .stopSending(14, code: .streamCreationError)
            ])
        sender.machine.receiveStopSending(of: 14, code: 0x103)
        #expect(sender.take().isEmpty)
    }

    @Test("What the transport does not take of our streams waits, and nothing is lost or doubled")
    func partialWrites() {
        var whole = TestEndpoint(.server)
        whole.machine.start(.own(by: .server))
        var pieces = TestEndpoint(.server)
        pieces.machine.start(.own(by: .server))
        var sent: [StreamID: [UInt8]] = [:]
        while pieces.machine.hasPendingBytes {
            pieces.machine.writePendingBytes { id, bytes, _ in
                sent[id, default: []] += bytes.prefix(1)
                return 1
            }
        }
        #expect(sent == whole.sent())
    }
}
