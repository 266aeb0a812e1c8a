import GodwitCrypto
import GodwitWire

/// The tokens by which a server knows a client's address (RFC 9000 section 8.1).
///
/// Times are wall-clock seconds, because servers that share the keys take each other's tokens.
struct AddressValidation {
    /// A Retry token is used at once or never.
    static let retryLifetime: Int64 = 15
    /// How many used Retry tokens are remembered. Beyond it the oldest are forgotten, so that a flood costs
    /// bounded memory and at worst lets one of them be used again.
    static let rememberedTokens = 1 << 16

    private let sealer: TokenSealer
    private let tokenLifetime: Int64
    private var usedRetries: Set<UInt64> = []
    private var usedInOrder = IndexedRing<UInt64>()

    init(keys: [SharedKey], tokenLifetime: Duration) {
        sealer = TokenSealer(keys: keys, purpose: "address validation")
        self.tokenLifetime = tokenLifetime.components.seconds
    }

    /// What a valid token says.
    enum Verdict: Equatable {
        /// The client answers our Retry: the ids that its handshake has to name (RFC 9000 section 7.3).
        case retried(originalDestination: ConnectionID)
        /// The client had this address in an earlier connection.
        case returning
        /// A Retry token that was used already, is too old, or is for another address; RFC 9000 section 8.1.3
        /// lets the server close with INVALID_TOKEN, because no honest client has such a one.
        case invalidRetry
        /// As good as no token.
        case unknown
    }

    private enum Kind {
        static let retry: UInt8 = 1
        static let returning: UInt8 = 2
    }

    // MARK: Making

    /// A token for a Retry packet, bound to address, port and the connection id that the Retry asks for.
    func retryToken(
        originalDestination: ConnectionID, retrySource: ConnectionID, remote: NetworkAddress, unixTime: Int64,
        using random: inout RandomGenerator
    ) -> [UInt8] {
        var payload = Self.header(Kind.retry, unixTime)
        withUnsafeBytes(of: random.next()) { payload += $0 }
        payload += originalDestination.bytes
        return sealer.seal(payload, associatedData: Self.bind(remote, retrySource), using: &random)
    }

    /// A token for a NEW_TOKEN frame, bound to the address without the port, which the next connection of the
    /// same client has no reason to keep.
    func returningToken(remote: NetworkAddress, unixTime: Int64, using random: inout RandomGenerator)
        -> [UInt8]
    {
        sealer.seal(
            Self.header(Kind.returning, unixTime), associatedData: Self.bind(remote.ip), using: &random)
    }

    // MARK: Checking

    /// Judges the token of an Initial packet that came from `remote` and was addressed to `destination`.
    mutating func verify(
        _ token: UnsafeRawBufferPointer, destination: ConnectionID, remote: NetworkAddress, unixTime: Int64
    ) -> Verdict {
        if token.isEmpty { return .unknown }
        if let payload = sealer.open(token, associatedData: Self.bind(remote.ip)) {
            return Self.age(payload, at: unixTime).map { $0 <= tokenLifetime } == true ? .returning : .unknown
        }
        guard let payload = sealer.open(token, associatedData: Self.bind(remote, destination)) else {
            return .unknown
        }
        return verifyRetry(payload, unixTime: unixTime)
    }

    private mutating func verifyRetry(_ payload: [UInt8], unixTime: Int64) -> Verdict {
        guard payload.count >= 17, payload[0] == Kind.retry, let age = Self.age(payload, at: unixTime),
            age <= Self.retryLifetime, let original = ConnectionID([UInt8](payload[17...]))
        else { return .invalidRetry }
        let number = payload[9..<17].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return useUp(number) ? .retried(originalDestination: original) : .invalidRetry
    }

    private mutating func useUp(_ number: UInt64) -> Bool {
        guard usedRetries.insert(number).inserted else { return false }
        usedInOrder.append(number)
        if usedInOrder.count > Self.rememberedTokens { usedRetries.remove(usedInOrder.removeFirst()) }
        return true
    }

    // MARK: Layout

    /// The kind (1 byte) and the time of issue in seconds since 1970 (8 bytes).
    private static func header(_ kind: UInt8, _ unixTime: Int64) -> [UInt8] {
        withUnsafeBytes(of: unixTime.bigEndian) { [kind] + $0 }
    }

    /// Seconds since the token was issued; nil for one from the future, beyond what clocks differ.
    private static func age(_ payload: [UInt8], at unixTime: Int64) -> Int64? {
        guard payload.count >= 9 else { return nil }
        let issued = Int64(bitPattern: payload[1..<9].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        let (age, overflow) = unixTime.subtractingReportingOverflow(issued)
        return overflow || age < -60 ? nil : max(age, 0)
    }

    private static func bind(_ ip: IPAddress) -> [UInt8] {
        withUnsafeBytes(of: ip.high.bigEndian) { high in
            withUnsafeBytes(of: ip.low.bigEndian) { low in [UInt8](high) + low }
        }
    }

    private static func bind(_ remote: NetworkAddress, _ id: ConnectionID) -> [UInt8] {
        bind(remote.ip) + withUnsafeBytes(of: remote.port.bigEndian) { [UInt8]($0) } + id.bytes
    }
}
