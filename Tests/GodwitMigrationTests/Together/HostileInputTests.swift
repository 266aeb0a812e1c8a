import Foundation
import GodwitMigration
import GodwitWire
import Testing

@Suite("Whatever a peer does, and whenever")
struct HostileInputTests {
    private static let suites: [MigrationSuite] = [
        .all, .basic, .extended, .explicit, .symmetric, [.explicit, .extended],
        [.poolOfAddresses, .extended], [],
    ]

    private func address(_ random: inout TestRandom) -> NetworkAddress {
        let examples: [NetworkAddress] = [
            .old, .new, .newer, .new6, NetworkAddress("10.0.0.1:53")!, NetworkAddress(ip: .anyIPv4, port: 0),
            NetworkAddress("224.0.0.1:4433")!, .other(random.below(30)),
        ]
        return examples[random.below(examples.count)]
    }

    private func frame(_ random: inout TestRandom) -> MigrationFrame {
        switch random.below(5) {
        case 0: return .serverMigration(MigrationAddress(address(&random)))
        case 1: return random.chance(0.5) ? .serverMigration(.none) : .serverMigrated
        case 2: return .poolMigrationAddress(MigrationAddress(address(&random)))
        default:
            let number = random.chance(0.05) ? VariableLengthInteger.max : UInt64(random.below(60))
            return .alternativeAddress(
                .init(
                    address: address(&random), sequenceNumber: number, isPreferred: random.chance(0.5),
                    isRetired: random.chance(0.3)))
        }
    }

    private func input(_ random: inout TestRandom) -> ClientMigrationInput {
        let number = UInt64(random.below(1000))
        switch random.below(12) {
        case 0...3: return .frame(frame(&random), packetNumber: number, from: address(&random))
        case 4:
            return .packet(number: number, from: address(&random), isHighestNonProbing: random.chance(0.5))
        case 5: return .acknowledgement(largest: number, from: address(&random))
        case 6: return .pathValidated(address(&random), packetNumber: number)
        case 7: return .pathFailed(address(&random))
        case 8: return .probeTimeout(largestSent: number)
        case 9: return random.chance(0.5) ? .unreachable(address(&random), largestSent: number) : .elicited
        case 10:
            return random.chance(0.5)
                ? .localAddressChanged(largestSent: number) : .moveNow(largestSent: number)
        default: return .deadline
        }
    }

    // Specs/server-migration.md 5.2, 5.5
    // Holds: W2, W5
    @Test(
        "A client never sends to an address that is refused, or more than its budget, and comes to rest",
        arguments: suites)
    func client(suite: MigrationSuite) throws {
        let policy = CandidateAddressPolicy()
        for seed in 0..<12 {
            var random = TestRandom(seed: UInt64(seed))
            var client = try ScriptedClient(suite, draft: random.chance(0.3)) {
                $0.policy = seed.isMultiple(of: 5) ? .thesis : .godwit
            }
            var sent: [NetworkAddress: [Instant]] = [:]
            for _ in 0..<150 {
                client.now += .milliseconds(Int64(random.below(400)))
                client.surroundings.spareIDs = random.below(40)
                let before = client.surroundings.active
                let input = input(&random)
                // What the machine does not admit never gets to it.
                if case .packet(_, let remote, _) = input, remote != before,
                    !client.machine.admits(remote, active: before)
                {
                    continue
                }
                // A violation would end the connection; here it goes on.
                _ = try? client.handle(input)
                for probe in client.actions.probes {
                    sent[probe, default: []].append(client.now)
                    #expect(probe == before || policy.permits(probe, current: before))
                }
            }
            for times in sent.values {
                let most = times.indices.map { first in
                    times[first...].prefix { $0 < times[first] + .seconds(60) }.count
                }
                #expect((most.max() ?? 0) <= 64)
            }
            let log = try client.run(for: .seconds(300))
            #expect(log.count < 1500)
            #expect(client.machine.deadline == nil)
        }
    }

