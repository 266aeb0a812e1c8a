import GodwitMigration
import GodwitWire
import Testing

@Suite("Exactly one copy of a server goes on")
struct EpochTests {
    private enum Command: CaseIterable {
        case prepare, hold, networkSwitched, cancel
    }

    private func apply(
        _ command: Command, _ epoch: MigrationEpoch, to ledger: inout EpochLedger
    ) throws(EpochLedger.Refusal) -> EpochLedger.Verdict {
        switch command {
        case .prepare: try ledger.prepare(epoch)
        case .hold: try ledger.hold(epoch)
        case .networkSwitched: try ledger.networkSwitched(epoch)
        case .cancel: try ledger.cancel(epoch)
        }
    }

    // Holds: W15
    @Test(
        "Prepared, held, switched: each once, and only in that order (Specs/server-migration.md 6.6.1, 6.6.2)"
    )
    func story() throws {
        var ledger = EpochLedger()
        #expect(throws: EpochLedger.Refusal.stale(current: .none)) { try ledger.hold(.first) }
        #expect(try ledger.prepare(.first) == .accepted)
        #expect(ledger.isOpen && !ledger.isHeld)
        #expect(throws: EpochLedger.Refusal.notHeld) { try ledger.networkSwitched(.first) }
        #expect(try ledger.hold(.first) == .accepted)
        #expect(ledger.isHeld)
        #expect(throws: EpochLedger.Refusal.held) { try ledger.prepare(.second) }
        #expect(try ledger.networkSwitched(.first) == .accepted)
        #expect(!ledger.isOpen && ledger.next == .second)
        #expect(throws: EpochLedger.Refusal.resolved(.switched)) { try ledger.cancel(.first) }
        #expect(throws: EpochLedger.Refusal.resolved(.switched)) { try ledger.hold(.first) }
        #expect(throws: EpochLedger.Refusal.resolved(.switched)) { try ledger.prepare(.first) }
    }

