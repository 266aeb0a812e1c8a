import GodwitCore
import GodwitTestSupport
import GodwitWire
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Godwit

@Suite("Datagrams that came to the wrong event loop", .timeLimit(.minutes(15)))
struct ShardRingTests {
    private func makeRing(_ count: Int, _ group: MultiThreadedEventLoopGroup) -> ShardRing {
        ShardRing(
            (0..<count).map { _ in
                EndpointLoop(
                    driver: .of(group.next()), configuration: EndpointConfiguration(unixTimeAtEpoch: 0),
                    settings: EndpointSettings(
                        role: .server, cancellationCode: 0, logger: Logger(label: "test"),
                        metrics: QUICMetrics(role: .server), sharing: .never))
            })
    }

    private func makeTrain(origin: Int) -> HandedTrain {
        var bytes: [UInt8] = [0x40, 1, 2, 3]
        let address = NetworkAddress("127.0.0.1:1")!
        return bytes.withUnsafeMutableBytes {
            HandedTrain($0, 4, Arrival(remote: address, local: address, ecn: .notECT), origin: origin)
        }
    }

    @Test("The loop that a connection id names is asked first, and the next if that is this one or none")
    func firstToAsk() async throws {
        try await withEventLoops(1) { group in
            let ring = makeRing(3, group)
            let place = RingPlace(ring: ring, index: 1)
            #expect(place.firstToAsk(for: 0) == 0)
            #expect(place.firstToAsk(for: 2) == 2)
            #expect(place.firstToAsk(for: 1) == 2)
            #expect(place.firstToAsk(for: 3) == 2)
            #expect(RingPlace(ring: ring, index: 2).firstToAsk(for: 99) == 0)
        }
    }

    @Test("A datagram goes round the ring once and comes back to where it came from", arguments: [2, 3, 5])
    func onceRound(count: Int) async throws {
        try await withEventLoops(1) { group in
            let ring = makeRing(count, group)
            for origin in 0..<count {
                for shard in 0..<count where shard != origin {
                    var (asked, current): ([Int], Int) = ([], shard)
                    RingPlace(ring: ring, index: origin).handOver(makeTrain(origin: origin), to: shard)
                    while current != origin {
                        asked.append(current)
                        let place = RingPlace(ring: ring, index: current)
                        for train in place.takeHandedTrains() { place.passOn(train) }
                        current = try #require((0..<count).first { !ring.mailboxes[$0].isEmpty })
                    }
                    #expect(asked.count == count - 1)
                    #expect(Set(asked).count == count - 1)
                    _ = RingPlace(ring: ring, index: origin).takeHandedTrains()
                }
            }
        }
    }

    @Test("What finds no room in a mailbox is lost")
    func fullMailbox() {
        let mailbox = Mailbox()
        #expect(mailbox.put(makeTrain(origin: 0)))
        for _ in 0..<2 * Mailbox.capacity { #expect(!mailbox.put(makeTrain(origin: 0))) }
        #expect(mailbox.takeAll().count == Mailbox.capacity)
        #expect(mailbox.put(makeTrain(origin: 0)))
    }
}
