import GodwitWire
import Testing

@testable import GodwitCrypto

@Suite("Connection ids that say where a connection lives")
struct ConnectionIDCipherTests {
    /// Server id and nonce, as one block, and the id they give under one key (appendix B.2 of the draft).
    struct Vector: Sendable {
        let configuration: UInt8
        let block: String
        let id: String
    }

    static let vectors = [
        Vector(configuration: 0, block: "ed793aee080dbf", id: "0720b1d07b359d3c"),
        Vector(
            configuration: 1, block: "ed793a51d49b8f5fab65ee080dbf48",
            id: "2fcc381bc74cb4fbad2823a3d1f8fed2"),
        Vector(
            configuration: 2, block: "ed793a51d49b8f5fee080dbf48c0d1e5",
            id: "504dd2d05a7b0de9b2b9907afb5ecf8cc3"),
        Vector(
            configuration: 3, block: "ed793a51d49b8f5fabee080dbf48c0d1e55d",
            id: "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"),
    ]

    @Test(
        "Blocks are encrypted as a load balancer expects (draft-ietf-quic-load-balancers-21 appendix B.2)",
        arguments: vectors)
    func draftVectors(vector: Vector) throws {
        let block = hex(vector.block)
        let format = try #require(
            ConnectionIDFormat(
                length: block.count + 1, serverIDLength: 1, configuration: vector.configuration))
        let cipher = try #require(
            ConnectionIDCipher(key: hex("8f95f09245765f80256934e50c66207f"), format: format))
        var bytes = block
        bytes.withUnsafeMutableBytes { cipher.encrypt($0) }
        // The last vector's first byte doesn't hold the configuration that the draft names beside it.
        #expect(bytes == Array(hex(vector.id).dropFirst()))
        bytes.withUnsafeMutableBytes { cipher.decrypt($0) }
        #expect(bytes == block)
    }

    // Holds: 9000-10.3.2-2
    @Test("Contents come back from ids of every length", arguments: 8...20)
    func roundTrips(length: Int) throws {
        for serverIDLength in 1...8 {
            guard
                let format = ConnectionIDFormat(
                    length: length, serverIDLength: serverIDLength, configuration: 5)
            else { continue }
            let cipher = ConnectionIDCipher(key, format: format)
            for contents in [
                ConnectionIDContents(serverID: 0, shard: 0, nonce: 0),
                ConnectionIDContents(serverID: format.maxServerID, shard: .max, nonce: format.maxNonce),
                ConnectionIDContents(serverID: 1, shard: 2, nonce: 3),
            ] {
                let id = cipher.encode(contents)
                #expect(id.length == length && id.bytes[0] == 5 << 5 | UInt8(length - 1))
                #expect(cipher.decode(id) == contents)
            }
        }
    }

    @Test("No two contents share an id: encryption is a permutation")
    func permutation() {
        let cipher = ConnectionIDCipher(key, format: .short)
        var seen: Set<ConnectionID> = []
        for nonce in 0..<4096 {
            seen.insert(cipher.encode(ConnectionIDContents(serverID: 1, shard: 0, nonce: UInt64(nonce))))
        }
        #expect(seen.count == 4096)
    }

    @Test(
        "A new nonce changes half the bits, so ids can't be linked (RFC 9000 section 9.5)",
        arguments: [8, 12, 17, 20])
    func unlinkability(length: Int) throws {
        let format = try #require(ConnectionIDFormat(length: length, serverIDLength: 2))
        let cipher = ConnectionIDCipher(key, format: format)
        var flips = 0
        for nonce in 0..<256 as Range<UInt64> {
            let pair = [nonce, nonce + 1].map {
                cipher.encode(ConnectionIDContents(serverID: 7, shard: 3, nonce: $0)).bytes
            }
            flips += zip(pair[0], pair[1]).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
        }
        let share = Double(flips) / Double(256 * 8 * (length - 1))
        #expect((0.47...0.53).contains(share))
    }

    @Test("Ids of another length or configuration are not ours, and other keys don't read them")
    func foreignIDs() throws {
        let cipher = ConnectionIDCipher(key, format: .standard)
        let contents = ConnectionIDContents(serverID: 9, shard: 1, nonce: 5)
        let id = cipher.encode(contents)
        #expect(cipher.decode(.empty) == nil)
        #expect(cipher.decode(try #require(ConnectionID(id.bytes.dropLast()))) == nil)
        let other = try #require(ConnectionIDFormat(length: 12, serverIDLength: 2, configuration: 1))
        #expect(ConnectionIDCipher(key, format: other).decode(id) == nil)
        let stranger = ConnectionIDCipher(SharedKey([UInt8](repeating: 8, count: 32))!, format: .standard)
        #expect(stranger.decode(id) != contents)
    }

    @Test("Where the length leaves zeros, made-up ids are told apart")
    func checkBytes() throws {
        let format = try #require(ConnectionIDFormat(length: 17, serverIDLength: 4))
        let cipher = ConnectionIDCipher(key, format: format)
        var random = randomGenerator()
        let genuine = (0..<200).count { _ in
            let id = ConnectionID([UInt8(16)] + random.bytes(16))!
            return cipher.decode(id) != nil
        }
        #expect(genuine <= 1)
    }

    // Holds: 9000-18.2-3, 9000-18.2-4
    @Test("Formats that can't hold their fields don't exist, so no id is empty (RFC 9000 section 18.2)")
    func formats() throws {
        for length in 0..<8 { #expect(ConnectionIDFormat(length: length, serverIDLength: 1) == nil) }
        #expect(ConnectionIDFormat(length: 21, serverIDLength: 1) == nil)
        #expect(ConnectionIDFormat(length: 8, serverIDLength: 3) == nil)
        #expect(ConnectionIDFormat(length: 8, serverIDLength: 0) == nil)
        #expect(ConnectionIDFormat(length: 20, serverIDLength: 9) == nil)
        #expect(ConnectionIDFormat(length: 12, serverIDLength: 2, configuration: 7) == nil)
        #expect(try roundTrip(ConnectionIDFormat.standard) == .standard)
        #expect(throws: DecodingError.self) {
            try decode(ConnectionIDFormat.self, #"{"length": 3, "serverIDLength": 2, "configuration": 0}"#)
        }
    }

    private let key = SharedKey([UInt8](repeating: 7, count: 32))!
}
