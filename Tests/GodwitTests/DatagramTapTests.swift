import GodwitWire
import NIOConcurrencyHelpers
import Testing

@testable import Godwit

@Suite("What a tap sees", .timeLimit(.minutes(15)))
struct DatagramTapTests {
    /// Counts what comes from one address.
    private final class Counter: DatagramTap {
        private let counts = NIOLockedValueBox<[NetworkAddress: Int]>([:])

        func sent(_ datagram: SeenDatagram) {}
        func received(_ datagram: SeenDatagram) {
            counts.withLockedValue { $0[datagram.source, default: 0] += 1 }
        }
        func count(from address: NetworkAddress) -> Int { counts.withLockedValue { $0[address] ?? 0 } }
    }

    @Test("It has seen all that has come when a connection was told to read it, however much it is")
    func reading() async throws {
        let counter = Counter()
        try await LoopbackPair.run(client: { $0.tap = counter }, serve: echo) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let other = try SocketDescriptor(bindingTo: NetworkAddress("127.0.0.1:0")!, sharing: .never)
            defer { other.close() }
            let local = await connection.localAddress
            // On its event loop, which reads nothing meanwhile of its own accord.
            await connection.driver.driver.run {
                for _ in 0..<100 {
                    #expect(
                        other.send(
                            [0x40, 1, 2, 3], segmentSize: nil, from: other.localAddress, to: local,
                            ecn: .notECT) == 0)
                }
                #expect(counter.count(from: other.localAddress) == 0)
                await connection.readWhatHasCome()
                #expect(counter.count(from: other.localAddress) == 100)
            }
            try await expectEcho(connection)
        }
    }
}
