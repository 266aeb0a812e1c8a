import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("Hosts and their programs")
struct HostTests {
    @Test("A ping comes back after both delays")
    func echoes() {
        let network = SimulatedNetwork(seed: 1)
        let up = network.addLink(LinkParameters(delay: .milliseconds(30)))
        let down = network.addLink(LinkParameters(delay: .milliseconds(12)))
        let client = Postbox(2, to: address(1), every: .seconds(1))
        network.addHost("server", at: address(1), running: Echo())
        network.addHost("client", at: address(2), egress: up, ingress: down, running: client)
        network.run(for: .seconds(5))
        #expect(client.times == milliseconds(42, 1042))
        #expect(network.now == .zero + .seconds(5))
        #expect(network.datagramsUnderWay == 0)
    }

    @Test("A host with several addresses sends from and receives at each, of both families")
    func hasSeveralAddresses() {
        let network = SimulatedNetwork(seed: 1)
        let v6 = NetworkAddress(ip: IPAddress(high: 0x2001_0db8_0000_0000, low: 1), port: 443)
        let v6Client = NetworkAddress(ip: IPAddress(high: 0x2001_0db8_0000_0000, low: 2), port: 99)
        let echo = Echo()
        network.addHost("server", interfaces: [Interface(address(1)), Interface(v6)], running: echo)
        let unspecified = NetworkAddress(ip: .anyIPv6, port: 0)
        let client = Postbox([
            .init(time: .zero, remote: address(1), bytes: [1], local: address(7)),
            .init(time: .zero, remote: v6, bytes: [2], local: unspecified),
            .init(time: .zero, remote: address(1), bytes: [3], local: unspecified),
            .init(time: .zero, remote: address(1), bytes: [4], local: address(9)),
        ])
        let interfaces = [address(6), address(7), v6Client].map { Interface($0) }
        network.addHost("client", interfaces: interfaces, running: client)
        network.run(for: .seconds(1))
        #expect(client.arrivals.map(\.local) == [address(7), v6Client, address(6)])
        #expect(client.arrivals.map(\.remote) == [address(1), v6, address(1)])
        #expect(network.trace.counts[.sourceNotLocal] == 1)
    }

    @Test("Two hosts may have one IP address and different ports; other ports belong to nobody")
    func sharesAnAddress() {
        let network = SimulatedNetwork(seed: 1)
        let (first, second) = (Postbox(), Postbox())
        network.addHost("first", at: address(1, port: 1), running: first)
        network.addHost("second", at: address(1, port: 2), running: second)
        let sender = Postbox(
            (1...3).map { .init(time: .zero, remote: address(1, port: $0), bytes: [UInt8($0)]) })
        network.addHost("sender", at: address(2), running: sender)
        network.run(for: .seconds(1))
        #expect(first.numbers == [1])
        #expect(second.numbers == [2])
        #expect(network.trace.counts[.noRoute] == 1)
    }

    @Test("A frozen host loses what is sent to it, does nothing, and goes on where it was")
    func freezes() {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox(3, to: address(2), every: .milliseconds(10))
        let host = network.addHost("receiver", at: address(1), running: receiver)
        let sender = Postbox(5, to: address(1), every: .milliseconds(10))
        network.addHost("sender", at: address(2), running: sender)
        network.schedule(at: .zero + .milliseconds(5)) { $0.freeze(host) }
        network.schedule(at: .zero + .milliseconds(25)) { $0.thaw(host) }
        network.run(for: .seconds(1))
        #expect(receiver.numbers == [0, 3, 4])
        #expect(network.trace.counts[.hostFrozen] == 2)
        // Both letters that fell due meanwhile go out as it thaws.
        #expect(sender.times == milliseconds(0, 25, 25))
        #expect(receiver.resumptions == [.init(time: .milliseconds(25), localAddress: nil)])
    }

