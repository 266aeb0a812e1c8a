import GodwitMigration
import GodwitWire
import Testing

@Suite("When a server with many connections may be frozen")
struct MigrationBarrierTests {
    private static let latest = Instant.zero + .seconds(2)

    private func id(_ number: Int) -> ConnectionID {
        ConnectionID([UInt8(number >> 8), UInt8(number & 0xff)])!
    }

    private func report(
        _ number: Int, _ outcome: MigrationOutcome, revision: UInt32 = 1, at time: Int = 100,
        epoch: MigrationEpoch = .first
    ) -> BarrierMessage {
        .report(
            id(number),
            MigrationReport(
                epoch: epoch, revision: revision, outcome: outcome, time: .zero + .milliseconds(Int64(time))))
    }

    private func barrier(loops: Int, _ messages: [BarrierMessage]) -> MigrationBarrier {
        var barrier = MigrationBarrier(epoch: .first, loops: loops, latest: Self.latest)
        for message in messages { barrier.receive(message) }
        return barrier
    }

    // Specs/server-migration.md 7.2.1
    @Test(
        "It is final when every loop has counted and every connection is ready or never will be"
    )
    func story() {
        var barrier = MigrationBarrier(epoch: .first, loops: 2, latest: Self.latest)
        barrier.receive(.census(loop: 0, connections: [id(1), id(2)]))
        barrier.receive(report(1, .ready(.explicit)))
        barrier.receive(report(2, .preparing(.explicit)))
        #expect(!barrier.isFinal && barrier.deadline == Self.latest)
        barrier.receive(.census(loop: 1, connections: [id(3)]))
        barrier.receive(report(3, .obstructed(.notNegotiated)))
        #expect(!barrier.isFinal)
        barrier.receive(report(2, .ready(.explicit), revision: 2))
        #expect(barrier.isFinal && barrier.deadline == nil)
        #expect(barrier.readiness.description == "2 ready, 1 without the extension")
        #expect(barrier.readiness.leftBehind == [id(3)])
    }

    @Test("A server without connections is ready at once (Specs/server-migration.md 7.2.1)")
    func empty() {
        let barrier = barrier(
            loops: 2, [.census(loop: 0, connections: []), .census(loop: 1, connections: [])])
        #expect(barrier.isFinal && barrier.readiness.description == "no connections")
    }

    // Specs/server-migration.md 7.2.3
    // Holds: W20
    @Test(
        "At the deadline it is final, whoever is missing: 1,000 clients, of which 10 are dead"
    )
    func deadline() {
        var barrier = MigrationBarrier(epoch: .first, loops: 4, latest: Self.latest)
        for loop in 0..<4 {
            barrier.receive(.census(loop: loop, connections: (0..<250).map { id(loop * 250 + $0) }))
        }
        for number in 0..<1000 {
            let outcome: MigrationOutcome =
                switch number {
                case 0..<10: .preparing(.explicit)
                case 10..<18: .obstructed(.notNegotiated)
                default: .ready(.explicit)
                }
            barrier.receive(report(number, outcome))
        }
        #expect(!barrier.isFinal)
        barrier.handleDeadline(now: Self.latest - .nanoseconds(1))
        #expect(!barrier.isFinal)
        barrier.handleDeadline(now: Self.latest)
        #expect(barrier.isFinal)
        #expect(barrier.readiness.description == "982 ready, 8 without the extension, 10 timed out")
        #expect(barrier.readiness.leftBehind == (10..<18).map(id))
    }

    @Test(
        "A loop that has not counted is not waited for beyond the deadline (Specs/server-migration.md 7.2.3)")
    func silentLoop() {
        var barrier = barrier(
            loops: 2, [.census(loop: 0, connections: [id(1), id(2)]), report(1, .ready(.symmetric))])
        barrier.handleDeadline(now: Self.latest)
        #expect(barrier.isFinal && barrier.readiness.description == "1 ready, 1 timed out")
    }

