import GodwitCrypto
import GodwitWire
import Testing

@Suite("Tokens that servers seal and clients return")
struct TokenSealerTests {
    private let first = SharedKey([UInt8](repeating: 1, count: SharedKey.length))!
    private let second = SharedKey([UInt8](repeating: 2, count: SharedKey.length))!
    private let third = SharedKey([UInt8](repeating: 3, count: SharedKey.length))!
    private let payload = Array("an address and a time".utf8)
    private let address = Array("192.0.2.1".utf8)

    // Holds: W30
    @Test("A token opens on any server that has the key (RFC 9000 section 8.1.4)")
    func sharedKey() {
        var random = randomGenerator()
        let token = sealer(first).seal(payload, associatedData: address, using: &random)
        #expect(token.count == payload.count + TokenSealer.overhead)
        #expect(open(token, sealer(first)) == payload)
        #expect(open(token, sealer(second)) == nil)
    }

    @Test(
        "A token changed, cut short, or for another address does not open (RFC 9000 section 8.1.4)"
    )
    func tampering() {
        var random = randomGenerator()
        let server = sealer(first)
        let token = server.seal(payload, associatedData: address, using: &random)
        for index in token.indices {
            var changed = token
            changed[index] ^= 0x01
            #expect(open(changed, server) == nil)
            #expect(open(Array(token[..<index]), server) == nil)
        }
        #expect(open(token, server, for: Array("192.0.2.2".utf8)) == nil)
    }

    @Test("A key is replaced while tokens of the one before still open")
    func rotation() {
        var random = randomGenerator()
        let old = sealer(first).seal(payload, associatedData: address, using: &random)
        let rotated = sealer(second, first)
        let new = rotated.seal(payload, associatedData: address, using: &random)
        #expect(open(old, rotated) == payload && open(new, rotated) == payload)
        // A server that was told of the new key ahead of the others opens what they already seal with it.
        #expect(open(new, sealer(first, second)) == payload)
        #expect(open(old, sealer(third, second)) == nil)
    }

    @Test("Tokens of one purpose don't open for another")
    func purposes() {
        var random = randomGenerator()
        let retry = TokenSealer(keys: [first], purpose: "retry")
        let ticket = TokenSealer(keys: [first], purpose: "ticket")
        let token = retry.seal(payload, associatedData: address, using: &random)
        #expect(open(token, ticket) == nil)
    }

    @Test("Two tokens of one payload have nothing but the key's id in common (RFC 9000 section 8.1.4)")
    func unlinkable() {
        var random = randomGenerator()
        let tokens = (0..<2).map { _ in sealer(first).seal(payload, associatedData: [], using: &random) }
        let equal = zip(tokens[0], tokens[1]).dropFirst(4).count { $0 == $1 }
        #expect(tokens[0].prefix(4) == tokens[1].prefix(4))
        #expect(equal <= 4)
    }

    // Holds: 9000-19.7-1
    @Test("An empty payload is a token too, none is empty, nonsense opens to nothing (RFC 9000 section 19.7)")
    func edges() {
        var random = randomGenerator()
        let token = sealer(first).seal([], associatedData: [], using: &random)
        #expect(token.count == TokenSealer.overhead && TokenSealer.overhead > 0)
        #expect(open(token, sealer(first), for: []) == [])
        for count in 0..<80 { #expect(open(random.bytes(count), sealer(first)) == nil) }
    }

    // Holds: 9000-10.3.2-5
    // Holds: W14
    @Test("Stateless reset tokens follow from key and connection id alone (RFC 9000 section 10.3.2)")
    func statelessReset() {
        let id = ConnectionID([1, 2, 3, 4, 5, 6, 7, 8])!
        let other = ConnectionID([1, 2, 3, 4, 5, 6, 7, 9])!
        let key = StatelessResetKey(first)
        #expect(key.token(for: id) == StatelessResetKey(first).token(for: id))
        #expect(key.token(for: id) != key.token(for: other))
        #expect(key.token(for: id) != StatelessResetKey(second).token(for: id))
    }

    @Test("A shared key has 32 bytes and does not show them")
    func sharedKeys() {
        #expect(SharedKey([]) == nil && SharedKey([UInt8](repeating: 0, count: 33)) == nil)
        #expect(SharedKey.random() != SharedKey.random())
        #expect("\(first)" == "SharedKey")
    }

    private func sealer(_ keys: SharedKey...) -> TokenSealer { TokenSealer(keys: keys, purpose: "retry") }

    private func open(_ token: [UInt8], _ sealer: TokenSealer, for address: [UInt8]? = nil) -> [UInt8]? {
        token.withUnsafeBytes { sealer.open($0, associatedData: address ?? self.address) }
    }
}
