import GodwitMigration
import GodwitWire
import Testing

/// The captured runs of the thesis's program, event by event: what one side did is fed to our machine of the
/// other role, which has to do what its counterpart did. Addresses and the bytes of frames are those of the
/// captures.
@Suite("The captured runs of the thesis's program")
struct CaptureReplayTests {
    private static let source = NetworkAddress("10.99.0.2:6666")!
    private static let destination = NetworkAddress("10.99.0.3:6666")!
    private static let client = NetworkAddress("10.99.0.1:34314")!
    private static let pool = [3, 4, 5].map { NetworkAddress("10.99.0.\($0):6666")! }

    private func frame(_ text: String) throws -> MigrationFrame {
        try Hexadecimal.decode(text)!.withUnsafeBytes { view in
            var reader = ByteReader(view)
            return try MigrationFrame.decode(type: try FrameType.decode(&reader), from: &reader)
        }
    }

    private func bytes(_ frames: [MigrationFrame]) -> [String] {
        frames.map { frame in
            withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
                var writer = ByteWriter(buffer)
                frame.encode(into: &writer)
                return Hexadecimal.encode(writer.written)
            }
        }
    }

    // MARK: The server's side

    private func server(_ suite: MigrationSuite, pool: [NetworkAddress] = []) throws -> ScriptedServer {
        var server = try ScriptedServer(suite, pool: pool)
        server.surroundings = ServerSurroundings(local: Self.source, remote: Self.client)
        return server
    }

    /// The client's PATH_CHALLENGE has come to the new address, and our answer to it was acknowledged.
    private func clientFollows(_ server: inout ScriptedServer) -> [ServerMigrationEvent] {
        let events = server.handle(.clientPacket(isNonProbing: true), after: .microseconds(240)).events
        #expect(events.isEmpty && server.frames.isEmpty)
        return server.handle(.pathResponseAcknowledged, after: .microseconds(300)).events
    }

    @Test("Explicit: SERVER_MIGRATION, and nothing after the thaw (reactiveExplicit, proactiveExplicit)")
    func explicitServer() throws {
        var server = try server(.explicit)
        server.handle(.prepare(.explicit(destination: MigrationDestination(Self.destination)!), .first))
        #expect(bytes(server.frames) == ["320a6300031a0a000000000000000000000000000000000000"])
        #expect(server.acknowledgeAll(server.sent).outcomes == [.ready(.explicit)])
        #expect(server.move(to: Self.destination, after: .seconds(3)).isEmpty && server.frames.isEmpty)
        #expect(clientFollows(&server) == [.completed(.explicit)])
    }

    @Test("Pool: its addresses with HANDSHAKE_DONE, and nothing after the thaw (poolOfAddresses)")
    func poolServer() throws {
        var server = try server(.poolOfAddresses, pool: Self.pool)
        #expect(
            bytes(server.frames) == [
                "340a6300031a0a000000000000000000000000000000000000",
                "340a6300041a0a000000000000000000000000000000000000",
                "340a6300051a0a000000000000000000000000000000000000",
            ])
        _ = server.acknowledgeAll(server.sent)
        #expect(server.handle(.prepare(.poolOfAddresses, .first)).outcomes == [.ready(.poolOfAddresses)])
        #expect(server.move(to: Self.destination, after: .seconds(3)).isEmpty && server.frames.isEmpty)
        #expect(clientFollows(&server) == [.completed(.poolOfAddresses)])
    }

    @Test("Symmetric: SERVER_MIGRATED after the thaw (symmetric, mvfst-version)")
    func symmetricServer() throws {
        var server = try server(.symmetric)
        #expect(server.handle(.prepare(.symmetric, .first)).outcomes == [.ready(.symmetric)])
        server.move(to: Self.destination, after: .seconds(2))
        #expect(bytes(server.frames) == ["33"])
        #expect(clientFollows(&server) == [.completed(.symmetric)])
    }

    @Test(
        "Synchronized Symmetric: an announcement without an address, then the same (synchronizedSymmetric)"
    )
    func synchronizedServer() throws {
        var server = try server(.synchronizedSymmetric)
        server.handle(.prepare(.synchronizedSymmetric, .first))
        #expect(bytes(server.frames) == ["32000000000000000000000000000000000000000000000000"])
        #expect(server.acknowledgeAll(server.sent).outcomes == [.ready(.synchronizedSymmetric)])
        server.move(to: Self.destination, after: .seconds(2))
        #expect(bytes(server.frames) == ["33"])
        #expect(clientFollows(&server) == [.completed(.synchronizedSymmetric)])
    }

    // MARK: The client's side

    private func client(_ suite: MigrationSuite, _ policy: MigrationPolicy) throws -> ScriptedClient {
        try ScriptedClient(suite, at: Self.source) {
            $0.policy = policy
            $0.scheduler = .applicationOrder(seed: 1_412_383_501)
        }
    }

    /// What comes from the server after the PATH_CHALLENGE of the captured client.
    private func validates(_ client: inout ScriptedClient, _ number: UInt64) throws {
        let events = try client.handle(.pathValidated(Self.destination, packetNumber: number)).events
        #expect(events == [.moved(from: Self.source, to: Self.destination)])
    }

    @Test("Reactive Explicit: PING to the new address, then PATH_CHALLENGE (reactiveExplicit)")
    func reactiveClient() throws {
        var client = try client(.explicit, .thesis)
        try client.receive(try frame("320a6300031a0a000000000000000000000000000000000000"), number: 6_341_790)
        #expect(try client.timeOut(after: .milliseconds(2680)).moves == [Self.destination])
        #expect(
            try client.handle(.packet(number: 6_341_795, from: Self.destination, isHighestNonProbing: true))
                == [
                    .follow(to: Self.destination)
                ])
        try validates(&client, 6_341_796)
    }

    @Test(
        "Proactive Explicit: the request itself to the new address, then PATH_CHALLENGE (proactiveExplicit)")
    func proactiveClient() throws {
        var client = try client(.explicit, .thesis)
        try client.receive(
            try frame("320a6300031a0a000000000000000000000000000000000000"), number: 11_119_389)
        #expect(try client.handle(.moveNow(largestSent: 13_494_880)).moves == [Self.destination])
        #expect(
            try client.handle(.packet(number: 11_119_394, from: Self.destination, isHighestNonProbing: true))
                == [
                    .follow(to: Self.destination)
                ])
        try validates(&client, 11_119_395)
    }

    @Test(
        "Pool: PINGs along the application's order, with false alarms (poolOfAddresses)"
    )
    func poolClient() throws {
        var client = try client(.poolOfAddresses, .thesis)
        for text in ["03", "04", "05"] {
            try client.receive(
                try frame("340a6300" + text + "1a0a" + String(repeating: "00", count: 18)), number: 1_450_190)
        }
        // Each cycle of PINGs ended with a packet from the old address.
        for (pings, answer) in [
            ([5], 1_450_193), ([5, 4, 2], 1_450_194), ([3], 1_450_196), ([3, 5, 2], 1_450_197),
        ] {
            for ping in pings {
                #expect(try client.timeOut().moves == [NetworkAddress("10.99.0.\(ping):6666")!])
            }
            let back = try client.handle(
                .packet(number: UInt64(answer), from: Self.source, isHighestNonProbing: true))
            #expect(back.moves == [Self.source])
        }
        for ping in [4, 5, 3] {
            #expect(try client.timeOut().moves == [NetworkAddress("10.99.0.\(ping):6666")!])
        }
        #expect(
            try client.handle(.packet(number: 1_450_202, from: Self.destination, isHighestNonProbing: true))
                == [
                    .follow(to: Self.destination)
                ])
        try validates(&client, 1_450_203)
    }

    @Test("Symmetric: PATH_CHALLENGE to where SERVER_MIGRATED came from (symmetric, mvfst-version)")
    func symmetricClient() throws {
        var client = try client(.symmetric, .thesis)
        let input = ClientMigrationInput.frame(
            try frame("33"), packetNumber: 1_886_970, from: Self.destination)
        #expect(try client.handle(input).isEmpty)
        #expect(
            try client.handle(.packet(number: 1_886_970, from: Self.destination, isHighestNonProbing: true))
                == [
                    .follow(to: Self.destination)
                ])
        try validates(&client, 1_886_971)
    }

    @Test("Synchronized Symmetric: the same, the announcement having come twice (synchronizedSymmetric)")
    func synchronizedClient() throws {
        var client = try client(.synchronizedSymmetric, .thesis)
        let announcement = try frame("32" + String(repeating: "00", count: 24))
        #expect(try client.receive(announcement, number: 12_656_634).events == [.announced])
        #expect(try client.receive(announcement, number: 12_656_636).isEmpty)
        let input = ClientMigrationInput.frame(
            try frame("33"), packetNumber: 12_656_640, from: Self.destination)
        try client.handle(input)
        #expect(
            try client.handle(.packet(number: 12_656_640, from: Self.destination, isHighestNonProbing: true))
                == [
                    .follow(to: Self.destination)
                ])
        try validates(&client, 12_656_641)
    }

    @Test(
        "Our own client comes to the same place with challenges alone",
        arguments: [MigrationSuite.explicit, .poolOfAddresses, .symmetric, .synchronizedSymmetric])
    func ourClient(suite: MigrationSuite) throws {
        var client = try client(suite, .godwit)
        switch suite {
        case .explicit: try client.receive(try frame("320a6300031a0a000000000000000000000000000000000000"))
        case .poolOfAddresses:
            for address in Self.pool { try client.receive(.poolMigrationAddress(MigrationAddress(address))) }
        case .synchronizedSymmetric: try client.receive(.serverMigration(.none))
        default: break
        }
        if suite == .explicit || suite == .poolOfAddresses {
            #expect(try client.timeOut().probes.contains(Self.destination))
        } else {
            try client.receive(.serverMigrated, from: Self.destination)
            #expect(try client.hear(from: Self.destination).probes == [Self.destination])
        }
        #expect(client.surroundings.active == Self.source)
        #expect(try client.validate(Self.destination).moves == [Self.destination])
    }
}