    // Specs/server-migration.md 7.4.2
    // Holds: W21, W22
    @Test(
        "A handshake that completes while the plan is open joins it, and delays nothing"
    )
    func joining() {
        var barrier = barrier(
            loops: 1, [.census(loop: 0, connections: [id(1)]), report(1, .ready(.explicit)), .joined(id(2))])
        #expect(barrier.isFinal && barrier.readiness.description == "1 ready, 1 not ready yet")
        barrier.receive(report(2, .preparing(.explicit)))
        #expect(barrier.isFinal)
        barrier.receive(report(2, .ready(.explicit), revision: 2))
        #expect(barrier.readiness.description == "2 ready")
        // One that was counted while its handshake was under way is no obstacle either.
        barrier.receive(.census(loop: 0, connections: [id(3)]))
        barrier.receive(report(3, .obstructed(.handshakeUnfinished)))
        #expect(barrier.isFinal)
    }

    // Specs/server-migration.md 7.2.4
    @Test(
        "Ready after the deadline is late, by the time it became so and not that of the message"
    )
    func late() {
        var barrier = barrier(loops: 1, [.census(loop: 0, connections: [id(1), id(2)])])
        barrier.handleDeadline(now: Self.latest)
        barrier.receive(report(1, .ready(.explicit), at: 2000))
        barrier.receive(report(2, .ready(.explicit), at: 2001))
        #expect(barrier.readiness.description == "1 ready, 1 ready after the deadline")
        #expect(barrier.readiness.ready == 2)
    }

    @Test(
        "A ready connection that moves or closes is ready no longer (Specs/server-migration.md 7.4.1, 7.4.3)")
    func changes() {
        var barrier = barrier(
            loops: 1,
            [
                .census(loop: 0, connections: [id(1), id(2)]), report(1, .ready(.symmetric)),
                report(2, .ready(.symmetric)),
            ])
        #expect(barrier.isFinal)
        barrier.receive(report(1, .clientMoving(.symmetric), revision: 2))
        #expect(!barrier.isFinal)
        barrier.receive(report(2, .closed, revision: 2))
        #expect(barrier.readiness.description == "1 on their way to another address, 1 closed")
        barrier.receive(report(1, .ready(.symmetric), revision: 3))
        #expect(barrier.isFinal && barrier.readiness.description == "1 ready, 1 closed")
        #expect(barrier.readiness.leftBehind.isEmpty)
    }

    @Test("Reports of another plan are none of its business (Specs/server-migration.md 6.6.1)")
    func otherPlan() {
        let barrier = barrier(
            loops: 1, [.census(loop: 0, connections: [id(1)]), report(1, .ready(.symmetric), epoch: .second)])
        #expect(!barrier.isFinal)
    }

