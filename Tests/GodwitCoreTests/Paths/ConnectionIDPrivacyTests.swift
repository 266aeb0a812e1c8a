import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("What connection ids show to outsiders (RFC 9000 section 5.1)")
struct ConnectionIDPrivacyTests {
    /// Every byte but the first, which is the same in all ids of all connections.
    private func tails(_ ids: [ConnectionID]) -> [[UInt8]] { ids.map { Array($0.bytes.dropFirst()) } }

    /// What the ids that follow each other have in common: where the bits are 0.
    private func differences(_ tails: [[UInt8]]) -> [[UInt8]] {
        zip(tails, tails.dropFirst()).map { pair in zip(pair.0, pair.1).map { $0 ^ $1 } }
    }

    /// Whether no value of no byte stands out, as far as can be told from so many samples.
    private func looksRandom(_ samples: [[UInt8]]) -> Bool {
        (0..<samples[0].count).allSatisfy { place in
            var counts = [Int](repeating: 0, count: 256)
            for sample in samples { counts[Int(sample[place])] += 1 }
            // In so many draws of 256 values none comes more than four times as often as it should.
            return counts.max()! < 4 * samples.count / 256
        }
    }

    // Holds: 9000-5.1-1
    @Test(
        "Ids of one server, loop and second have no more in common than any others (RFC 9000 section 5.1)")
    func generator() {
        var generator = ConnectionIDGenerator(
            key: SharedKey([UInt8](repeating: 4, count: 32))!,
            resetKey: SharedKey([UInt8](repeating: 5, count: 32))!, serverID: 7, shard: 3)
        var random = RandomGenerator(seed: [UInt8](repeating: 6, count: 32))
        let ids = (0..<4096).map { _ in generator.make(unixTime: 1_800_000_000, using: &random) }
        #expect(Set(ids.map { $0.bytes[0] }).count == 1)
        #expect(looksRandom(tails(ids)) && looksRandom(differences(tails(ids))))
        // The test can tell: two bytes of four, as they would be without encryption, don't pass.
        let plain = (0..<4096 as Range<UInt16>).map { [7, 3, UInt8($0 >> 8), UInt8($0 & 0xff)] as [UInt8] }
        #expect(!looksRandom(plain) && !looksRandom(differences(plain)))
    }

    // Holds: 9000-5.1-1
    @Test(
        "All ids that either end issues in a connection are of that kind, each its own (RFC 9000 section 5.1)"
    )
    func connection() throws {
        let pair = EndpointPair { $0.preferredIPv4Address = NetworkAddress("198.51.100.2:443")! }
        var ids: [Role: [[ConnectionID]]] = [:]
        for _ in 0..<24 {
            let (client, server) = try pair.establish()
            pair.run(for: .milliseconds(200))
            for end in [client, server] { ids[end.role, default: []].append(end.localIDs.live) }
        }
        for (_, connections) in ids {
            let all = connections.flatMap { $0 }
            #expect(connections.allSatisfy { $0.count >= 4 } && Set(all).count == all.count)
            #expect(Set(all.map(\.length)) == [ConnectionIDGenerator.format.length])
            // Bits in common: of 96 about 48, whether two ids are of one connection or of two.
            let within = connections.flatMap { commonBits(tails($0)) }
            let across = commonBits(tails(connections.map { $0[1] }))
            #expect(within.allSatisfy { 24...72 ~= $0 } && across.allSatisfy { 24...72 ~= $0 })
            #expect(abs(mean(within) - 48) < 2 && abs(mean(across) - 48) < 4)
        }
    }

    private func commonBits(_ tails: [[UInt8]]) -> [Int] {
        differences(tails).map { 96 - $0.reduce(0) { $0 + $1.nonzeroBitCount } }
    }

    private func mean(_ values: [Int]) -> Double { Double(values.reduce(0, +)) / Double(values.count) }
}
