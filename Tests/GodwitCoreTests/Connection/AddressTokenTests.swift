import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Address validation tokens")
struct AddressTokenTests {
    private static let key = SharedKey([UInt8](repeating: 7, count: 32))!
    private static let now: Int64 = 1_800_000_000
    private let client = EndpointPair.clientAddress
    private let destination = ConnectionID([1, 2, 3, 4, 5, 6, 7, 8])!
    private let source = ConnectionID([8, 7, 6, 5, 4, 3, 2, 1])!

    private func validation() -> AddressValidation {
        AddressValidation(keys: [Self.key], tokenLifetime: .seconds(1000))
    }

    private func random(_ seed: UInt8 = 1) -> RandomGenerator {
        RandomGenerator(seed: [UInt8](repeating: seed, count: 32))
    }

    private func verify(
        _ validation: inout AddressValidation, _ token: [UInt8], to id: ConnectionID? = nil,
        from remote: NetworkAddress? = nil, at time: Int64 = now
    ) -> AddressValidation.Verdict {
        token.withUnsafeBytes {
            validation.verify($0, destination: id ?? source, remote: remote ?? client, unixTime: time)
        }
    }

    private func retryToken(_ validation: AddressValidation, _ random: inout RandomGenerator) -> [UInt8] {
        validation.retryToken(
            originalDestination: destination, retrySource: source, remote: client, unixTime: Self.now,
            using: &random)
    }

    // Holds: 9000-8.1.1-1
    @Test("A server tells a token of a Retry from one of NEW_TOKEN (RFC 9000 section 8.1.1)")
    func kinds() {
        var (validation, random) = (validation(), random())
        let returning = validation.returningToken(remote: client, unixTime: Self.now, using: &random)
        let retry = retryToken(validation, &random)
        #expect(verify(&validation, returning) == .returning)
        #expect(verify(&validation, retry) == .retried(originalDestination: destination))
    }

