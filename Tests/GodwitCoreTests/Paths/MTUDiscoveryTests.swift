import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Path MTU discovery (RFC 8899, RFC 9000 section 14)")
struct MTUDiscoveryTests {
    /// A path that carries datagrams of up to `mtu` bytes: probes until there is nothing to probe.
    @discardableResult
    private func search(
        _ discovery: inout MTUDiscovery, mtu: Int, at now: Instant = .zero
    ) -> [Int] {
        var probes: [Int] = []
        while let size = discovery.probeSize(at: now), probes.count < 1000 {
            probes.append(size)
            discovery.onProbeSent(size: size)
            if size <= mtu {
                #expect(discovery.onProbeAcknowledged(size: size) == true)
            } else {
                discovery.onProbeLost(size: size)
            }
        }
        return probes
    }

    private func started(ceiling: Int = 1472) -> MTUDiscovery {
        var discovery = MTUDiscovery(ceiling: ceiling)
        discovery.start()
        return discovery
    }

    @Test("Nothing above 1200 bytes is tried before the search begins (RFC 9000 section 14.3.1)")
    func base() {
        var discovery = MTUDiscovery(ceiling: 1472)
        #expect(discovery.currentSize == 1200)
        #expect(discovery.probeSize(at: .zero) == nil)
    }

    @Test("On an ordinary path one probe finds the size (RFC 8899 section 5.3)")
    func ordinaryPath() {
        var discovery = started()
        #expect(search(&discovery, mtu: 1472) == [1472])
        #expect(discovery.currentSize == 1472)
        #expect(discovery.probeSize(at: .ms(10_000_000)) == nil)
    }

    @Test("Tunnels of every size are found within a few probes (RFC 8899 section 5.3)")
    func everySize() {
        for mtu in stride(from: 1200, through: 1500, by: 1) {
            var discovery = started(ceiling: 1472)
            let probes = search(&discovery, mtu: mtu)
            #expect(discovery.currentSize <= max(mtu, 1200))
            #expect(discovery.currentSize > min(mtu, 1472) - 2 * MTUSearch.granularity)
            #expect(probes.count <= 24)
        }
    }

    @Test(
        "The sizes of common tunnels are found exactly",
        arguments: [1232, 1252, 1372, 1392, 1432, 1444, 1464])
    func commonTunnels(mtu: Int) {
        var discovery = started()
        search(&discovery, mtu: mtu)
        #expect(discovery.currentSize == mtu)
    }

    @Test(
        "Jumbo frames and the loopback interface are found too", arguments: [8972, 9000, 16000, 65507, 65527])
    func jumbo(mtu: Int) {
        var discovery = started(ceiling: 70000)
        let probes = search(&discovery, mtu: mtu)
        #expect(discovery.currentSize <= mtu && discovery.currentSize > mtu - 2 * MTUSearch.granularity)
        #expect(probes.count < 60)
    }

    @Test("A size is given up after three lost probes, one at a time (RFC 8899 section 5.1.2)")
    func threeLosses() {
        var discovery = started()
        for _ in 0..<3 {
            #expect(discovery.probeSize(at: .zero) == 1472)
            discovery.onProbeSent(size: 1472)
            #expect(discovery.probeSize(at: .zero) == nil)
            discovery.onProbeLost(size: 1472)
        }
        #expect(discovery.probeSize(at: .zero).map { $0 < 1472 } == true)
    }

    @Test("The peer's max_udp_payload_size is never exceeded (RFC 9000 section 18.2)")
    func peerMaximum() {
        var discovery = started()
        discovery.limit(toPeerMaximum: 1300)
        let probes = search(&discovery, mtu: 1500)
        #expect(probes.allSatisfy { $0 <= 1300 })
        #expect(discovery.currentSize == 1300)
        discovery.limit(toPeerMaximum: 1250)
        #expect(discovery.currentSize == 1250)
        discovery.limit(toPeerMaximum: 0)
        #expect(discovery.currentSize == 1200)
        discovery.limit(toPeerMaximum: .max)
        #expect(discovery.currentSize == 1200)
    }

    @Test("A ceiling of 1200 switches discovery off")
    func switchedOff() {
        var discovery = started(ceiling: 1200)
        #expect(discovery.probeSize(at: .zero) == nil)
        #expect(discovery.probeSize(at: .ms(10_000_000)) == nil)
    }

    @Test("Ten minutes later a larger size is tried again (RFC 8899 section 5.1.1)")
    func raise() {
        var discovery = started()
        search(&discovery, mtu: 1300, at: .zero)
        let found = discovery.currentSize
        #expect(discovery.probeSize(at: .ms(599_999)) == nil)
        #expect(discovery.probeSize(at: .ms(600_000)) == 1472)
        search(&discovery, mtu: 1472, at: .ms(600_000))
        #expect(discovery.currentSize == 1472 && found <= 1300)
    }

    @Test("A probe that arrives after it was taken for lost still counts")
    func lateProbe() {
        var discovery = started()
        discovery.onProbeSent(size: 1472)
        for _ in 0..<3 { discovery.onProbeLost(size: 1472) }
        #expect(discovery.onProbeAcknowledged(size: 1472) == true)
        #expect(discovery.currentSize == 1472)
    }

    // MARK: Black holes

