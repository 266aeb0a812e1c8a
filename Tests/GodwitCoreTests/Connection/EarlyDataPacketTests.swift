import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Early data in packets")
struct EarlyDataPacketTests {
    private func ticket(_ pair: EndpointPair) throws -> ResumptionTicket {
        let (first, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let ticket = pair.events(of: first.handle, in: pair.clientEvents).compactMap {
            if case .resumptionTicket(let ticket) = $0 { ticket } else { nil }
        }.first
        return try #require(ticket)
    }

    /// A second connection that has written `data` as early data.
    private func resume(
        _ pair: EndpointPair, _ ticket: ResumptionTicket, data: [UInt8] = Array("early".utf8)
    ) throws -> (Connection, StreamID) {
        pair.log = []
        let client = try pair.connect {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write(data, to: id, fin: true)
        return (client, id)
    }

    private func types(_ pair: EndpointPair, toServer: Bool = true) -> [LongPacketType?] {
        pair.datagrams(toServer: toServer).flatMap { VisiblePacket.all(in: $0) }.map(\.type)
    }

    // Holds: 9001-5.6-1
    @Test("Without the application's word nothing of it goes out early (RFC 9001 section 5.6)")
    func onlyOnRequest() throws {
        let pair = EndpointPair()
        let ticket = try ticket(pair)
        pair.log = []
        let client = try pair.connect { $0.resumption = ticket }
        // Nothing is known of the server's limits, so nothing can be written.
        #expect(client.openStream(.bidirectional) == nil)
        pair.run(for: .seconds(1))
        #expect(client.isConfirmed && client.summary?.isResumed == true)
        #expect(!types(pair).contains(.zeroRTT))
    }

    // Holds: 9000-17.2.3-2, 9001-5.6-6, 9001-4.9.3-1, 9000-13.2.6-3
    @Test(
        "With 1-RTT keys there is no more early data, and its keys go soon (RFC 9001 sections 4.9.3 and 5.6)")
    func endOfEarlyData() throws {
        let pair = EndpointPair()
        let ticket = try ticket(pair)
        let tapes = pair.watch()
        let (client, id) = try resume(pair, ticket)
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        #expect(types(pair).contains(.zeroRTT) && server.protection.canRead(at: .earlyData))
        // Acknowledged, but not at a level of the client's.
        pair.run(for: .seconds(1)) { client.protection.oneRTT != nil }
        pair.log = []
        pair.run(for: .seconds(1))
        #expect(client.summary?.earlyDataAccepted == true && !types(pair).contains(.zeroRTT))
        #expect(!server.protection.canRead(at: .earlyData))
        let early = try #require(tapes.server.opened.first { $0.level == .earlyData }).number
        var acknowledgedIn: Set<EncryptionLevel> = []
        for packet in tapes.client.opened where packet.level.space == .application {
            packet.visitFrames { frame in
                guard case .ack(let ack) = frame, ack.ranges.contains(where: { $0.contains(early) }) else {
                    return
                }
                acknowledgedIn.insert(packet.level)
            }
        }
        #expect(acknowledgedIn == [.oneRTT])
        #expect(try server.readAll(from: id, now: pair.now).bytes == Array("early".utf8))
    }

    // Holds: 9001-4.6.2-1
    @Test("A server that refused early data handles none of its packets (RFC 9001 section 4.6.2)")
    func refused() throws {
        let ticket = try ticket(EndpointPair())
        var transport = TransportConfiguration()
        transport.initialStreamWindow = 100_000
        let other = EndpointPair(server: transport, seed: 77)
        let tapes = other.watch()
        let (client, id) = try resume(other, ticket)
        other.run(for: .milliseconds(11))
        #expect(types(other).contains(.zeroRTT))
        other.run(for: .seconds(2))
        #expect(client.summary?.earlyDataAccepted == false)
        #expect(tapes.server.opened.allSatisfy { $0.level != .earlyData })
        let server = try #require(other.serverConnection)
        #expect(try server.readAll(from: id, now: other.now).bytes == Array("early".utf8))
    }

    // Holds: 9000-7.4.1-5, 9000-7.4.1-6, 9000-7.4.1-7
    @Test(
        "A server whose limits are lower than those of the ticket refuses early data (RFC 9000 section 7.4.1)",
        arguments: 0..<5)
    func lowerLimits(which: Int) throws {
        let ticket = try ticket(EndpointPair())
        var transport = TransportConfiguration()
        switch which {
        case 0: transport.initialStreamWindow /= 2
        case 1: transport.initialConnectionWindow /= 2
        case 2: transport.maxIncomingBidirectionalStreams /= 2
        case 3: transport.maxIncomingUnidirectionalStreams /= 2
        default: transport.activeConnectionIDLimit /= 2
        }
        let other = EndpointPair(server: transport, seed: 77)
        let (client, _) = try resume(other, ticket)
        other.run(for: .seconds(2))
        #expect(client.isConfirmed && client.summary?.earlyDataAccepted == false)
        // The same limits are as good as then.
        let same = EndpointPair(seed: 78)
        let (again, _) = try resume(same, ticket)
        same.run(for: .seconds(2))
        #expect(again.summary?.earlyDataAccepted == true)
    }

    // Holds: 9000-7.4.1-2, 9000-7.4.1-3, 9000-7.4.1-4
    @Test(
        "A ticket keeps what a later connection may use of the parameters (RFC 9000 section 7.4.1)"
    )
    func rememberedParameters() throws {
        var transport = TransportConfiguration()
        transport.maxDatagramFrameSize = 1000
        transport.maxAckDelay = .milliseconds(60)
        transport.disablesActiveMigration = true
        transport.activeConnectionIDLimit = 5
        let pair = EndpointPair(server: transport) {
            $0.preferredIPv4Address = NetworkAddress("198.51.100.2:443")!
        }
        let ticket = try ticket(pair)
        let kept = try TransportParameters.decode(ticket.transportParameters, sender: .server)
        let client = try #require(pair.client.connection(pair.client.connectionHandles[0]))
        let real = client.peerParameters
        #expect(real.preferredAddress != nil && real.statelessResetToken != nil)
        #expect(kept.preferredAddress == nil && kept.statelessResetToken == nil)
        #expect(kept.originalDestinationConnectionID == nil && kept.initialSourceConnectionID == nil)
        #expect(kept.retrySourceConnectionID == nil)
        #expect(
            kept.ackDelayExponent == 3 && kept.maxAckDelayMilliseconds == 25
                && real.maxAckDelayMilliseconds == 60)
        #expect(PeerStreamLimits(kept).initialMaxData == PeerStreamLimits(real).initialMaxData)
        #expect(kept.initialMaxStreamsBidirectional == real.initialMaxStreamsBidirectional)
        #expect(kept.initialMaxStreamsUnidirectional == real.initialMaxStreamsUnidirectional)
        #expect(kept.initialMaxStreamDataBidirectionalLocal == real.initialMaxStreamDataBidirectionalLocal)
        #expect(kept.initialMaxStreamDataBidirectionalRemote == real.initialMaxStreamDataBidirectionalRemote)
        #expect(kept.initialMaxStreamDataUnidirectional == real.initialMaxStreamDataUnidirectional)
        #expect(kept.maxDatagramFrameSize == 1000 && kept.activeConnectionIDLimit == 5)
        #expect(kept.disableActiveMigration && kept.maxUDPPayloadSize == real.maxUDPPayloadSize)
        #expect(kept.maxIdleTimeoutMilliseconds == real.maxIdleTimeoutMilliseconds)
        // The next connection starts from defaults and learns them anew.
        let (again, _) = try resume(pair, ticket)
        #expect(again.paths.maxAckDelay == .milliseconds(25) && again.peerParameters.preferredAddress == nil)
        pair.run(for: .seconds(1))
        #expect(again.paths.maxAckDelay == .milliseconds(60))
    }

    // Holds: 9000-7.4.1-8, 9000-7.4.1-9
    @Test(
        "Early data keeps to the remembered limits, whatever the handshake has brought (RFC 9000 section 7.4.1)"
    )
    func limitsOfEarlyData() throws {
        let pair = EndpointPair { configuration in
            var tls = DeterministicTLSServer(applicationProtocols: ["test"])
            tls.ticketKeys = TicketKeys([SharedKey([UInt8](repeating: 9, count: 32))!])
            tls.earlyData = ReplayFilter(refusesFirstWindow: false)
            configuration.handshake = .deterministic(tls)
        }
        var ticket = try ticket(pair)
        var limits = try TransportParameters.decode(ticket.transportParameters, sender: .server)
        limits.initialMaxStreamDataBidirectionalRemote = 2000
        ticket.transportParameters = limits.encoded(sender: .server)
        let tapes = pair.watch()
        let (client, id) = try resume(pair, ticket, data: [UInt8](repeating: 1, count: 5000))
        pair.run(for: .milliseconds(11))
        // EncryptedExtensions have come, the server's Finished has not.
        pair.intercept = { _ in [] }
        client.peerParameters.initialMaxStreamDataBidirectionalRemote = 100_000
        client.hasPeerParameters = true
        client.streams.applyPeerLimits(PeerStreamLimits(client.peerParameters))
        #expect(client.protection.oneRTT == nil && client.streams.hasStreamDataToSend)
        pair.log = []
        client.wake()
        pair.exchange()
        #expect(!types(pair).contains(.zeroRTT))
        var furthest: UInt64 = 0
        for packet in tapes.server.opened where packet.level == .earlyData {
            packet.visitFrames {
                if case .stream(let frame) = $0 { furthest = max(furthest, frame.endOffset) }
            }
        }
        #expect(furthest == 2000 && id.rawValue == 0)
    }

    // Holds: 9000-17.2.3-1
    @Test("After a Retry, early data is sent again under new packet numbers (RFC 9000 section 17.2.3)")
    func earlyDataAfterRetry() throws {
        let ticket = try ticket(EndpointPair())
        let other = EndpointPair(seed: 77) { $0.retryPolicy = .always }
        let tapes = other.watch()
        let (client, id) = try resume(other, ticket)
        other.run(for: .seconds(2))
        #expect(client.isConfirmed && other.server.statistics.retriesSent > 0)
        #expect(types(other).filter { $0 == .zeroRTT }.count >= 2)
        let numbers = tapes.client.sealed.filter { $0.level == .earlyData }.map(\.number)
        #expect(numbers.count >= 2 && Set(numbers).count == numbers.count)
        let server = try #require(other.serverConnection)
        #expect(try server.readAll(from: id, now: other.now).bytes == Array("early".utf8))
    }

    // Holds: 9001-9.2-5
    @Test(
        "DATAGRAM frames go out early only if the application asked for that (RFC 9001 section 9.2)",
        arguments: [true, false])
    func datagrams(isOffered: Bool) throws {
        var transport = TransportConfiguration()
        transport.maxDatagramFrameSize = 1200
        let pair = EndpointPair(client: transport, server: transport)
        let ticket = try ticket(pair)
        let tapes = pair.watch()
        let client = try pair.connect {
            $0.resumption = ticket
            $0.offersEarlyData = isOffered
        }
        try? [UInt8]([1]).withUnsafeBytes { try client.sendDatagram($0) }
        pair.run(for: .seconds(1))
        let early = tapes.server.frameTypes(at: .earlyData)
        #expect(client.isConfirmed)
        #expect(early.contains { FrameType.datagram...FrameType.datagram + 1 ~= $0 } == isOffered)
    }

    // Holds: 9000-14.1-1
    @Test("A ClientHello that leaves no room for early data still fills its datagram (RFC 9000 section 14.1)")
    func fullClientHello() throws {
        let pair = EndpointPair()
        let ticket = try ticket(pair)
        for length in stride(from: 1, to: 200, by: 3) {
            pair.intercept = { _ in [] }
            pair.log = []
            let client = try pair.connect {
                $0.resumption = ticket
                $0.offersEarlyData = true
                $0.serverName = "server.test"
                $0.token = [UInt8](repeating: 1, count: length * 5)
            }
            let id = try #require(client.openStream(.bidirectional))
            _ = try client.write([UInt8](repeating: 1, count: 40), to: id, fin: true)
            pair.exchange()
            for datagram in pair.datagrams(toServer: true) {
                let hasInitial = VisiblePacket.all(in: datagram).contains { $0.type == .initial }
                #expect(!hasInitial || datagram.count >= 1200)
            }
            client.abandon(.idleTimeout)
        }
    }
}
