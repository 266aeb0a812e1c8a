import GodwitMigration
import GodwitWire

extension NetworkAddress {
    static let client = NetworkAddress("203.0.113.9:50000")!
    static let old = NetworkAddress("192.0.2.1:4433")!
    static let new = NetworkAddress("198.51.100.7:4433")!
    static let newer = NetworkAddress("198.51.100.8:4433")!
    static let old6 = NetworkAddress("[2001:db8::1]:4433")!
    static let new6 = NetworkAddress("[2001:db8::7]:4433")!
    static let newer6 = NetworkAddress("[2001:db8::8]:4433")!

    /// The `index`-th of many.
    static func other(_ index: Int) -> NetworkAddress {
        NetworkAddress(ip: IPAddress(v4: 0xc633_6480 + UInt32(index)), port: 4433)
    }
}

extension MigrationDestination {
    static let new = MigrationDestination(NetworkAddress.new)!
    static let newer = MigrationDestination(NetworkAddress.newer)!
    static let both = MigrationDestination(ipv4: .new, ipv6: .new6)!
}

extension MigrationEpoch {
    static let first = MigrationEpoch(rawValue: 1)
    static let second = MigrationEpoch(rawValue: 2)
}

extension MigrationAgreement {
    /// What a client that offers the suite and a server that knows everything agree on.
    static func of(_ suite: MigrationSuite, draft: Bool = false) throws -> MigrationAgreement {
        let client = ClientMigrationNegotiation(suite: suite, offersAlternativeAddresses: draft)
        var (offer, answer) = (TransportParameters(), TransportParameters())
        client.write(to: &offer)
        let agreement = try ServerMigrationNegotiation().answer(offer, in: &answer)
        let seen = try client.receive(answer)
        precondition(seen == agreement)
        return agreement
    }
}

/// What `body` throws; nil when it doesn't.
func transportError(_ body: () throws -> Void) -> TransportError? {
    do {
        try body()
        return nil
    } catch {
        return error as? TransportError
    }
}

/// The numbers of a test that draws some.
struct TestRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ probability: Double) -> Bool { Double(next() >> 11) * 0x1p-53 < probability }
}

/// Every order of the elements.
func permutations<Element>(_ elements: [Element]) -> [[Element]] {
    guard let first = elements.first else { return [[]] }
    return permutations(Array(elements.dropFirst())).flatMap { rest in
        (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
    }
}