    // Specs/server-migration.md 6.6.2
    // Holds: W15, W24
    @Test(
        "Whatever commands come: of switching and calling off one is accepted for an epoch, never both"
    )
    func exhaustive() throws {
        let commands = Command.allCases.flatMap { command in
            [MigrationEpoch.first, .second].map { (command, $0) }
        }
        // Every sequence of five commands about two plans.
        for code in 0..<(1 << 15) {
            var ledger = EpochLedger(requiresHold: code & 1 == 0)
            var accepted: [MigrationEpoch: Set<Command>] = [:]
            var highest = MigrationEpoch.none
            for position in 0..<5 {
                let (command, epoch) = commands[code >> (3 * position) & 7]
                let wasHeld = ledger.isHeld
                guard let verdict = try? apply(command, epoch, to: &ledger) else { continue }
                if verdict == .repeated {
                    #expect(accepted[epoch, default: []].contains(command))
                    continue
                }
                #expect(accepted[epoch, default: []].insert(command).inserted)
                if command == .prepare {
                    #expect(epoch > highest && !wasHeld)
                    highest = epoch
                }
                #expect(epoch == highest)
            }
            for commands in accepted.values {
                #expect(!commands.isSuperset(of: [.networkSwitched, .cancel]))
                if code & 1 == 0, commands.contains(.networkSwitched) { #expect(commands.contains(.hold)) }
            }
        }
    }

    // Holds: W24
    @Test("A repeated command is accepted again and changes nothing (Specs/server-migration.md 6.6.2)")
    func idempotent() throws {
        var ledger = EpochLedger()
        for command in [Command.prepare, .hold, .networkSwitched] {
            #expect(try apply(command, .first, to: &ledger) == .accepted)
            let before = ledger
            #expect(try apply(command, .first, to: &ledger) == .repeated)
            #expect(ledger == before)
        }
        #expect(try ledger.prepare(.second) == .accepted)
        #expect(try ledger.cancel(.second) == .accepted)
        #expect(try ledger.cancel(.second) == .repeated)
    }

    // Specs/server-migration.md 6.6.2
    // Holds: W15
    @Test(
        "A copy in memory is as good as the image: each copy accepts one end of the plan"
    )
    func copies() throws {
        var source = EpochLedger()
        _ = try source.prepare(.first)
        _ = try source.hold(.first)
        var restored = source
        #expect(try restored.networkSwitched(.first) == .accepted)
        #expect(try source.cancel(.first) == .accepted)
        // Which is why somebody outside of them has to choose.
        var arbiter = EpochArbiter()
        let (one, other) = (EpochArbiter.Copy(rawValue: 17), EpochArbiter.Copy(rawValue: 4))
        let requests: [(EpochLedger.Resolution, MigrationEpoch, EpochArbiter.Copy, Bool)] = [
            (.switched, .first, one, true), (.switched, .first, one, true), (.switched, .first, other, false),
            (.cancelled, .first, other, false), (.cancelled, .first, one, false),
            (.switched, .none, other, false),
            (.cancelled, .second, other, true), (.switched, .first, one, false),
        ]
        for (resolution, epoch, copy, isGranted) in requests {
            let verdict = arbiter.grant(resolution, of: epoch, to: copy)
            #expect(verdict == isGranted)
        }
    }

    @Test(
        "An open plan may be replaced, which is how a server is re-targeted (Specs/server-migration.md 6.5.2)"
    )
    func retarget() throws {
        var ledger = EpochLedger()
        _ = try ledger.prepare(.first)
        #expect(try ledger.prepare(.second) == .accepted)
        #expect(throws: EpochLedger.Refusal.stale(current: .second)) { try ledger.hold(.first) }
        #expect(throws: EpochLedger.Refusal.planOpen(.second)) { try ledger.hold(.init(rawValue: 3)) }
    }

    @Test("Under the thesis's interface nobody holds (Specs/server-migration.md 6.6.7)")
    func withoutHold() throws {
        var ledger = EpochLedger(requiresHold: false)
        _ = try ledger.prepare(.first)
        #expect(try ledger.networkSwitched(.first) == .accepted)
    }

    @Test("The operator reads why")
    func text() {
        let refusals: [EpochLedger.Refusal] = [
            .stale(current: .first), .planOpen(.second), .resolved(.switched), .resolved(.cancelled),
            .notHeld, .held,
        ]
        #expect(Set(refusals.map(\.description)).count == refusals.count)
        #expect(refusals[1].description == "plan 2 is open")
    }

    // Holds: W15
    @Test("After a thaw between 2^16 and 2^20 packet numbers are left out (Specs/server-migration.md 6.6.5)")
    func packetNumbers() {
        #expect(PacketNumberSkip.draw(0) == 1 << 16 && PacketNumberSkip.draw(.max) == 1 << 20)
        var random = TestRandom(seed: 1)
        let draws = (0..<100).map { _ in PacketNumberSkip.draw(random.next()) }
        #expect(draws.allSatisfy(PacketNumberSkip.range.contains) && Set(draws).count == 100)
    }
}

@Suite("When a server does not reset what it doesn't know")
struct StatelessResetHoldTests {
    // Holds: W14
    @Test("Not while a plan is open, nor for 30 s after (Specs/server-migration.md 6.7)")
    func story() {
        var hold = StatelessResetHold()
        let start = Instant.zero + .seconds(100)
        #expect(hold.permitsReset(at: start, isIssuedHere: true))
        #expect(!hold.permitsReset(at: start, isIssuedHere: false))
        hold.onPlanOpened()
        #expect(!hold.permitsReset(at: start + .seconds(3600), isIssuedHere: true))
        hold.onPlanClosed(at: start)
        #expect(!hold.permitsReset(at: start + .milliseconds(29_999), isIssuedHere: true))
        #expect(hold.permitsReset(at: start + .seconds(30), isIssuedHere: true))
        hold.resume(shiftedBy: .seconds(1000))
        #expect(!hold.permitsReset(at: start + .seconds(1029), isIssuedHere: true))
        #expect(hold.permitsReset(at: start + .seconds(1030), isIssuedHere: true))
    }
}