    // Holds: 9000-8.1.4-1, 9000-8.1.4-2
    @Test(
        "A token with any bit changed is as good as none (RFC 9000 section 8.1.4)", arguments: [true, false])
    func forgeries(ofRetry: Bool) {
        var (validation, random) = (validation(), random())
        let token =
            ofRetry
            ? retryToken(validation, &random)
            : validation.returningToken(remote: client, unixTime: Self.now, using: &random)
        for bit in 0..<token.count * 8 {
            var forged = token
            forged[bit / 8] ^= 1 << (bit % 8)
            #expect(verify(&validation, forged) == .unknown)
        }
        for count in 0..<token.count { #expect(verify(&validation, Array(token[..<count])) == .unknown) }
        // A tag of 128 bits, and another key makes other tokens.
        #expect(token.count >= 16 + 9)
        var stranger = AddressValidation(
            keys: [SharedKey([UInt8](repeating: 8, count: 32))!], tokenLifetime: .seconds(1000))
        #expect(verify(&stranger, token) == .unknown)
    }

    // Holds: 9000-8.1.3-3, 9000-8.1.3-4
    @Test(
        "No two tokens of NEW_TOKEN are alike, for one client or many (RFC 9000 section 8.1.3)"
    )
    func tokensDiffer() {
        var random = random()
        let validation = validation()
        let tokens = (0..<1000).map { index in
            validation.returningToken(
                remote: index % 2 == 0 ? client : NetworkAddress("192.0.2.7:9")!, unixTime: Self.now,
                using: &random)
        }
        #expect(Set(tokens).count == 1000)
        // Nor do they start or end alike, so that nothing in them ties one to another.
        #expect(Set(tokens.map { Array($0.prefix(8)) }).count == 1000)
        #expect(Set(tokens.map { Array($0.suffix(8)) }).count == 1000)
    }

    // Holds: 9000-8.1.4-3
    @Test("A token of NEW_TOKEN is good for the client's IP address alone (RFC 9000 section 8.1.4)")
    func otherAddress() {
        var (validation, random) = (validation(), random())
        let token = validation.returningToken(remote: client, unixTime: Self.now, using: &random)
        #expect(verify(&validation, token, from: NetworkAddress("192.0.2.2:50000")!) == .unknown)
        #expect(verify(&validation, token, from: NetworkAddress("192.0.2.1:1")!) == .returning)
    }

    // Holds: 9000-8.1.4-5
    @Test(
        "A Retry token works once and for seconds, one of NEW_TOKEN for its lifetime (RFC 9000 section 8.1.4)"
    )
    func replays() {
        var (validation, random) = (validation(), random())
        let token = retryToken(validation, &random)
        #expect(verify(&validation, token) == .retried(originalDestination: destination))
        #expect(verify(&validation, token) == .invalidRetry)
        let late = retryToken(validation, &random)
        #expect(verify(&validation, late, at: Self.now + 16) == .invalidRetry)
        let moved = retryToken(validation, &random)
        #expect(verify(&validation, moved, to: destination) == .unknown)
        let returning = validation.returningToken(remote: client, unixTime: Self.now, using: &random)
        #expect(verify(&validation, returning, at: Self.now + 1000) == .returning)
        #expect(verify(&validation, returning, at: Self.now + 1001) == .unknown)
    }

    // Holds: 9001-9.2-2
    @Test("A token seals its kind, time and ids, and nothing of any application (RFC 9001 section 9.2)")
    func content() throws {
        var random = random()
        let validation = validation()
        let sealer = TokenSealer(keys: [Self.key], purpose: "address validation")
        let ip =
            withUnsafeBytes(of: client.ip.high.bigEndian) { [UInt8]($0) }
            + withUnsafeBytes(of: client.ip.low.bigEndian) { [UInt8]($0) }
        let returning = validation.returningToken(remote: client, unixTime: Self.now, using: &random)
        let opened = try #require(returning.withUnsafeBytes { sealer.open($0, associatedData: ip) })
        #expect(opened.count == 9)
        let binding = ip + withUnsafeBytes(of: client.port.bigEndian) { [UInt8]($0) } + source.bytes
        let retry = retryToken(validation, &random)
        let payload = try #require(retry.withUnsafeBytes { sealer.open($0, associatedData: binding) })
        #expect(payload.count == 17 + destination.length && Array(payload[17...]) == destination.bytes)
    }

    /// A token that the server gave out in a NEW_TOKEN frame.
    private func tokens(_ connection: Connection, _ pair: EndpointPair) -> [[UInt8]] {
        pair.events(of: connection.handle, in: pair.clientEvents).compactMap {
            if case .addressToken(let token) = $0 { token } else { nil }
        }
    }

    // Holds: 9000-8.1.3-1, 9000-8.1.3-2, 9001-9.2-3
    @Test(
        "Each Initial packet has the token of NEW_TOKEN until a Retry brings another (RFC 9000 section 8.1.3)"
    )
    func tokenIsUsed() throws {
        let pair = EndpointPair()
        let (first, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let token = try #require(tokens(first, pair).first)
        pair.log = []
        var lost = 0
        pair.intercept = { flight in
            guard flight.toServer, lost < 4 else { return [flight] }
            lost += 1
            return []
        }
        let again = try pair.connect { $0.token = token }
        pair.run(for: .seconds(5)) { again.isConfirmed }
        let initials = pair.datagrams(toServer: true).flatMap { VisiblePacket.all(in: $0) }.filter {
            $0.type == .initial
        }
        #expect(initials.count > 4 && initials.allSatisfy { $0.token == token })
        #expect(again.isConfirmed)

        // Where there is a Retry, its token takes the place, and the application never gets to see that one.
        let strict = EndpointPair(seed: 9) { $0.retryPolicy = .always }
        let stale = [UInt8](repeating: 5, count: 40)
        let third = try strict.connect { $0.token = stale }
        strict.run(for: .seconds(5)) { third.isConfirmed }
        strict.run(for: .seconds(1))
        let sent = strict.datagrams(toServer: true).flatMap { VisiblePacket.all(in: $0) }.filter {
            $0.type == .initial
        }
        let retry = try #require(
            strict.datagrams(toServer: false).flatMap { VisiblePacket.all(in: $0) }.first {
                $0.type == .retry
            })
        #expect(sent.first?.token == stale && sent.last?.token == retry.token)
        #expect(!tokens(third, strict).isEmpty && !tokens(third, strict).contains(retry.token))
    }

    // Holds: 9000-8.1.3-7, 9000-8.1.4-4
    @Test(
        "A token frees the server of the limit at its own address, at another it does not (RFC 9000 section 8.1.4)",
        arguments: [true, false])
    func amplification(isMoved: Bool) throws {
        let pair = EndpointPair()
        let (first, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let token = try #require(tokens(first, pair).first)
        let moved = NetworkAddress("192.0.2.200:50000")!
        try pair.connect {
            $0.token = token
            if isMoved { $0.local = moved }
        }
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        #expect(server.lifecycle == .handshaking)
        #expect((server.paths.active.sendAllowance < 100_000) == isMoved)
    }

    // Holds: 9000-8.1.3-5
    @Test(
        "A token is in the packets of the connection that it was given for and in no others (RFC 9000 section 8.1.3)"
    )
    func tokenStaysWithItsServer() throws {
        let pair = EndpointPair()
        pair.intercept = { _ in [] }
        let other = NetworkAddress("198.51.100.77:443")!
        let token = [UInt8](repeating: 5, count: 40)
        try pair.connect { $0.token = token }
        try pair.connect { $0.remote = other }
        pair.run(for: .seconds(3))
        let bearers = pair.log.filter { flight in
            VisiblePacket.all(in: flight.bytes).contains { $0.token == token }
        }
        #expect(!bearers.isEmpty && bearers.allSatisfy { $0.local == EndpointPair.serverAddress })
        #expect(pair.log.contains { $0.local == other })
    }
}