    @Test(
        "What is on its way to a host that freezes, moves and thaws is lost, and its old address is nobody's")
    func movesWhileFrozen() {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        let host = network.addHost("receiver", at: address(1), running: receiver)
        let letters = milliseconds(0, 20, 40, 60).flatMap { time in
            [address(1), address(3)].map {
                Postbox.Letter(time: time, remote: $0, bytes: [UInt8($0.ip.low & 0xff)])
            }
        }
        let slow = network.addLink(LinkParameters(delay: .milliseconds(5)))
        network.addHost("sender", at: address(2), egress: slow, running: Postbox(letters))
        network.schedule(at: .zero + .milliseconds(10)) { $0.freeze(host) }
        network.schedule(at: .zero + .milliseconds(50)) { $0.thaw(host, movingTo: [Interface(address(3))]) }
        network.run(for: .seconds(1))
        #expect(receiver.times == milliseconds(5, 65))
        #expect(receiver.numbers == [1, 3])
        #expect(receiver.resumptions == [.init(time: .milliseconds(50), localAddress: address(3))])
        #expect(network.addresses(of: host) == [address(3)])
        #expect(network.trace.counts[.hostFrozen] == 2)
        #expect(network.trace.counts[.noRoute] == 4)
    }

    @Test(
        "A clock that jumps by days changes what the program sees, not when things happen",
        arguments: [-3, 3])
    func clockJumps(days: Int64) {
        let network = SimulatedNetwork(seed: 1)
        let jump = TimeSpan.seconds(days * 86_400)
        let offset = TimeSpan.seconds(10 * 86_400)
        let receiver = Postbox()
        let host = network.addHost(
            "receiver", interfaces: [Interface(address(1))], running: receiver, clockOffset: offset)
        network.addHost("sender", at: address(2), running: Postbox(2, to: address(1), every: .seconds(10)))
        network.schedule(at: .zero + .seconds(5)) { $0.freeze(host) }
        network.schedule(at: .zero + .seconds(6)) { network in
            network.thaw(host, clockJump: jump)
            // Due in half a second by the clock as it is now.
            let time = offset + jump + .milliseconds(6500)
            receiver.letters = [.init(time: time, remote: address(2), bytes: [1])]
            network.wake(host)
        }
        network.run(for: .seconds(6) + .milliseconds(499))
        #expect(network.trace.counts[.sent] == 1)
        network.run(for: .milliseconds(1))
        #expect(network.trace.counts[.sent] == 2)
        network.run(for: .seconds(10))
        #expect(receiver.times == [offset, offset + jump + .seconds(10)])
        #expect(receiver.resumptions.map(\.time) == [offset + jump + .seconds(6)])
        #expect(network.localTime(of: host) == network.now + offset + jump)
        #expect(receiver.host?.now == network.localTime(of: host))
        #expect(receiver.host?.networkTime == network.now)
    }

    @Test("A deadline that was armed before a freeze doesn't fire in it, nor twice after it")
    func timersRestAndReturn() {
        final class Ticker: SimulatedProgram {
            var nextDeadline: Instant? = .zero + .milliseconds(10)
            var ticks: [TimeSpan] = []
            func receive(
                _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
                to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
            ) {}
            func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission?
            { nil }
            func handleDeadline(now: Instant) {
                ticks.append(now - .zero)
                nextDeadline = now + .milliseconds(10)
            }
        }
        let network = SimulatedNetwork(seed: 1)
        let ticker = Ticker()
        let host = network.addHost("ticker", at: address(1), running: ticker)
        network.schedule(at: .zero + .milliseconds(15)) { $0.freeze(host) }
        network.schedule(at: .zero + .milliseconds(35)) { $0.thaw(host) }
        network.run(for: .milliseconds(60))
        #expect(ticker.ticks == milliseconds(10, 35, 45, 55))
    }

    @Test("A train that a program writes goes out as datagrams, the last one shorter")
    func sendsTrains() {
        final class Train: SimulatedProgram {
            var isDue = true
            var nextDeadline: Instant? { nil }
            func receive(
                _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
                to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
            ) {}
            func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission?
            {
                guard isDue else { return nil }
                isDue = false
                for index in 0..<2500 { buffer[index] = UInt8(index / 1000) }
                return SimulatedTransmission(
                    count: 2500, segmentSize: 1000, remote: address(2), local: address(1), ecn: .ect0)
            }
            func handleDeadline(now: Instant) {}
        }
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        network.addHost("receiver", at: address(2), running: receiver)
        network.addHost("sender", at: address(1), running: Train())
        network.run(for: .seconds(1))
        #expect(receiver.arrivals.map(\.bytes.count) == [1000, 1000, 500])
        #expect(receiver.numbers == [0, 1, 2])
        #expect(receiver.arrivals.allSatisfy { $0.ecn == .ect0 && $0.segmentSize == $0.bytes.count })
    }

