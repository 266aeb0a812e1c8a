internal import NIOConcurrencyHelpers

/// Lets each ClientHello with early data pass once (RFC 8446 section 8.2), so that nobody who recorded one
/// can have its early data processed again by this server.
///
/// BoringSSL refuses early data whose ticket says that it was sent more than a minute earlier or later than
/// it came. What came in during that time is remembered here: fingerprints of ClientHellos, up to a number of
/// them. When they are too many, early data is refused, which costs the client a round trip and nothing else.
///
/// It knows only what this process saw. Servers that share ticket keys can each be sent the same ClientHello
/// once.
public final class ReplayFilter: Sendable {
    private let memory: NIOLockedValueBox<Memory>

    /// - Parameters:
    ///   - window: how long to remember at least, in seconds; no less than the two minutes within which
    ///     BoringSSL takes early data.
    ///   - capacity: how many ClientHellos to remember in each window. One takes about 50 bytes.
    ///   - refusesFirstWindow: whether to refuse all early data until a window has passed since the first was
    ///     offered, because a ClientHello may have been recorded before the server started (RFC 8446 section
    ///     8.2). May be switched off where ticket keys end with the process.
    public init(window: Int64 = 150, capacity: Int = 65_536, refusesFirstWindow: Bool = true) {
        precondition(window >= 120 && capacity > 0)
        memory = NIOLockedValueBox(
            Memory(window: window, capacity: capacity, refusesFirstWindow: refusesFirstWindow))
    }

    /// Whether this ClientHello is seen for the first time and its early data may be taken.
    ///
    /// - Parameters:
    ///   - fingerprint: of the ClientHello; its random and its binder make it unique.
    ///   - now: seconds since 1970.
    public func admit(_ fingerprint: [UInt8], now: Int64) -> Bool {
        let digest = KeyDerivation.hash(fingerprint, suite: .aes128GCM)
        return memory.withLockedValue {
            $0.admit(Digest(digest[0..<8].networkInteger, digest[8..<16].networkInteger), now)
        }
    }
}

private struct Digest: Hashable {
    let high: UInt64
    let low: UInt64

    init(_ high: UInt64, _ low: UInt64) { (self.high, self.low) = (high, low) }
}

/// Two generations; the older is forgotten when the younger has lasted a window, so that each entry lives for
/// one window at least and two at most.
private struct Memory {
    let window: Int64
    let capacity: Int
    let refusesFirstWindow: Bool
    private var young: Set<Digest> = []
    private var old: Set<Digest> = []
    private var youngSince: Int64?
    private var acceptsFrom: Int64 = .min

    init(window: Int64, capacity: Int, refusesFirstWindow: Bool) {
        self.window = window
        self.capacity = capacity
        self.refusesFirstWindow = refusesFirstWindow
    }

    mutating func admit(_ digest: Digest, _ now: Int64) -> Bool {
        turn(now)
        guard !old.contains(digest), !young.contains(digest), young.count < capacity else { return false }
        young.insert(digest)
        return now >= acceptsFrom
    }

    private mutating func turn(_ now: Int64) {
        guard let since = youngSince else {
            youngSince = now
            if refusesFirstWindow { acceptsFrom = now + window }
            return
        }
        // A clock that was set back must not make entries live for ever, nor let them go early.
        guard now >= since + window || now < since else { return }
        old = now >= since + 2 * window ? [] : young
        young = []
        youngSince = now
    }
}
