import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Attacks on migration (RFC 9000 sections 9.3.1 to 9.3.3)")
struct PathAttackTests {
    private let first = PathID(rawValue: 0)

    @Test("A spoofed copy arrives first: the client's answer leads back (sections 9.3.2 and 9.3.3)")
    func spoofedCopy() throws {
        var pair = try ModelPair()
        let packet = pair.client.data(at: .ms(1))!
        try pair.toServer(packet, as: Sample.attacker, at: .ms(1))
        #expect(try pair.toServer(packet, at: .ms(2)) == false)
        #expect(pair.server.paths.active.remote == Sample.attacker)
        // The attacker has no keys: what goes there is lost. The client is asked as well.
        for probe in pair.server.probes(at: .ms(2)) where probe.to == Sample.client {
            try pair.toClient(probe, at: .ms(12))
        }
        let answers = pair.client.probes(at: .ms(12))
        #expect(answers.contains { $0.isNonProbing })
        for answer in answers { try pair.toServer(answer, at: .ms(22)) }
        #expect(pair.server.paths.activeID == first)
        #expect(pair.server.paths.all.count == 1)
        #expect(!pair.server.isClosed)
    }

    @Test("Even when the client is silent the spoofed address is given up after three PTOs (section 9.3.2)")
    func spoofedCopyAndSilence() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1))!, as: Sample.attacker, at: .ms(1))
        run(&pair.server, until: .ms(3100))
        #expect(pair.server.paths.activeID == first)
        #expect(!pair.server.isClosed)
        #expect(pair.server.paths.sendAllowance(on: first) == .max)
    }

    @Test(
        "Copies of packets that were processed already open nothing, wherever they come from (section 9.3.3)")
    func duplicates() throws {
        var pair = try ModelPair()
        let packets = (0..<20).map { pair.client.data(at: .ms(Int64($0)))! }
        for packet in packets { try pair.toServer(packet, at: .ms(20)) }
        for (index, packet) in packets.enumerated() {
            let spoofed = NetworkAddress(ip: Sample.attacker.ip, port: UInt16(2000 + index))
            #expect(try pair.toServer(packet, as: spoofed, at: .ms(30)) == false)
        }
        #expect(pair.server.paths.all.count == 1)
        #expect(pair.server.actions.isEmpty)
    }

    // Holds: 9000-8-1, 9000-9.3-3
    @Test(
        "A thousand spoofed copies that all come first: paths, ids and bytes stay bounded (sections 5.1.2, 8)"
    )
    func floodOfAddresses() throws {
        var pair = try ModelPair()
        var received: [NetworkAddress: Int] = [:]
        var sent: [NetworkAddress: Int] = [:]
        for step in 0..<1000 {
            let now = Instant.ms(Int64(step) * 10)
            let spoofed = NetworkAddress(
                ip: IPAddress(v4: 0xcb00_7100 + UInt32(step % 200)), port: UInt16(1000 + step))
            let packet = pair.client.data(at: now, size: 120)!
            // The spoofed copy first; where it is refused the genuine one counts.
            if try pair.toServer(packet, as: spoofed, at: now) {
                received[spoofed, default: 0] += packet.size
            } else {
                try pair.toServer(packet, at: now)
            }
            for probe in pair.server.probes(at: now) {
                sent[probe.to, default: 0] += probe.size
                if probe.to == Sample.client { try pair.toClient(probe, at: now) }
            }
            while let data = pair.server.data(at: now, size: 90), data.to != Sample.client {
                sent[data.to, default: 0] += data.size
            }
            for answer in pair.client.probes(at: now) { try pair.toServer(answer, at: now) }
            pair.server.timeout(at: now)
            #expect(pair.server.paths.all.count <= 6)
            #expect(pair.server.paths.remoteIDs.activeCount <= 16)
            #expect(!pair.server.isClosed)
        }
        for (address, count) in sent where address != Sample.client {
            #expect(count <= 3 * received[address, default: 0])
        }
        // Eight at once and then ten a second, for ten seconds.
        #expect(received.count <= 8 + 101)
        #expect(pair.server.paths.refusedDatagrams > 800)
        run(&pair.server, until: .ms(20_000))
        #expect(pair.server.paths.active.remote == Sample.client)
    }

    @Test("Who forwards faster gets the path, until a genuine packet is first (section 9.3.3)")
    func forwarding() throws {
        var pair = try ModelPair()
        // The attacker wins the race for a packet of the client …
        try pair.toServer(pair.client.data(at: .ms(1), size: 1000)!, as: Sample.attacker, at: .ms(1))
        // … and passes the server's challenge on to the client, as if it came from the server.
        let probes = pair.server.probes(at: .ms(1))
        for probe in probes where probe.to == Sample.attacker {
            try pair.toClient(probe, arrivingAt: Sample.client, at: .ms(10))
        }
        for answer in pair.client.probes(at: .ms(10)) {
            try pair.toServer(answer, as: Sample.attacker, at: .ms(20))
        }
        #expect(pair.server.paths.active.remote == Sample.attacker && pair.server.paths.active.isValidated)
        // The challenge on the old path reaches the client, whose answer wins this time.
        for probe in probes where probe.to == Sample.client { try pair.toClient(probe, at: .ms(20)) }
        for answer in pair.client.probes(at: .ms(20)) { try pair.toServer(answer, at: .ms(30)) }
        #expect(pair.server.paths.activeID == first)
        // And now the attacker's path is the previous one, to be asked again.
        let asked = pair.server.probes(at: .ms(30)).filter(\.hasChallenge)
        #expect(asked.map(\.to) == [Sample.attacker])
        // The genuine path had its congestion state kept.
        #expect(
            pair.server.actions.last { if case .activeChanged = $0 { true } else { false } }.map {
                if case .activeChanged(_, let to, let reset) = $0 { to == first && !reset } else { false }
            } == true)
    }

    @Test("Nobody can answer a challenge by guessing, and a wrong answer closes nothing (section 8.2.3)")
    func guessedResponse() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1))!, as: Sample.attacker, at: .ms(1))
        let new = pair.server.paths.activeID
        _ = pair.server.probes(at: .ms(1))
        for guess in UInt64(0)..<1000 { pair.server.paths.onPathResponse(guess, on: new, at: .ms(2)) }
        #expect(!pair.server.paths[new].isValidated)
    }

    // Holds: 9000-8.2.1-1
    @Test("Challenges can't be foretold from those before (section 8.2.1)")
    func unpredictableChallenges() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1), size: 1200)!, as: Sample.cellular, at: .ms(1))
        var twin = pair.server
        twin.random = SeededGenerator(seed: 99)
        var seen: [ModelFrame] = []
        while let deadline = pair.server.paths.deadline, deadline < .ms(3000) {
            for probe in pair.server.probes(at: deadline) { seen += probe.frames }
            pair.server.timeout(at: deadline)
        }
        #expect(seen.count > 3)
        for (index, frame) in seen.enumerated() { #expect(!seen[..<index].contains(frame)) }
        // The same connection with another source of randomness asks for something else.
        let others = twin.probes(at: .ms(1)).flatMap(\.frames)
        #expect(!others.isEmpty && others.allSatisfy { !seen.contains($0) })
    }

    // Holds: 9000-9-5
    @Test("A client drops what comes from server addresses that it doesn't know (section 9)")
    func unknownServer() throws {
        var pair = try ModelPair()
        let packet = pair.server.data(at: .ms(1))!
        #expect(try pair.toClient(packet, as: Sample.attacker, at: .ms(1)) == false)
        #expect(try pair.toClient(packet, as: Sample.preferred, at: .ms(1)) == false)
        #expect(pair.client.paths.refusedDatagrams == 2)
        #expect(try pair.toClient(packet, at: .ms(1)) == true)
        #expect(pair.client.paths.all.count == 1)
    }

    @Test("Addresses that no host can have open no path")
    func impossibleAddresses() throws {
        var pair = try ModelPair()
        for text in [
            "0.0.0.0:80", "224.0.0.1:80", "255.255.255.255:80", "192.0.2.1:0", "[ff02::1]:80", "[::]:80",
        ] {
            let address = NetworkAddress(text)!
            let origin = pair.server.paths.receive(from: address, to: Sample.server, size: 100, at: .zero)
            #expect(origin == .refused, "\(text)")
        }
    }

    @Test("A reset is believed only from where the id of its token was used (section 10.3.1)")
    func statelessReset() throws {
        var pair = try ModelPair()
        _ = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .ms(1))
        _ = pair.client.probes(at: .ms(1))
        let number = pair.client.paths.remoteIDs.sequenceNumber(of: pair.client.paths.active.remoteID!)!
        #expect(number == 1)
        let token = Sample.token(2 << 20 | 1)
        #expect(pair.client.paths.isStatelessReset(token, from: Sample.server))
        #expect(!pair.client.paths.isStatelessReset(token, from: Sample.attacker))
        #expect(!pair.client.paths.isStatelessReset(Sample.token(2 << 20 | 2), from: Sample.server))
        #expect(pair.client.actions.contains(.resetToken(.remember(token))))
    }
}