    // Holds: W24
    @Test(
        "What comes of a set of messages does not depend on their order (Specs/server-migration.md 7.2.2)",
        arguments: 0..<4)
    func everyOrder(sample: Int) {
        let messages: [BarrierMessage] =
            switch sample {
            case 0:
                [
                    .census(loop: 0, connections: [id(1)]), .census(loop: 1, connections: [id(2)]),
                    report(1, .preparing(.explicit)), report(1, .ready(.explicit), revision: 2),
                    report(2, .ready(.symmetric)), report(2, .clientMoving(.symmetric), revision: 2),
                ]
            case 1:
                [
                    .census(loop: 0, connections: [id(1), id(2)]), .joined(id(3)),
                    report(3, .ready(.combined)),
                    report(1, .ready(.explicit)), report(1, .closed, revision: 2),
                    report(2, .obstructed(.onlyPool)),
                ]
            case 2:
                [
                    .census(loop: 0, connections: [id(1)]), report(1, .obstructed(.handshakeUnfinished)),
                    report(1, .preparing(.explicit), revision: 2),
                    report(1, .ready(.explicit), revision: 3, at: 2500),
                    .joined(id(2)), .joined(id(1)),
                ]
            default:
                [
                    .census(loop: 0, connections: [id(1)]), report(1, .ready(.explicit)),
                    report(1, .ready(.explicit)), .census(loop: 0, connections: [id(1)]),
                    report(1, .closed, revision: 9), report(1, .ready(.explicit), revision: 8),
                ]
            }
        let expected = barrier(loops: sample == 0 ? 2 : 1, messages)
        for order in permutations(messages) {
            var barrier = MigrationBarrier(epoch: .first, loops: sample == 0 ? 2 : 1, latest: Self.latest)
            var wasComplete = false
            for message in order {
                wasComplete = barrier.isFinal
                barrier.receive(message)
            }
            #expect(barrier.readiness == expected.readiness)
            // It is the last message that makes it final, if any does.
            if expected.isFinal, wasComplete { #expect(barrier.isFinal) }
            barrier.handleDeadline(now: Self.latest)
            var timedOut = expected
            timedOut.handleDeadline(now: Self.latest)
            #expect(barrier.readiness == timedOut.readiness)
        }
    }

    // Specs/server-migration.md 7.2
    @Test(
        "Against a model: random messages in random orders, some lost for good"
    )
    func model() {
        for seed in 0..<60 {
            var random = TestRandom(seed: UInt64(seed))
            var messages: [BarrierMessage] = []
            var model: [ConnectionID: MigrationOutcome] = [:]
            let loops = 1 + random.below(3)
            for loop in 0..<loops {
                let members = (0..<random.below(5)).map { loop * 10 + $0 }
                messages.append(.census(loop: loop, connections: members.map(id)))
                for member in members {
                    model[id(member)] = .pending
                    for revision in 1...UInt32(1 + random.below(4)) {
                        let outcome = Self.outcomes[random.below(Self.outcomes.count)]
                        messages.append(report(member, outcome, revision: revision))
                        model[id(member)] = outcome
                    }
                }
            }
            let barrier = barrier(loops: loops, messages.shuffled(using: &random))
            #expect(barrier.readiness.outcomes == model)
            let isSettled = model.values.allSatisfy {
                switch $0 {
                case .pending, .preparing, .clientMoving: false
                default: true
                }
            }
            #expect(barrier.isFinal == isSettled)
        }
    }

    private static let outcomes: [MigrationOutcome] = [
        .preparing(.explicit), .ready(.explicit), .ready(.combined), .clientMoving(.symmetric), .closed,
        .obstructed(.notNegotiated), .obstructed(.handshakeUnfinished),
    ]

    // Specs/server-migration.md 7
    @Test(
        "Machines of many connections and the barrier: what they report is what it says"
    )
    func withMachines() throws {
        var barrier = MigrationBarrier(epoch: .first, loops: 1, latest: Self.latest)
        var servers = try (0..<20).map { number in
            try ScriptedServer(number.isMultiple(of: 5) ? [] : .basic, isConfirmed: number != 7)
        }
        let plan = MigrationPlan(default: .explicit(destination: .new))
        barrier.receive(.census(loop: 0, connections: servers.indices.map(id)))
        for index in servers.indices {
            for case .report(let report) in servers[index].handle(plan.input(for: id(index), .first)) {
                barrier.receive(.report(id(index), report))
            }
        }
        #expect(
            barrier.readiness.description == "15 not ready yet, 4 without the extension, 1 in their handshake"
        )
        for index in servers.indices where index != 11 {
            for case .report(let report) in servers[index].acknowledgeAll(servers[index].sent) {
                barrier.receive(.report(id(index), report))
            }
        }
        #expect(!barrier.isFinal)
        for case .report(let report) in servers[11].handle(.closed) {
            barrier.receive(.report(id(11), report))
        }
        #expect(barrier.isFinal)
        #expect(
            barrier.readiness.description
                == "14 ready, 4 without the extension, 1 in their handshake, 1 closed")
    }
}