    @Test("A path that drops large packets is soon back at 1200, and searched anew (RFC 8899 section 4.3)")
    func blackHole() {
        var discovery = started()
        search(&discovery, mtu: 1472)
        discovery.onPacketAcknowledged(packetNumber: 10, size: 1472)
        var fell = false
        for step in 0..<3 {
            #expect(!fell)
            // Small packets get through and show the large ones to be lost.
            let number = UInt64(20 + step * 10)
            for offset in UInt64(0)..<3 {
                let hasFallen = discovery.onPacketLost(
                    packetNumber: number + offset, size: 1472, at: .ms(Int64(step) * 50))
                fell = fell || hasFallen
            }
        }
        #expect(fell)
        #expect(discovery.currentSize == 1200)
        #expect(discovery.blackHoles == 1)
        search(&discovery, mtu: 1300, at: .ms(200))
        #expect(discovery.currentSize > 1200 && discovery.currentSize <= 1300)
    }

    @Test("Congestion is no black hole: later large packets arrive (RFC 8899 section 4.3)")
    func congestion() {
        var discovery = started()
        search(&discovery, mtu: 1472)
        for round in UInt64(0)..<100 {
            let now = Instant.ms(Int64(round) * 50)
            discovery.onPacketAcknowledged(packetNumber: round * 100 + 99, size: 1472)
            for number in 0..<UInt64(40) {
                let fell = discovery.onPacketLost(packetNumber: round * 100 + number * 2, size: 1472, at: now)
                #expect(!fell)
            }
        }
        #expect(discovery.currentSize == 1472)
    }

    @Test("Old losses that come to light late prove nothing about packets since (RFC 8899 section 4.3)")
    func lateLosses() {
        var discovery = started()
        search(&discovery, mtu: 1472)
        discovery.onPacketAcknowledged(packetNumber: 99, size: 1472)
        for step in 0..<10 {
            let fell = discovery.onPacketLost(packetNumber: UInt64(step), size: 1472, at: .ms(Int64(step)))
            #expect(!fell)
        }
    }

    @Test("Timeouts in a row are a black hole as well; lost small packets never are")
    func timeouts() {
        var discovery = started()
        search(&discovery, mtu: 1472)
        for step in 0..<20 {
            #expect(
                discovery.onPacketLost(packetNumber: UInt64(step), size: 1200, at: .ms(Int64(step))) == false)
        }
        #expect(discovery.onProbeTimeout(count: 2, at: .ms(100)) == false)
        #expect(discovery.onProbeTimeout(count: 3, at: .ms(200)) == true)
        #expect(discovery.currentSize == 1200)
        #expect(discovery.onProbeTimeout(count: 4, at: .ms(300)) == false)
    }

    @Test("A second black hole soon after the first is not looked into at once")
    func repeatedBlackHole() {
        var discovery = started()
        search(&discovery, mtu: 1472)
        _ = discovery.onProbeTimeout(count: 3, at: .ms(1000))
        #expect(discovery.probeSize(at: .ms(1000)) == 1472)
        search(&discovery, mtu: 1472, at: .ms(1000))
        _ = discovery.onProbeTimeout(count: 3, at: .ms(2000))
        #expect(discovery.probeSize(at: .ms(61_999)) == nil)
        #expect(discovery.probeSize(at: .ms(62_000)) == 1472)
    }

    // MARK: EMSGSIZE

    @Test("EMSGSIZE for a probe rules its size out without further tries")
    func messageTooLargeForProbe() {
        var discovery = started(ceiling: 8972)
        #expect(discovery.probeSize(at: .zero) == 8972)
        discovery.onProbeSent(size: 8972)
        #expect(discovery.onMessageTooLarge(size: 8972, at: .zero) == false)
        #expect(discovery.currentSize == 1200)
        let next = discovery.probeSize(at: .zero)
        #expect(next.map { $0 < 8972 } == true)
    }

    @Test("EMSGSIZE for a size in use shrinks datagrams at once")
    func messageTooLargeInUse() {
        var discovery = started()
        search(&discovery, mtu: 1472)
        #expect(discovery.onMessageTooLarge(size: 1400, at: .zero) == true)
        #expect(discovery.currentSize == 1200)
        let probes = search(&discovery, mtu: 1399)
        #expect(probes.allSatisfy { $0 < 1400 })
        #expect(discovery.currentSize == 1392)
    }

    // Holds: 9000-14.2.1-1, 9000-14.2.1-3
    @Test("A claim of less than 1200 bytes is ignored, and none raises the size (RFC 9000 section 14.2.1)")
    func forgedClaims() {
        var discovery = started()
        search(&discovery, mtu: 1472)
        #expect(discovery.onMessageTooLarge(size: 1200, at: .zero) == false)
        #expect(discovery.onMessageTooLarge(size: 68, at: .zero) == false)
        #expect(discovery.onMessageTooLarge(size: -1, at: .zero) == false)
        #expect(discovery.onMessageTooLarge(size: 9000, at: .zero) == false)
        #expect(discovery.currentSize == 1472)
    }

    @Test("A freeze ends the probe under way and puts off the next search")
    func freeze() {
        var discovery = started()
        discovery.onProbeSent(size: 1472)
        discovery.resume(shiftedBy: .seconds(5))
        #expect(discovery.probeSize(at: .ms(5000)) == 1472)
        search(&discovery, mtu: 1300, at: .ms(5000))
        discovery.resume(shiftedBy: .seconds(100))
        #expect(discovery.probeSize(at: .ms(704_999)) == nil)
        #expect(discovery.probeSize(at: .ms(705_000)) == 1472)
    }
}