    @Test("A host that collects gives trains of one sender, mark and size to its program")
    func collects() {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        network.addHost(
            "receiver", interfaces: [Interface(address(1))], running: receiver, collecting: .milliseconds(5))
        let sizes = [100, 100, 60, 100, 100, 120]
        let letters = sizes.enumerated().map { index, size in
            Postbox.Letter(
                time: .microseconds(Int64(index)), remote: address(1),
                bytes: [UInt8](repeating: UInt8(index), count: size), ecn: index == 4 ? .ect0 : .notECT)
        }
        network.addHost("sender", at: address(2), running: Postbox(letters))
        network.run(for: .seconds(1))
        #expect(receiver.arrivals.map(\.bytes.count) == [260, 100, 100, 120])
        #expect(receiver.arrivals.map(\.segmentSize) == [100, 100, 100, 120])
        #expect(receiver.arrivals[0].bytes[100] == 1 && receiver.arrivals[0].bytes[200] == 2)
        #expect(receiver.times == milliseconds(5, 5, 5, 5))
        #expect(network.trace.counts[.delivered] == 6)
        #expect(network.datagramsUnderWay == 0)
    }

    @Test("Empty datagrams arrive, each by itself", arguments: [TimeSpan.zero, .milliseconds(5)])
    func deliversEmptyDatagrams(collecting: TimeSpan) {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        network.addHost(
            "receiver", interfaces: [Interface(address(1))], running: receiver, collecting: collecting)
        let letters = [[], [], [1], []].map { Postbox.Letter(time: .zero, remote: address(1), bytes: $0) }
        network.addHost("sender", at: address(2), running: Postbox(letters))
        network.run(for: .seconds(1))
        #expect(receiver.arrivals.map(\.bytes) == [[], [], [1], []])
        #expect(receiver.arrivals.allSatisfy { $0.segmentSize == 1 })
    }

    @Test("What a host has collected is lost when it freezes")
    func losesWhatItCollected() {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        let host = network.addHost(
            "receiver", interfaces: [Interface(address(1))], running: receiver, collecting: .milliseconds(5))
        network.addHost("sender", at: address(2), running: Postbox(3, to: address(1)))
        network.schedule(at: .zero + .milliseconds(1)) { $0.freeze(host) }
        network.schedule(at: .zero + .milliseconds(2)) { $0.thaw(host) }
        network.run(for: .seconds(1))
        #expect(receiver.arrivals.isEmpty)
        #expect(network.trace.counts[.hostFrozen] == 3)
        #expect(network.datagramsUnderWay == 0)
    }

    @Test("A program that is always late, or never stops sending, is stopped and named")
    func stopsRunawayPrograms() {
        final class Runaway: SimulatedProgram {
            let floods: Bool
            init(floods: Bool) { self.floods = floods }
            var nextDeadline: Instant? { .zero }
            func receive(
                _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
                to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
            ) {}
            func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission?
            {
                guard floods else { return nil }
                return SimulatedTransmission(
                    count: 60_000, segmentSize: 100, remote: address(9), local: address(2))
            }
            func handleDeadline(now: Instant) {}
        }
        let network = SimulatedNetwork(seed: 1)
        network.addHost("late", at: address(1), running: Runaway(floods: false))
        network.addHost("flood", at: address(2), running: Runaway(floods: true))
        network.run(for: .seconds(1))
        #expect(network.now == .zero + .seconds(1))
        #expect(network.violations.map(\.checker) == ["network", "network"])
        #expect(network.violations.contains { $0.message.hasPrefix("late keeps a deadline") })
        #expect(network.violations.contains { $0.message.hasPrefix("flood sent") })
    }