    @Test(
        "A server's machine takes commands and reports in any order (Specs/server-migration.md 6)",
        arguments: suites)
    func server(suite: MigrationSuite) throws {
        for seed in 0..<12 {
            var random = TestRandom(seed: UInt64(seed))
            var server = try ScriptedServer(
                suite, policy: seed.isMultiple(of: 5) ? .thesis : .godwit, pool: [.other(1), .other(2)],
                draft: random.chance(0.3), isConfirmed: random.chance(0.8))
            var frames: [OutgoingMigrationFrame] = server.sent
            for _ in 0..<120 {
                server.handle(command(&random, frames), after: .milliseconds(Int64(random.below(300))))
                frames += server.sent
                #expect(server.actions.count <= 12 && server.sent.count <= 20)
                if random.chance(0.1) { _ = server.run(for: .seconds(2)) }
            }
            server.handle(.closed)
            #expect(server.run(for: .seconds(100)).isEmpty)
        }
    }

    private func command(_ random: inout TestRandom, _ frames: [OutgoingMigrationFrame])
        -> ServerMigrationInput
    {
        let orders: [MigrationOrder] = [
            .explicit(destination: .new), .explicit(destination: .newer), .poolOfAddresses, .symmetric,
            .synchronizedSymmetric, .combined(destination: .both), .combined(destination: .newer),
        ]
        let epoch = MigrationEpoch(rawValue: UInt64(random.below(3)))
        let frame = frames.isEmpty ? MigrationFrameID(rawValue: 9) : frames[random.below(frames.count)].id
        switch random.below(14) {
        case 0...2: return .prepare(orders[random.below(orders.count)], epoch)
        case 3: return .hold(epoch)
        case 4:
            return .networkSwitched(
                epoch, ServerThaw(clientAddresses: [.client, .other(3)], seed: random.next()))
        case 5: return .cancel(epoch)
        case 6: return .changePool(AddressPool([NetworkAddress.other(random.below(9)), .new])!)
        case 7: return .frameLost(frame)
        case 8: return .frameAcknowledged(frame)
        case 9: return random.chance(0.5) ? .pathResponseAcknowledged : .clientMoved
        case 10: return .clientPacket(isNonProbing: random.chance(0.5))
        case 11: return .pathValidated(address(&random))
        case 12: return random.chance(0.2) ? .handshakeConfirmed : .leaveOut(epoch)
        default: return .deadline
        }
    }

    // Holds: W30
    @Test("A machine is plain data: written and read back at any moment, it goes on as before")
    func codable() throws {
        for seed in 0..<30 {
            var random = TestRandom(seed: UInt64(seed))
            var one = try ScriptedClient(.all) { if seed.isMultiple(of: 3) { $0.policy = .thesis } }
            one.surroundings.spareIDs = 10
            for step in 0..<60 {
                one.now += .milliseconds(Int64(random.below(200)))
                let input = input(&random)
                var other = one
                if step.isMultiple(of: 7) {
                    let text = try JSONEncoder().encode(one.machine)
                    other.machine = try JSONDecoder().decode(ClientMigrationMachine.self, from: text)
                    #expect(other.machine == one.machine)
                }
                _ = try? one.handle(input)
                _ = try? other.handle(input)
                #expect(one.machine == other.machine && one.actions == other.actions)
            }
            var server = try ScriptedServer(.all, pool: [.other(1)])
            for _ in 0..<40 { server.handle(command(&random, server.sent)) }
            let machine = MigrationMachine.server(server.machine)
            let text = try JSONEncoder().encode(machine)
            #expect(try JSONDecoder().decode(MigrationMachine.self, from: text) == machine)
        }
    }

    @Test("A connection that has agreed on nothing pays little for the room")
    func size() {
        #expect(MemoryLayout<MigrationMachine>.size <= 700)
    }
}