    @Test("A host may come later, restart with another program, and go for good")
    func comesAndGoes() {
        let network = SimulatedNetwork(seed: 1)
        let (first, second) = (Postbox(), Postbox())
        let host = network.addHost(
            "receiver", interfaces: [Interface(address(1))], running: first,
            startingAt: .zero + .milliseconds(15))
        network.addHost(
            "sender", at: address(2), running: Postbox(7, to: address(1), every: .milliseconds(10)))
        network.schedule(at: .zero + .milliseconds(35)) { $0.restart(host, running: second) }
        network.schedule(at: .zero + .milliseconds(55)) { $0.remove(host) }
        network.run(for: .seconds(1))
        #expect(first.numbers == [2, 3])
        #expect(second.numbers == [4, 5])
        #expect(second.host?.id == host)
        #expect(network.trace.counts[.noRoute] == 1)
    }

    @Test("A frozen host can go on with another program, which is told that there was one before")
    func restartsFrozen() {
        let network = SimulatedNetwork(seed: 1)
        let (first, second) = (Postbox(), Postbox())
        let host = network.addHost("receiver", at: address(1), running: first)
        network.addHost(
            "sender", at: address(2), running: Postbox(6, to: address(1), every: .milliseconds(10)))
        network.schedule(at: .zero + .milliseconds(15)) { $0.freeze(host) }
        network.schedule(at: .zero + .milliseconds(35)) { $0.restart(host, running: second) }
        // Whoever wanted to thaw the old program comes too late.
        network.schedule(at: .zero + .milliseconds(45)) { $0.thaw(host) }
        network.run(for: .seconds(1))
        #expect(first.numbers == [0, 1] && second.numbers == [4, 5])
        #expect(second.resumptions.isEmpty && second.host?.startCount == 2)
        #expect(network.trace.counts[.restarted] == 1 && network.trace.counts[.hostFrozen] == 2)
    }

    @Test("A copy of a host can appear elsewhere while the original runs on")
    func copies() {
        let network = SimulatedNetwork(seed: 1)
        let original = Postbox(4, to: address(9), every: .milliseconds(10))
        let receiver = Postbox()
        network.addHost("receiver", at: address(9), running: receiver)
        network.addHost("original", at: address(1), running: original)
        network.schedule(at: .zero + .milliseconds(15)) { network in
            network.addHost("copy", at: address(2), running: Postbox(original.letters))
        }
        network.run(for: .seconds(1))
        #expect(receiver.numbers == [0, 1, 2, 2, 3, 3])
        #expect(Set(receiver.arrivals.map(\.remote)) == [address(1), address(2)])
    }

    @Test("A running host that changes its address is told so")
    func moves() {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        let host = network.addHost("receiver", at: address(1), running: receiver)
        let letters = milliseconds(0, 20).flatMap { time in
            [address(1), address(3)].map { Postbox.Letter(time: time, remote: $0, bytes: [1]) }
        }
        network.addHost("sender", at: address(2), running: Postbox(letters))
        network.schedule(at: .zero + .milliseconds(10)) { $0.move(host, to: [Interface(address(3))]) }
        network.run(for: .seconds(1))
        #expect(receiver.arrivals.map(\.local) == [address(1), address(3)])
        #expect(receiver.resumptions == [.init(time: .milliseconds(10), localAddress: address(3))])
    }

    @Test("An address in an outage swallows what is sent to it")
    func swallowsAtAnAddress() {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        network.addHost("receiver", at: address(1), running: receiver)
        network.addHost(
            "sender", at: address(2), running: Postbox(4, to: address(1), every: .milliseconds(10)))
        network.addOutage(.between(.zero + .milliseconds(5), .zero + .milliseconds(25)), of: address(1).ip)
        network.run(for: .seconds(1))
        #expect(receiver.numbers == [0, 3])
        #expect(network.trace.counts[.blackHole] == 2)
    }

    @Test("A run ends when its condition holds")
    func endsOnACondition() {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        network.addHost("receiver", at: address(1), running: receiver)
        network.addHost(
            "sender", at: address(2), running: Postbox(9, to: address(1), every: .milliseconds(10)))
        let isDone = network.run(until: .zero + .seconds(1)) { receiver.arrivals.count == 3 }
        #expect(isDone)
        #expect(network.now == .zero + .milliseconds(20))
        #expect(!network.run(until: .zero + .seconds(1)) { receiver.arrivals.count == 99 })
        #expect(network.now == .zero + .seconds(1))
        #expect(network.nextEventTime == nil)
    }
}
